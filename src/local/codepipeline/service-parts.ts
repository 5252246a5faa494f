import type { Call, Core } from "../gateway/service.ts";
import type { Engine } from "./engine.ts";
import { executionNotFound, pipelineNotFound } from "./errors.ts";
import { type ActionExecution, type Execution, pipelineArn, type PipelineRecord, type Store } from "./store.ts";

/** What the operations of CodePipeline share. */
export interface Parts {
  readonly core: Core;
  readonly store: Store;
  readonly engine: Engine;
}

type Place = Pick<Call, "account" | "region">;

/** Access to a pipeline, to a stage of it, or to an action of a stage. */
export const on = (action: string, call: Place, pipeline: string | undefined, ...path: readonly (string | undefined)[]) => [
  { action: `codepipeline:${action}`, resource: [pipelineArn(call, pipeline ?? ""), ...path].join("/") },
];

/** @throws AwsError PipelineNotFoundException */
export function findPipeline(store: Store, call: Place, name: string | undefined): PipelineRecord {
  const record = store.pipelines.get([call.account, call.region, name ?? ""]);
  if (!record) throw pipelineNotFound(name ?? "", call.account);
  return record;
}

/** @throws AwsError PipelineNotFoundException, PipelineExecutionNotFoundException */
export function findExecution(
  store: Store,
  call: Place,
  { pipelineName, pipelineExecutionId }: { readonly pipelineName: string | undefined; readonly pipelineExecutionId: string | undefined },
): Execution {
  findPipeline(store, call, pipelineName);
  const execution = store.executions.get([call.account, call.region, pipelineName ?? "", pipelineExecutionId ?? ""]);
  if (!execution) throw executionNotFound(pipelineExecutionId ?? "");
  return execution;
}

/** Executions of a pipeline, the newest first. */
export const executionsOf = (store: Store, { account, region }: Place, pipeline: string): readonly Execution[] =>
  store.executions
    .list([account, region, pipeline])
    .map(({ value }) => value)
    .sort((a, b) => (a.order > b.order ? -1 : 1));

/** Attempts at the actions of a pipeline, or of one execution of it, the newest first. */
export const attemptsOf = (store: Store, { account, region }: Place, ...scope: readonly string[]): readonly ActionExecution[] =>
  store.actions
    .list([account, region, ...scope])
    .map(({ value }) => value)
    .sort((a, b) => (a.started > b.started ? -1 : 1));

/** Has the engine look at a pipeline's executions again. */
export const advance = (engine: Engine, { account, region }: Place, name: string | undefined): void =>
  engine.advance({ account, region, name: name ?? "" });
