import type { InputUri } from "../engines/engine.ts";
import type { Principal } from "../authorization/principal.ts";
import type { Collection } from "../storage/database.ts";
import type {
  Accelerators,
  CacheBehavior,
  ContainerRegistryMap,
  DefinitionRepository,
  DefinitionRepositoryDetails,
  NetworkingMode,
  RunOutputUriPrefixMode,
  RunLogLevel,
  RunListItem,
  RunRetentionMode,
  RunStatus,
  ScratchStorageMode,
  StorageType,
  TaskStatus,
  WorkflowEngine,
  WorkflowListItem,
  WorkflowParameter,
  WorkflowStatus,
  WorkflowVersionListItem,
} from "../../model/generated/types.ts";
import type { Place } from "./arns.ts";
import type { ListedCollection } from "./lists.ts";

export type Tags = Readonly<Record<string, string>>;
export type ParameterTemplate = Readonly<Record<string, WorkflowParameter>>;

/** Where a definition comes from. Read once, while the workflow is CREATING. */
export type DefinitionSource =
  | { readonly kind: "zip"; readonly sha256: string }
  | { readonly kind: "s3"; readonly uri: string; readonly ownerId?: string }
  | { readonly kind: "repository"; readonly repository: DefinitionRepository };

export type ReadmeSource =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "s3"; readonly uri: string }
  /** A file of the repository; without a path the README.md at its root, if there is one. */
  | { readonly kind: "repository"; readonly path?: string };

/** What CreateWorkflow and CreateWorkflowVersion have in common. */
export interface Definition {
  readonly place: Place;
  readonly arn: string;
  readonly uuid: string;
  readonly status: WorkflowStatus;
  readonly statusMessage?: string;
  readonly description?: string;
  readonly creationTime: string;
  readonly tags: Tags;
  /** As asked; after creation as found. */
  readonly engine?: WorkflowEngine;
  readonly main?: string;
  /** The name of the workflow in its own language: a parameter may carry it in front. */
  readonly entryName?: string;
  readonly accelerators?: Accelerators;
  readonly storageType: StorageType;
  readonly storageCapacity?: number;
  readonly parameterTemplate?: ParameterTemplate;
  readonly parameterTemplatePath?: string;
  readonly source: DefinitionSource;
  readonly readmeSource?: ReadmeSource;
  readonly readmePath?: string;
  readonly containerRegistryMap?: ContainerRegistryMap;
  readonly containerRegistryMapUri?: string;
  /** Who asked: what is read while CREATING is read with their permissions. */
  readonly creator: Principal;
  /** The definition as a ZIP, once it is read. */
  readonly zip?: string;
  /** SHA-256 of the ZIP, as the service prints it. */
  readonly digest?: string;
  readonly readme?: string;
  readonly profiles?: readonly string[];
  readonly profileParameterTemplates?: Readonly<Record<string, ParameterTemplate>>;
  /** Nextflow: what the definition asks of the engine. */
  readonly nextflow?: NextflowNeeds;
  readonly repositoryDetails?: DefinitionRepositoryDetails;
}

export interface NextflowNeeds {
  /** `manifest.nextflowVersion` as it is written. */
  readonly required?: string;
  readonly isDsl1: boolean;
}

export interface Workflow extends Definition {
  readonly id: string;
  readonly name?: string;
}

export interface Version extends Definition {
  readonly workflowId: string;
  readonly versionName: string;
}

