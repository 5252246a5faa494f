import {
  type ActionExecutionDetail,
  ActionExecutionStatus,
  type CodePipelineClient,
  paginateListActionExecutions,
} from "@aws-sdk/client-codepipeline";
import { ReleaseError } from "../errors.ts";
import { NAMES, pipelineName } from "../names.ts";

/** Who let a release through, when and why. */
export interface Approval {
  /** The ARN of the person. */
  readonly by: string;
  /** ISO time. */
  readonly at: string;
  readonly comment: string;
}

/** What somebody wants to release: the execution that built it, and what it is. */
export interface Approvable {
  readonly workflow: string;
  readonly pipelineExecutionId: string;
  /** contentDigest of its record. */
  readonly content: string;
  /** Who is said to have approved it, if somebody is: the ARN of a person. */
  readonly approvedBy?: string;
}

const AGAIN = "promote the release again by `omx release retry`; nothing but what was approved is released";

/**
 * The approval of what one pipeline execution built, from CodePipeline's own record: who approved saw what the Build
 * action made, and that action's output variable names it (decision 0026).
 * @throws ReleaseError NotApproved when nobody approved the execution, somebody rejected it, somebody else
 * approved it, or it built something else
 */
export async function findApproval(
  codepipeline: CodePipelineClient,
  { workflow, pipelineExecutionId, content, approvedBy }: Approvable,
): Promise<Approval> {
  const actions = await readActions(codepipeline, workflow, pipelineExecutionId);
  const execution = `execution ${pipelineExecutionId} of ${pipelineName(workflow)}`;
  const latest = latestOf(actions, NAMES.approvalStage, NAMES.approvalAction);
  const by = latest?.updatedBy;
  if (latest?.status !== ActionExecutionStatus.Succeeded || !by)
    throw notApproved(
      `${execution} is not approved${latest ? ` (the approval is ${latest.status})` : ""}`,
      "have an approver look at the evidence and approve it; nothing else releases",
    );
  if (approvedBy !== undefined && approvedBy !== by)
    throw notApproved(`the bundle says ${approvedBy} approved it; CodePipeline says ${by}`, AGAIN);
  const built = latestOf(actions, NAMES.buildStage, NAMES.buildAction)?.output?.outputVariables?.[NAMES.contentVariable];
  if (built !== content)
    throw notApproved(
      `${by} approved what ${execution} built, ${built ?? "which has no digest"}, and this is ${content}`,
      built ? AGAIN : "deploy omx, then push again: an older omx built it",
    );
  return { by, at: (latest.lastUpdateTime ?? latest.startTime ?? new Date(0)).toISOString(), comment: commentOf(latest) };
}

async function readActions(
  codepipeline: CodePipelineClient,
  workflow: string,
  pipelineExecutionId: string,
): Promise<readonly ActionExecutionDetail[]> {
  const of = { pipelineName: pipelineName(workflow), filter: { pipelineExecutionId } };
  const actions: ActionExecutionDetail[] = [];
  for await (const page of paginateListActionExecutions({ client: codepipeline }, of)) actions.push(...(page.actionExecutionDetails ?? []));
  return actions;
}

const commentOf = ({ output }: ActionExecutionDetail): string =>
  output?.executionResult?.externalExecutionSummary ?? output?.outputVariables?.["comment"] ?? "";

const latestOf = (actions: readonly ActionExecutionDetail[], stage: string, action: string): ActionExecutionDetail | undefined =>
  actions
    .filter(({ stageName, actionName }) => stageName === stage && actionName === action)
    .sort((a, b) => (b.startTime?.getTime() ?? 0) - (a.startTime?.getTime() ?? 0))[0];

const notApproved = (says: string, fix: string): ReleaseError => new ReleaseError("NotApproved", { says, fix, blame: "user" });
