import { ApprovalStatus, PutApprovalResultCommand } from "@aws-sdk/client-codepipeline";
import type { AwsClients } from "../aws/clients.ts";
import { NAMES, pipelineName } from "../release/names.ts";
import { ConsoleError } from "./errors.ts";
import type { ReleaseKey } from "./read/release.ts";
import { readProgress } from "./read/stages.ts";

/** CodePipeline's limit for the summary of an approval, in characters. */
export const COMMENT_LIMIT = 512;

/** Approves or rejects the release whose approval waits. @throws ConsoleError where none waits; the SDK's AccessDeniedException and others */
export async function decide(
  { codepipeline }: AwsClients,
  { workflow, id }: ReleaseKey,
  { verdict, comment }: { readonly verdict: string; readonly comment: string },
): Promise<void> {
  if (verdict !== "approve" && verdict !== "reject") throw new ConsoleError(400, "Choose to approve or to reject.");
  if (comment.trim() === "") throw new ConsoleError(400, "Say why: the comment stays in the record of the release.");
  if (comment.length > COMMENT_LIMIT)
    throw new ConsoleError(400, `The comment has ${comment.length} characters; CodePipeline keeps at most ${COMMENT_LIMIT}.`);
  const { token, decision } = await readProgress(codepipeline, workflow, id);
  if (decision) throw new ConsoleError(409, `This release was ${decision.verdict} by ${decision.by} already.`);
  if (!token) throw new ConsoleError(409, "This release does not wait for an approval.");
  const status = verdict === "approve" ? ApprovalStatus.Approved : ApprovalStatus.Rejected;
  await codepipeline.send(
    new PutApprovalResultCommand({
      pipelineName: pipelineName(workflow),
      stageName: NAMES.approvalStage,
      actionName: NAMES.approvalAction,
      token,
      result: { status, summary: comment.trim() },
    }),
  );
}
