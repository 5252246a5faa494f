import { AwsError } from "../gateway/aws-error.ts";

// Codes, statuses and wordings: https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html and each operation's own list.
const User = { Type: "User" };

export const functionNotFound = (arn: string): AwsError =>
  new AwsError(404, "ResourceNotFoundException", `Function not found: ${arn}`, User);
export const functionExists = (name: string): AwsError =>
  new AwsError(409, "ResourceConflictException", `Function already exist: ${name}`, User);
export const layerNotFound = (arn: string): AwsError =>
  new AwsError(404, "ResourceNotFoundException", `Layer version ${arn} does not exist.`, User);
export const noPolicy = (): AwsError => new AwsError(404, "ResourceNotFoundException", "The resource you requested does not exist.", User);
export const statementNotFound = (sid: string): AwsError =>
  new AwsError(404, "ResourceNotFoundException", `Statement ${sid} is not found in resource policy.`, User);
export const statementExists = (sid: string): AwsError =>
  new AwsError(
    409,
    "ResourceConflictException",
    `The statement id (${sid}) provided already exists. Please provide a new statement id, or remove the existing statement.`,
    User,
  );
export const invalidValue = (message: string): AwsError => new AwsError(400, "InvalidParameterValueException", message, User);
export const validation = (message: string): AwsError =>
  new AwsError(400, "ValidationException", `1 validation error detected: ${message}`);
export const notAssumable = (): AwsError => invalidValue("The role defined for the function cannot be assumed by Lambda.");
export const badPackage = (): AwsError => invalidValue("Could not unzip uploaded file. Please check your file, then try to upload again.");
export const unzippedTooLarge = (limit: number): AwsError => invalidValue(`Unzipped size must be smaller than ${limit} bytes`);
export const badPayload = (reason: string): AwsError =>
  new AwsError(400, "InvalidRequestContentException", `Could not parse request body into json: ${reason}`, User);
export const payloadTooLarge = (bytes: number, limit: number): AwsError =>
  new AwsError(
    413,
    "RequestTooLargeException",
    `${bytes} byte payload is too large for the RequestResponse invocation type (limit ${limit} bytes)`,
    User,
  );
export const staleRevision = (): AwsError =>
  new AwsError(
    412,
    "PreconditionFailedException",
    "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
    User,
  );
export const throttled = (): AwsError =>
  new AwsError(429, "TooManyRequestsException", "Rate Exceeded.", {
    Reason: "ReservedFunctionConcurrentInvocationLimitExceeded",
    Type: "User",
  });
/** The program of a runtime can't be had on this machine. */
export const cannotRun = (error: unknown): AwsError =>
  new AwsError(502, "InvalidRuntimeException", error instanceof Error ? error.message : String(error), User);
/** What AWS has and the local accounts don't. */
export const notProvided = (what: string): AwsError =>
  new AwsError(501, "NotImplemented", `the local accounts do not implement ${what} of Lambda`);
