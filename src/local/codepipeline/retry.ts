import type { PipelineDeclaration } from "@aws-sdk/client-codepipeline";
import { notLatest, stageNotRetryable } from "./errors.ts";
import type { Execution, Store } from "./store.ts";

/**
 * @throws AwsError NotLatestPipelineExecutionException when a later execution has been in the stage since,
 * StageNotRetryableException when the pipeline has other stages or actions now
 * @see https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_RetryStageExecution.html
 */
export function checkRetriable(store: Store, { account, region, pipeline, order, declaration }: Execution, stage: string): void {
  // Parallel executions know nothing of each other.
  const later =
    declaration.executionMode === "PARALLEL"
      ? []
      : store.executions
          .list([account, region, pipeline])
          .map((entry) => entry.value)
          .filter((other) => other.order > order && other.stages[stage] !== undefined);
  if (later.length > 0)
    throw notLatest(`The stage ${stage} has been run by a later execution of the pipeline, ${later.map(({ id }) => id).join(", ")}`);
  const now = store.pipelines.get([account, region, pipeline])?.declaration;
  if (now && structureOf(now) !== structureOf(declaration))
    throw stageNotRetryable(`Unable to retry: the structure of the pipeline has changed since the stage ${stage} failed`);
}

const structureOf = ({ stages = [] }: PipelineDeclaration): string =>
  JSON.stringify(
    stages.map(({ name, actions = [] }) => [
      name,
      actions.map((action) => [action.name, action.actionTypeId?.category, action.actionTypeId?.provider]),
    ]),
  );

/** Makes a stage begin from the start when it is entered again: what succeeded in it counts no more. */
export function forgetStage(store: Store, { account, region, pipeline, id }: Execution, stage: string): void {
  for (const { key, value } of store.actions.list([account, region, pipeline, id]))
    if (value.stage === stage && value.status === "Succeeded") store.actions.put(key, { ...value, status: "Abandoned" });
}

/** Whether a stage that failed is to be tried again by itself: once, where its declaration says so. */
export const isRetriable = ({ declaration, retried = [] }: Execution, stage: string): boolean =>
  declaration.stages?.find(({ name }) => name === stage)?.onFailure?.result === "RETRY" && !retried.includes(stage);
