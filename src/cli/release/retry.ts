import { type CodePipelineClient, RetryStageExecutionCommand } from "@aws-sdk/client-codepipeline";
import { describeFirstStart, sourceErrorIn } from "../../release/first-start.ts";
import { pipelineName } from "../../release/names.ts";
import { Problem } from "../cli.ts";
import { failedStep, listReleases, type ReleaseState } from "./pipeline.ts";

/** What of a release is to be tried again. */
export interface FailedStage {
  readonly stage: string;
  /** Those of its actions whose last try did not succeed, each with what it said. */
  readonly actions: readonly { readonly action: string; readonly status: string; readonly error?: string }[];
}

/**
 * The stage in which a release ended.
 * @throws Problem when it has not ended, or did not end in a stage
 */
export async function failedStage(codepipeline: CodePipelineClient, release: ReleaseState): Promise<FailedStage> {
  if (release.isFirstStart)
    throw new Problem(`no release of ${release.workflow} failed: ${describeFirstStart(sourceErrorIn(release.actions))}`);
  const { status, workflow, pipelineExecutionId: id, approval, actions } = release;
  if (status === "InProgress" || status === "Stopping")
    throw new Problem(
      `release ${id} of ${workflow} has not ended${approval ? ": it waits for an approval" : ""}`,
      await whatElse(codepipeline, release),
    );
  if (status === "Superseded")
    throw new Problem(
      `release ${id} of ${workflow} did not fail: a later one overtook it before its next stage`,
      `look at the latest: omx release status ${workflow}`,
    );
  const last = lastStep(release);
  if (!last)
    throw new Problem(
      `no stage of release ${id} of ${workflow} failed (it is ${status})`,
      status === "Succeeded" ? "a new release begins with a push to its release branch" : "start it again: push to its release branch",
    );
  const latest = new Map(actions.filter(({ stage }) => stage === last.stage).map((step) => [step.action, step]));
  const ended = [...latest.values()].filter((step) => step.status !== "Succeeded");
  return { stage: last.stage, actions: ended.map(({ action, status: how, error }) => ({ action, status: how, ...(error && { error }) })) };
}

/** Where a release ended early: the step that failed, or the last one before it was stopped. */
function lastStep(release: ReleaseState): ReleaseState["actions"][number] | undefined {
  if (release.status === "Failed") return failedStep(release);
  return release.status === "Stopped" ? release.actions.at(-1) : undefined;
}

/** What to do where the latest release is the one that has not ended: mostly an earlier one was meant. */
async function whatElse(codepipeline: CodePipelineClient, { workflow }: ReleaseState): Promise<string> {
  const failed = (await listReleases(codepipeline, workflow))
    .filter(({ status }) => status === "Failed")
    .map(({ pipelineExecutionId = "" }) => pipelineExecutionId);
  return failed.length === 0 ? `follow it: omx release watch ${workflow}` : `name the one that failed by --execution: ${failed.join(", ")}`;
}

/**
 * Tries the actions of a stage that did not succeed again; those that did are not repeated.
 * @throws Problem when CodePipeline does not take the stage any more
 */
export async function retryStage(
  codepipeline: CodePipelineClient,
  { workflow, pipelineExecutionId }: ReleaseState,
  stageName: string,
): Promise<void> {
  await codepipeline
    .send(
      new RetryStageExecutionCommand({ pipelineName: pipelineName(workflow), stageName, pipelineExecutionId, retryMode: "FAILED_ACTIONS" }),
    )
    .catch((error: Error) => {
      const why = REFUSALS[error.name];
      if (why === undefined) throw error;
      throw new Problem(
        `stage ${stageName} of release ${pipelineExecutionId} of ${workflow} can't be tried again: ${why} (${error.message})`,
        "start the release again: push to its release branch",
      );
    });
}

/** https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_RetryStageExecution.html */
const REFUSALS: Readonly<Record<string, string>> = {
  NotLatestPipelineExecutionException: "a later release has been in this stage since",
  StageNotRetryableException: "the pipeline has changed since, or somebody else is trying it already",
  StageNotFoundException: "the pipeline has no such stage any more",
};
