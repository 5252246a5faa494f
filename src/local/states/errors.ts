import { AwsError } from "../gateway/aws-error.ts";

// Codes and wordings: https://docs.aws.amazon.com/step-functions/latest/apireference/CommonErrors.html, each operation's own list, and recorded answers.
const refuse = (code: string, message: string, details?: Readonly<Record<string, unknown>>) => new AwsError(400, code, message, details);

export const stateMachineDoesNotExist = (arn: string): AwsError =>
  refuse("StateMachineDoesNotExist", `State Machine Does Not Exist: '${arn}'`);
export const stateMachineAlreadyExists = (arn: string): AwsError =>
  refuse("StateMachineAlreadyExists", `State Machine Already Exists: '${arn}'`);
export const stateMachineDeleting = (arn: string): AwsError => refuse("StateMachineDeleting", `State Machine is being deleted: '${arn}'`);
export const executionDoesNotExist = (arn: string): AwsError => refuse("ExecutionDoesNotExist", `Execution Does Not Exist: '${arn}'`);
export const executionAlreadyExists = (arn: string): AwsError => refuse("ExecutionAlreadyExists", `Execution Already Exists: '${arn}'`);
export const invalidArn = (arn: string, expected: string): AwsError =>
  refuse("InvalidArn", `Invalid Arn: '${arn}' is not the ARN of ${expected}`);
export const invalidName = (name: string): AwsError => refuse("InvalidName", `Invalid Name: '${name}'`);
export const invalidDefinition = (reason: string): AwsError => refuse("InvalidDefinition", `Invalid State Machine Definition: '${reason}'`);
export const invalidExecutionInput = (reason: string): AwsError =>
  refuse("InvalidExecutionInput", `Invalid State Machine Execution Input: '${reason}'`);
export const invalidLogging = (reason: string): AwsError =>
  refuse("InvalidLoggingConfiguration", `Invalid Logging Configuration: ${reason}`);
export const invalidOutput = (reason: string): AwsError => refuse("InvalidOutput", `Invalid Output: '${reason}'`);
export const invalidToken = (): AwsError => refuse("InvalidToken", "Invalid Token: 'Invalid token'");
export const taskTimedOut = (): AwsError => refuse("TaskTimedOut", "Task Timed Out: 'Provided task does not exist anymore'");
export const nothingToUpdate = (): AwsError =>
  refuse(
    "MissingRequiredParameter",
    "Either the definition, the role ARN, the LoggingConfiguration, or the TracingConfiguration must be specified",
  );
export const resourceNotFound = (arn: string): AwsError =>
  refuse("ResourceNotFound", `Resource not found: '${arn}'`, { resourceName: arn });
export const validation = (message: string): AwsError => refuse("ValidationException", message);
export const roleNotAssumable = (): AwsError =>
  refuse(
    "AccessDeniedException",
    "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role.",
  );
export const logDestinationDenied = (): AwsError =>
  refuse("AccessDeniedException", "The state machine IAM Role is not authorized to access the Log Destination");
export const managedRuleDenied = (roleArn: string): AwsError =>
  refuse("AccessDeniedException", `'${roleArn}' is not authorized to create managed-rule.`);
/** What AWS has and the local accounts don't. */
export const notProvided = (what: string): AwsError =>
  new AwsError(501, "NotImplemented", `the local accounts do not implement ${what} of Step Functions`);
