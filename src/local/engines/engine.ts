/** The engines that run workflows here. WDL_LENIENT runs as WDL. */
export type EngineName = "WDL" | "CWL" | "NEXTFLOW";

/** Where tasks run. `host` is this machine itself: not isolated. */
export type Containers = "docker" | "podman" | "host";

/** What an engine is started with. Every path is absolute and of this machine. */
export interface EngineSpec {
  readonly engine: EngineName;
  /** The folder that everything of the run lies in: definition, inputs, work. Nothing beyond it is given to a task. */
  readonly root: string;
  /** The unpacked definition. */
  readonly definition: string;
  /** The main file, relative to the definition. */
  readonly main: string;
  /** The run's parameters as they were given: S3 URIs are still in them. */
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly runUuid: string;
  readonly containers: Containers;
  /** Tasks that the engine may ask for at once. */
  readonly concurrentTasks: number;
  /** WDL_LENIENT: optional and quantified types are taken loosely. */
  readonly isLenient?: boolean;
  /** Nextflow: `profile` and what else StartRun's engineSettings say. */
  readonly engineSettings?: unknown;
  /** Variables of the engine's own environment: pipelines ask for AWS_WORKFLOW_RUN in their configuration. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The words that start the engine; set when it is started. */
  readonly command?: readonly string[];
}

/** A line of the engine's event log. `at` is ISO 8601 with microseconds. */
export type EngineEvent =
  | { readonly type: "inputs.request"; readonly at: string; readonly ask: string; readonly uris: readonly InputUri[] }
  /** The engine knows its inputs and begins. */
  | { readonly type: "engine.running"; readonly at: string }
  | ({ readonly type: "task.request"; readonly at: string; readonly ask: string } & TaskRequest)
  | TaskStarted
  | TaskEnded
  | { readonly type: "engine.ended"; readonly at: string; readonly outcome: EngineResult["outcome"] };

/** A File or Directory input that lies in S3. */
export interface InputUri {
  readonly uri: string;
  readonly isDirectory: boolean;
  /** Left out where it is not there: a secondary file that may be missing. */
  readonly isOptional?: boolean;
}

/** What a task asks for, as its author wrote it, rounded up to whole CPUs. */
export interface TaskRequest {
  readonly name: string;
  /** As the definition writes it. Absent: the definition names none. */
  readonly image?: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly gpus: number;
  readonly accelerator?: string;
  /** From 1; a retry is a new task. */
  readonly attempt: number;
  readonly timeoutSeconds?: number;
}

/** `task` is the `ask` of its request. */
export interface TaskStarted {
  readonly type: "task.started";
  readonly at: string;
  readonly task: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly container?: string;
  readonly pid?: number;
}

export interface TaskEnded {
  readonly type: "task.ended";
  readonly at: string;
  readonly task: string;
  readonly outcome: "completed" | "failed" | "cancelled";
  readonly exitCode?: number;
  /** HealthOmics's failure reason where the command did not end by itself. */
  readonly code?: string;
  readonly message?: string;
  readonly peakMemoryBytes?: number;
}

/** Leave to start a task. */
export interface TaskGrant {
  readonly containers: Containers;
  /** The program that runs containers. */
  readonly executable: string;
  /** Label of the run's containers, by which they are found and removed. */
  readonly run: string;
  /** A reference that the container engine has already, and what it is. */
  readonly image?: { readonly reference: string; readonly digest: string };
  readonly network: string;
  /** What the task may use, fitted to this machine. */
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Of /dev/shm, where it is not the container engine's own choice. */
  readonly sharedMemoryBytes?: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Read-only mounts beside the task's own: [outside, inside]. */
  readonly mounts: readonly (readonly [string, string])[];
}

/** A request that is not granted. `code` is a failure reason of HealthOmics. */
export interface Refusal {
  readonly refused: { readonly code: string; readonly message: string };
}

/** Local paths by URI. */
export interface LocalInputs {
  readonly paths: Readonly<Record<string, string>>;
}

/** How a run ended. Output files are local paths. */
export type EngineResult =
  | { readonly outcome: "completed"; readonly outputs: Readonly<Record<string, unknown>> }
  | { readonly outcome: "failed"; readonly code: string; readonly message: string }
  | { readonly outcome: "cancelled" };
