import { AwsError } from "../gateway/aws-error.ts";

const error =
  (code: string) =>
  (message: string): AwsError =>
    new AwsError(400, code, message);

export const validation = error("ValidationException");
export const notFound = (): AwsError => new AwsError(400, "ParameterNotFound", "");
export const versionNotFound = (name: string, version: string): AwsError =>
  error("ParameterVersionNotFound")(`Systems Manager could not find version ${version} of ${name}. Verify the version and try again.`);
export const alreadyExists = (): AwsError =>
  error("ParameterAlreadyExists")(
    "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
  );
export const typeMismatch = (): AwsError =>
  error("ValidationException")("You can't change the type of an existing parameter. Delete it and make it anew.");
export const patternMismatch = (pattern: string): AwsError =>
  error("ParameterPatternMismatchException")(`Parameter value, cannot be validated against allowedPattern: ${pattern}`);
export const invalidPattern = error("InvalidAllowedPatternException");
export const reservedName = (name: string): AwsError => error("AccessDeniedException")(`No access to reserved parameter name: ${name}.`);
export const tooManyVersions = (name: string): AwsError =>
  error("ParameterMaxVersionLimitExceeded")(
    `You attempted to create a new version of ${name} by calling the PutParameter API with the overwrite flag. Version 1 of the parameter is labelled; move its labels first.`,
  );
export const invalidNextToken = (): AwsError => error("InvalidNextToken")("The specified token is not valid.");
export const invalidResourceId = (): AwsError => error("InvalidResourceId")("");
export const invalidResourceType = (): AwsError => error("InvalidResourceType")("");
export const labelTaken = (): AwsError => error("ParameterVersionLabelLimitExceeded")("A version can have at most ten labels.");
