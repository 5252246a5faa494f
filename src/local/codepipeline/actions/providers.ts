import type { ActionContext, ActionOutcome } from "../action.ts";
import { manualApproval } from "./approval.ts";
import { codeBuild } from "./build.ts";
import { lambdaInvoke } from "./function.ts";
import { codeCommitSource, connectionSource } from "./git-source.ts";
import { s3Source } from "./s3-source.ts";
import { stepFunctions } from "./step-functions.ts";

export type Provider = (context: ActionContext) => Promise<ActionOutcome>;

/** Actions by category and provider. */
export const PROVIDERS: Readonly<Record<string, Provider>> = {
  "Source/CodeCommit": codeCommitSource,
  "Source/S3": s3Source,
  "Source/CodeStarSourceConnection": connectionSource,
  "Build/CodeBuild": codeBuild,
  "Test/CodeBuild": codeBuild,
  "Invoke/StepFunctions": stepFunctions,
  "Invoke/Lambda": lambdaInvoke,
  "Approval/Manual": manualApproval,
};
