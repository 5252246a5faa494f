import type { PipelineDeclaration } from "@aws-sdk/client-codepipeline";
import type { Core } from "../gateway/service.ts";

/** A pipeline as CreatePipeline takes it, and which of its stages let nothing in. */
export interface PipelineRecord {
  readonly account: string;
  readonly region: string;
  readonly declaration: PipelineDeclaration & { readonly name: string; readonly version: number };
  readonly created: string;
  readonly updated: string;
  readonly tags: readonly { readonly key: string; readonly value: string }[];
  /** Stage name → why its inbound transition is disabled. */
  readonly disabled: Readonly<Record<string, { readonly reason: string; readonly by: string; readonly at: string }>>;
}

export type ExecutionStatus = "InProgress" | "Stopping" | "Stopped" | "Succeeded" | "Failed" | "Superseded" | "Cancelled";
export type StageStatus = "InProgress" | "Succeeded" | "Failed" | "Stopped" | "Stopping";
export type ActionStatus = "InProgress" | "Succeeded" | "Failed" | "Abandoned";

/** An object in the artifact store. */
export interface ArtifactLocation {
  readonly name: string;
  readonly bucket: string;
  readonly key: string;
}

export interface SourceRevision {
  readonly actionName: string;
  readonly revisionId: string;
  readonly revisionSummary: string;
  readonly revisionUrl: string;
}

/** One passage of a change through the pipeline. */
export interface Execution {
  readonly account: string;
  readonly region: string;
  readonly pipeline: string;
  readonly id: string;
  /** Order of their start. */
  readonly order: string;
  readonly status: ExecutionStatus;
  readonly statusSummary?: string;
  readonly started: string;
  readonly updated: string;
  readonly trigger: { readonly triggerType: string; readonly triggerDetail: string };
  readonly declaration: PipelineRecord["declaration"];
  /** Stage that is entered, waited for or failed. */
  readonly stageIndex: number;
  /** Whether that stage has been entered. */
  readonly inStage: boolean;
  readonly stages: Readonly<Record<string, StageStatus>>;
  readonly artifacts: Readonly<Record<string, ArtifactLocation>>;
  /** Commits that the start asked for, by source action. */
  readonly requestedRevisions?: Readonly<Record<string, string>>;
  /** Stages that were tried again by themselves (`onFailure`). */
  readonly retried?: readonly string[];
  /** Output variables by namespace; `variables` are the pipeline's own. */
  readonly variables: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly revisions: readonly SourceRevision[];
  readonly stopRequested?: { readonly abandon: boolean; readonly reason: string };
}

/** One attempt at an action. */
export interface ActionExecution {
  readonly account: string;
  readonly region: string;
  readonly pipeline: string;
  readonly executionId: string;
  readonly id: string;
  readonly stage: string;
  readonly action: string;
  readonly status: ActionStatus;
  readonly started: string;
  readonly updated: string;
  /** The person or service that changed it last: who approved. */
  readonly updatedBy?: string;
  readonly summary?: string;
  readonly error?: { readonly code: string; readonly message: string };
  /** Build id, execution ARN: what the action waits for, so that a restart waits on. */
  readonly externalId?: string;
  readonly externalUrl?: string;
  /** Of a manual approval that waits. */
  readonly token?: string;
  readonly configuration: Readonly<Record<string, string>>;
  /** References to variables that nobody set: the action can't begin. */
  readonly unresolved?: readonly string[];
  /** What the function of an Invoke action answered for its job. */
  readonly jobResult?: {
    readonly failure?: { readonly type: string; readonly message: string };
    readonly variables?: Readonly<Record<string, string>>;
    readonly summary?: string;
  };
  readonly inputs: readonly ArtifactLocation[];
  readonly outputs: readonly ArtifactLocation[];
  readonly variables?: Readonly<Record<string, string>>;
}

/** Where CodePipeline remembers. */
export function createStore({ database }: Core) {
  return {
    /** Key account, region, name. */
    pipelines: database.collection<PipelineRecord>("codepipeline.pipeline"),
    /** Key account, region, pipeline, id. */
    executions: database.collection<Execution>("codepipeline.execution", {
      active: (execution) =>
        ["InProgress", "Stopping"].includes(execution.status)
          ? `${execution.account}/${execution.region}/${execution.pipeline}`
          : undefined,
    }),
    /** Key account, region, pipeline, execution, id. */
    actions: database.collection<ActionExecution>("codepipeline.action", {
      job: (action) => (action.status === "InProgress" ? `${action.account}/${action.region}/${action.id}` : undefined),
    }),
    transaction: <R>(work: () => R): R => database.transaction(work),
  };
}

export type Store = ReturnType<typeof createStore>;

export const pipelineArn = ({ account, region }: { readonly account: string; readonly region: string }, name: string): string =>
  `arn:aws:codepipeline:${region}:${account}:${name}`;