export interface Run {
  readonly place: Place;
  readonly id: string;
  readonly arn: string;
  readonly uuid: string;
  readonly status: RunStatus;
  readonly statusMessage?: string;
  readonly failureReason?: string;
  /** Asked to stop; the run still has to. */
  readonly isCancelled?: boolean;
  /** How the engine's work ended: decided before outputs are exported, so that a kill in between changes nothing. */
  readonly verdict?: Verdict;
  readonly name?: string;
  readonly roleArn: string;
  readonly startedBy: string;
  readonly workflowId: string;
  readonly workflowUuid: string;
  readonly workflowOwnerId?: string;
  readonly workflowVersionName?: string;
  readonly workflowName?: string;
  readonly engine: WorkflowEngine;
  readonly main: string;
  readonly zip: string;
  readonly digest: string;
  readonly accelerators?: Accelerators;
  readonly containerRegistryMap?: ContainerRegistryMap;
  /** The run this one repeats. */
  readonly runId?: string;
  readonly runGroupId?: string;
  readonly priority?: number;
  readonly parameters: unknown;
  readonly storageType: StorageType;
  readonly storageCapacity?: number;
  readonly outputUri: string;
  readonly outputUriPrefixMode?: RunOutputUriPrefixMode;
  readonly runOutputUri: string;
  readonly logLevel: RunLogLevel;
  readonly retentionMode?: RunRetentionMode;
  readonly networkingMode: NetworkingMode;
  readonly scratchStorageMode?: ScratchStorageMode;
  readonly cacheId?: string;
  readonly cacheBehavior?: CacheBehavior;
  readonly sessionPolicy?: string;
  readonly engineSettings?: unknown;
  readonly engineVersion?: string;
  readonly nextflow?: NextflowNeeds;
  readonly tags: Tags;
  readonly creationTime: string;
  readonly startTime?: string;
  readonly stopTime?: string;
  readonly resourceDigests?: Readonly<Record<string, string>>;
  /** How far the engine's event log has been taken in. */
  readonly eventPosition: number;
  /** The engine's question for input files, until it is answered. */
  readonly inputsAsk?: { readonly ask: string; readonly uris: readonly InputUri[] };
  /** Images by the text of the definition: one image for the whole run. */
  readonly images?: Readonly<Record<string, RunImage>>;
  readonly containers?: "docker" | "podman" | "host";
  /** The run role may not write logs: there are none. */
  readonly cannotLog?: boolean;
}

export type Verdict =
  | { readonly status: "COMPLETED" }
  | { readonly status: "CANCELLED" }
  | { readonly status: "FAILED"; readonly reason: string; readonly message: string };

/** An image as it was read for a run. */
export interface RunImage {
  readonly image: string;
  readonly digest: string;
  readonly sourceImage?: string;
  /** What the container engine knows it by. */
  readonly reference: string;
}

export interface Task {
  readonly runId: string;
  readonly taskId: string;
  readonly uuid: string;
  /** The engine's name for its request. */
  readonly ask: string;
  readonly status: TaskStatus;
  readonly statusMessage?: string;
  readonly failureReason?: string;
  readonly name: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly gpus: number;
  readonly accelerator?: string;
  readonly instanceType?: string;
  readonly image?: string;
  readonly imageDetails?: { readonly image: string; readonly imageDigest: string; readonly sourceImage?: string };
  readonly creationTime: string;
  readonly startTime?: string;
  readonly stopTime?: string;
  /** Files that the task writes while it runs. */
  readonly stdout?: string;
  readonly stderr?: string;
  readonly container?: string;
  readonly peakMemoryBytes?: number;
}

export interface RunGroup {
  readonly place: Place;
  readonly id: string;
  readonly arn: string;
  readonly name?: string;
  readonly maxCpus?: number;
  readonly maxRuns?: number;
  /** Minutes. */
  readonly maxDuration?: number;
  readonly maxGpus?: number;
  readonly creationTime: string;
  readonly tags: Tags;
}

/** A request that was carried out under a requestId. */
export interface Remembered {
  /** SHA-256 of its members. */
  readonly digest: string;
  readonly response: unknown;
}

/** What is looked at of a run when many are: what ListRuns shows, and what the queue goes by. */
export interface RunItem {
  readonly shown: RunListItem;
  readonly storageType: StorageType;
  readonly runGroupId?: string;
  /** Has ended, and may make room for others. */
  readonly isRemovable?: true;
}

/** Keys: account, region, id; a version's ends with workflow id and name, a task's with run id and task id. */
export interface Store {
  readonly workflows: ListedCollection<Workflow, WorkflowListItem>;
  readonly versions: ListedCollection<Version, WorkflowVersionListItem>;
  readonly runs: ListedCollection<Run, RunItem>;
  readonly tasks: Collection<Task>;
  readonly runGroups: Collection<RunGroup>;
  readonly remembered: Collection<Remembered>;
  readonly sequences: Collection<{ readonly last: number }>;
  /** How far a file's text has been sent to its log stream: run's UUID, file. */
  readonly logPositions: Collection<{ readonly position: number }>;
  readonly secrets: Collection<{ readonly secret: string }>;
  transaction<R>(work: () => R): R;
}

/** Whether a run or task still has something before it. */
export const isActive = (status: RunStatus | TaskStatus): boolean =>
  status === "PENDING" || status === "STARTING" || status === "RUNNING" || status === "STOPPING";
