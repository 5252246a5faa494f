import { AwsError } from "../gateway/aws-error.ts";

const error =
  (code: string) =>
  (message: string): AwsError =>
    new AwsError(400, code, message);

export const invalidParameter = error("InvalidParameterException");
export const notFound = (): AwsError => error("ResourceNotFoundException")("Secrets Manager can't find the specified secret.");
export const versionNotFound = (which: string): AwsError =>
  error("ResourceNotFoundException")(`Secrets Manager can't find the specified secret value for ${which}`);
export const alreadyExists = (name: string): AwsError =>
  error("ResourceExistsException")(`The operation failed because the secret ${name} already exists.`);
export const versionExists = (id: string): AwsError =>
  error("ResourceExistsException")(
    `You can't use ClientRequestToken ${id} because that value is already in use for a version of this secret.`,
  );
export const markedForDeletion = (): AwsError =>
  error("InvalidRequestException")("You can't perform this operation on the secret because it was marked for deletion.");
