import {
  type ActionExecutionDetail,
  GetPipelineExecutionCommand,
  GetPipelineStateCommand,
  ListActionExecutionsCommand,
  ListPipelineExecutionsCommand,
} from "@aws-sdk/client-codepipeline";
import type { AwsClients } from "../../aws/clients.ts";
import { NAMES, pipelineName } from "../../release/names.ts";
import { type Cli, Problem } from "../cli.ts";
import { lastLines } from "../../release/step-logs.ts";

/** One action of a pipeline's execution, as the demo shows and reports it. */
export interface Step {
  readonly name: string;
  readonly status: string;
  readonly seconds: number;
  readonly detail?: string;
}

export interface Followed {
  readonly cli: Cli;
  readonly clients: AwsClients;
  readonly workflow: string;
  /** Draws what is happening now. */
  onSteps(steps: readonly Step[]): void;
}

const POLL_MS = 300;

/** Finds the execution that a commit started. */
export async function findExecution({ cli, clients, workflow }: Omit<Followed, "onSteps">, commit: string): Promise<string> {
  for (let waited = 0; waited < 60_000; waited += POLL_MS) {
    const { pipelineExecutionSummaries: all = [] } = await clients.codepipeline.send(
      new ListPipelineExecutionsCommand({ pipelineName: pipelineName(workflow) }),
    );
    const found = all.find(
      ({ trigger, sourceRevisions }) =>
        trigger?.triggerDetail?.includes(commit) || sourceRevisions?.some(({ revisionId }) => revisionId === commit),
    );
    if (found?.pipelineExecutionId) return found.pipelineExecutionId;
    await cli.clock.sleep(POLL_MS);
  }
  throw new Problem(
    `no execution of ${pipelineName(workflow)} started for commit ${commit}`,
    "look at the rule that starts it: aws events list-rules --profile cicd",
  );
}

/** Follows an execution until it waits for the approval, or ends. @throws Problem when it failed */
export async function followTo(followed: Followed, executionId: string, until: "approval" | "end"): Promise<readonly Step[]> {
  for (;;) {
    // In this order: of an execution that has ended, actions that were read before may not have.
    const status = await statusOf(followed, executionId);
    const details = await actionsOf(followed, executionId);
    const steps = stepsOf(followed.cli, details);
    followed.onSteps(steps);
    if (status === "Succeeded") return steps;
    if (status !== "InProgress") throw await failure(followed, details, status);
    if (
      until === "approval" &&
      details.some(({ stageName, status: action }) => stageName === NAMES.approvalStage && action === "InProgress")
    )
      return steps;
    await followed.cli.clock.sleep(POLL_MS);
  }
}

/** The token that answers the approval of this execution. */
export async function approvalToken({ clients, workflow }: Pick<Followed, "clients" | "workflow">): Promise<string> {
  const { stageStates = [] } = await clients.codepipeline.send(new GetPipelineStateCommand({ name: pipelineName(workflow) }));
  const token = stageStates.find(({ stageName }) => stageName === NAMES.approvalStage)?.actionStates?.[0]?.latestExecution?.token;
  if (!token)
    throw new Problem(
      "no approval is waiting",
      `see it with: aws codepipeline get-pipeline-state --name ${pipelineName(workflow)} --profile approver`,
    );
  return token;
}

async function actionsOf({ clients, workflow }: Followed, pipelineExecutionId: string): Promise<readonly ActionExecutionDetail[]> {
  const { actionExecutionDetails = [] } = await clients.codepipeline.send(
    new ListActionExecutionsCommand({ pipelineName: pipelineName(workflow), filter: { pipelineExecutionId } }),
  );
  return [...actionExecutionDetails].reverse();
}

async function statusOf({ clients, workflow }: Followed, pipelineExecutionId: string): Promise<string> {
  const { pipelineExecution } = await clients.codepipeline.send(
    new GetPipelineExecutionCommand({ pipelineName: pipelineName(workflow), pipelineExecutionId }),
  );
  return pipelineExecution?.status ?? "";
}

const stepsOf = (cli: Cli, details: readonly ActionExecutionDetail[]): readonly Step[] =>
  details.map(({ stageName = "", actionName = "", status = "", startTime, lastUpdateTime, output }) => {
    const end = status === "InProgress" ? cli.clock.now() : lastUpdateTime;
    const detail = output?.executionResult?.externalExecutionSummary;
    return {
      name: stageName === actionName ? stageName : `${stageName} ${actionName}`,
      status,
      seconds: Math.round(((end?.getTime() ?? 0) - (startTime?.getTime() ?? 0)) / 100) / 10,
      ...(detail && { detail }),
    };
  });

async function failure({ clients, workflow }: Followed, details: readonly ActionExecutionDetail[], status: string): Promise<Problem> {
  const failed = details.find((detail) => detail.status === "Failed");
  if (!failed) return new Problem(`the pipeline ended ${status}`);
  const { errorDetails, externalExecutionId } = failed.output?.executionResult ?? {};
  const said = await lastLines(clients, { ...(externalExecutionId && { externalId: externalExecutionId }) });
  const why = `the pipeline ended ${status} at ${failed.stageName}: ${errorDetails?.message ?? errorDetails?.code ?? ""}`;
  return new Problem(
    [why, ...said.map((line) => `  │ ${line}`)].join("\n"),
    `all of its log: omx release logs ${workflow} --stage ${failed.stageName ?? ""}`,
  );
}
