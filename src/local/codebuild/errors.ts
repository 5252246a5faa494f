import { AwsError } from "../gateway/aws-error.ts";

export const projectNotFound = (name: string): AwsError =>
  new AwsError(400, "ResourceNotFoundException", `Project cannot be found: ${name}`);
export const buildNotFound = (id: string): AwsError => new AwsError(400, "ResourceNotFoundException", `Build not found: ${id}`);
export const projectExists = (name: string): AwsError =>
  new AwsError(400, "ResourceAlreadyExistsException", `Project already exists: ${name}`);
export const invalidInput = (why: string): AwsError => new AwsError(400, "InvalidInputException", why);
