import { AwsError } from "../gateway/aws-error.ts";

export const pipelineNotFound = (name: string, account: string): AwsError =>
  new AwsError(400, "PipelineNotFoundException", `Account '${account}' does not have a pipeline with name '${name}'`);
export const pipelineNameInUse = (name: string): AwsError =>
  new AwsError(
    400,
    "PipelineNameInUseException",
    `A pipeline with the name '${name}' already exists in this account. Choose a different name`,
  );
export const executionNotFound = (id: string): AwsError =>
  new AwsError(400, "PipelineExecutionNotFoundException", `The pipeline execution ${id} was not found`);
export const stageNotFound = (name: string): AwsError => new AwsError(400, "StageNotFoundException", `The stage ${name} was not found`);
export const actionNotFound = (name: string): AwsError => new AwsError(400, "ActionNotFoundException", `The action ${name} was not found`);
export const stageNotRetryable = (why: string): AwsError => new AwsError(400, "StageNotRetryableException", why);
export const notLatest = (why: string): AwsError => new AwsError(400, "NotLatestPipelineExecutionException", why);
export const notStoppable = (why: string): AwsError => new AwsError(400, "PipelineExecutionNotStoppableException", why);
export const invalidApprovalToken = (): AwsError =>
  new AwsError(
    400,
    "InvalidApprovalTokenException",
    "The approval token does not match the one of the approval that is waiting; read it with get-pipeline-state",
  );
export const approvalCompleted = (): AwsError =>
  new AwsError(400, "ApprovalAlreadyCompletedException", "The approval action has already been approved or rejected");
export const invalidStructure = (why: string): AwsError => new AwsError(400, "InvalidStructureException", why);
export const invalidRequest = (why: string): AwsError => new AwsError(400, "ValidationException", why);
export const jobNotFound = (id: string): AwsError => new AwsError(400, "JobNotFoundException", `Can't find job with id ${id}`);
