import { AwsError } from "../gateway/aws-error.ts";

// Codes and wordings: https://docs.aws.amazon.com/eventbridge/latest/APIReference/CommonErrors.html and each operation's own list.
export const ruleNotFound = (name: string): AwsError =>
  new AwsError(400, "ResourceNotFoundException", `Rule ${name} does not exist on EventBus default.`);
export const busNotFound = (name: string): AwsError => new AwsError(400, "ResourceNotFoundException", `Event bus ${name} does not exist.`);
export const resourceNotFound = (arn: string): AwsError =>
  new AwsError(400, "ResourceNotFoundException", `The resource ${arn} does not exist.`);
export const invalidPattern = (reason: string): AwsError =>
  new AwsError(400, "InvalidEventPatternException", `Event pattern is not valid. Reason: ${reason}`);
export const validation = (message: string): AwsError => new AwsError(400, "ValidationException", message);
export const limitExceeded = (message: string): AwsError => new AwsError(400, "LimitExceededException", message);
/** What AWS has and the local accounts don't. */
export const notProvided = (what: string): AwsError =>
  new AwsError(501, "NotImplemented", `the local accounts do not implement ${what} of EventBridge`);
