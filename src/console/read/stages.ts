import {
  type ActionExecutionDetail,
  type CodePipelineClient,
  GetPipelineStateCommand,
  type GetPipelineStateOutput,
  paginateListActionExecutions,
} from "@aws-sdk/client-codepipeline";
import { NAMES, pipelineName } from "../../release/names.ts";

export type StageStatus = "pending" | "running" | "waiting" | "succeeded" | "failed" | "stopped";

/** A stage of one release, live. */
export interface Stage {
  readonly name: string;
  readonly status: StageStatus;
  readonly started?: Date;
  readonly ended?: Date;
  /** What went wrong, or what is waited for. */
  readonly message?: string;
  /** Of one that failed: the build or the execution that did. */
  readonly externalId?: string;
}

/** A person's answer, as CodePipeline recorded it. */
export interface Decision {
  readonly verdict: "approved" | "rejected";
  /** The ARN of the person. */
  readonly by: string;
  readonly at: Date;
  readonly comment: string;
}

export interface Progress {
  readonly stages: readonly Stage[];
  /** Set while the approval of this release waits for an answer. */
  readonly token?: string;
  readonly decision?: Decision;
  /** What the Build action said that it made: contentDigest of its record. */
  readonly content?: string;
}

/** Where a release stands: its stages in order, and what is known of its approval. */
export async function readProgress(codepipeline: CodePipelineClient, workflow: string, id: string): Promise<Progress> {
  const name = pipelineName(workflow);
  const [state, actions] = await Promise.all([
    codepipeline.send(new GetPipelineStateCommand({ name })),
    latestActions(codepipeline, name, id),
  ]);
  const approval = actions.find(({ stageName, actionName }) => stageName === NAMES.approvalStage && actionName === NAMES.approvalAction);
  const asked = askedIn(state);
  const token = asked?.id === id && approval?.status === "InProgress" && !approval.updatedBy ? asked.token : undefined;
  const decision = approval && decisionOf(approval);
  const content = actions.find(({ stageName, actionName }) => stageName === NAMES.buildStage && actionName === NAMES.buildAction)?.output
    ?.outputVariables?.[NAMES.contentVariable];
  return {
    stages: (state.stageStates ?? []).map(({ stageName = "" }) =>
      stageOf(
        stageName,
        actions.filter((action) => action.stageName === stageName),
      ),
    ),
    ...(token && { token }),
    ...(decision && { decision }),
    ...(content && { content }),
  };
}

/** The release that is in the approval stage, and the token to answer with while nobody has. */
export function askedIn({ stageStates = [] }: GetPipelineStateOutput): { readonly id: string; readonly token?: string } | undefined {
  const stage = stageStates.find(({ stageName }) => stageName === NAMES.approvalStage);
  const action = stage?.actionStates?.find(({ actionName }) => actionName === NAMES.approvalAction)?.latestExecution;
  const id = stage?.latestExecution?.pipelineExecutionId;
  return id === undefined ? undefined : { id, ...(action?.token && { token: action.token }) };
}

/** The latest attempt at each action of one execution. */
async function latestActions(client: CodePipelineClient, name: string, id: string): Promise<readonly ActionExecutionDetail[]> {
  const all: ActionExecutionDetail[] = [];
  for await (const page of paginateListActionExecutions({ client }, { pipelineName: name, filter: { pipelineExecutionId: id } }))
    all.push(...(page.actionExecutionDetails ?? []));
  all.sort((a, b) => (b.startTime?.getTime() ?? 0) - (a.startTime?.getTime() ?? 0));
  return [...new Map(all.toReversed().map((action) => [`${action.stageName}/${action.actionName}`, action])).values()];
}

function stageOf(name: string, actions: readonly ActionExecutionDetail[]): Stage {
  const status = statusOf(actions);
  const times = (pick: (action: ActionExecutionDetail) => Date | undefined) => actions.flatMap((action) => pick(action)?.getTime() ?? []);
  const started = times((action) => action.startTime);
  const ended = times((action) => action.lastUpdateTime);
  const failed = actions.find((action) => action.status === "Failed");
  const externalId = failed?.output?.executionResult?.externalExecutionId;
  const message = failed?.output?.executionResult?.errorDetails?.message ?? (status === "waiting" ? "waits for an approver" : undefined);
  return {
    name,
    status,
    ...(started.length > 0 && { started: new Date(Math.min(...started)) }),
    ...(ended.length > 0 && ["succeeded", "failed", "stopped"].includes(status) && { ended: new Date(Math.max(...ended)) }),
    ...(message && { message }),
    ...(externalId && { externalId }),
  };
}

function statusOf(actions: readonly ActionExecutionDetail[]): StageStatus {
  if (actions.length === 0) return "pending";
  if (actions.some(({ status }) => status === "Failed")) return "failed";
  if (actions.some(({ status }) => status === "Abandoned")) return "stopped";
  const running = actions.find(({ status }) => status === "InProgress");
  if (!running) return "succeeded";
  return running.input?.actionTypeId?.category === "Approval" && !running.updatedBy ? "waiting" : "running";
}

function decisionOf({ status, updatedBy, lastUpdateTime, output }: ActionExecutionDetail): Decision | undefined {
  if (!updatedBy || !lastUpdateTime) return undefined;
  const said = output?.executionResult?.externalExecutionSummary ?? output?.outputVariables?.["comment"] ?? "";
  const rejected = status === "Failed" || (status === "InProgress" && said.startsWith("Rejected"));
  // While the pipeline takes an answer in, the summary still starts with its status.
  const comment = status === "Succeeded" ? said : said.replace(/^(Approved|Rejected)\b\s*/, "");
  return { verdict: rejected ? "rejected" : "approved", by: updatedBy, at: lastUpdateTime, comment };
}
