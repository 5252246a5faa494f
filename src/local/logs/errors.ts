import { AwsError } from "../gateway/aws-error.ts";

export const groupExists = (): AwsError => new AwsError(400, "ResourceAlreadyExistsException", "The specified log group already exists");
export const streamExists = (): AwsError => new AwsError(400, "ResourceAlreadyExistsException", "The specified log stream already exists");
export const noSuchGroup = (): AwsError => new AwsError(400, "ResourceNotFoundException", "The specified log group does not exist.");
export const noSuchStream = (): AwsError => new AwsError(400, "ResourceNotFoundException", "The specified log stream does not exist.");
export const invalidParameter = (message: string): AwsError => new AwsError(400, "InvalidParameterException", message);
export const keyRefused = (keyId: string, why: string): AwsError =>
  invalidParameter(`The specified KMS key does not exist or is not allowed to be used with LogGroup. (${keyId}: ${why})`);
export const invalidToken = (): AwsError => invalidParameter("The specified nextToken is invalid.");
export const groupIsProtected = (): AwsError => new AwsError(400, "ValidationException", "The log group has deletion protection enabled.");
