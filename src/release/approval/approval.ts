import { type CodePipelineClient, paginateListActionExecutions, type ActionExecutionDetail } from "@aws-sdk/client-codepipeline";
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

/**
 * The approval of one pipeline execution, from CodePipeline's own record.
 * @throws ReleaseError NotApproved when nobody approved it, or somebody rejected it
 */
export async function findApproval(codepipeline: CodePipelineClient, workflow: string, pipelineExecutionId: string): Promise<Approval> {
  const details: ActionExecutionDetail[] = [];
  const pages = paginateListActionExecutions({ client: codepipeline }, { pipelineName: pipelineName(workflow), filter: { pipelineExecutionId } });
  for await (const page of pages) details.push(...(page.actionExecutionDetails ?? []));
  const asked = details.filter(({ stageName, actionName }) => stageName === NAMES.approvalStage && actionName === NAMES.approvalAction);
  const [latest] = asked.sort((a, b) => (b.startTime?.getTime() ?? 0) - (a.startTime?.getTime() ?? 0));
  const by = latest?.updatedBy;
  if (latest?.status !== "Succeeded" || !by)
    throw new ReleaseError("NotApproved", {
      says: `execution ${pipelineExecutionId} of ${pipelineName(workflow)} is not approved${latest ? ` (the approval is ${latest.status})` : ""}`,
      fix: "have an approver look at the evidence and approve it; nothing else releases",
      blame: "user",
    });
  const comment = latest.output?.executionResult?.externalExecutionSummary ?? latest.output?.outputVariables?.["comment"] ?? "";
  return { by, at: (latest.lastUpdateTime ?? latest.startTime ?? new Date(0)).toISOString(), comment };
}
