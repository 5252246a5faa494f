import { AwsError } from "../gateway/aws-error.ts";

export const validationError = (message: string): AwsError => new AwsError(400, "ValidationError", message);

export const malformedPolicy = (message: string): AwsError => new AwsError(400, "MalformedPolicyDocument", message);

export const packedPolicyTooLarge = (percent: number): AwsError =>
  new AwsError(400, "PackedPolicyTooLarge", `Packed policy consumes ${percent}% of allotted space, please use smaller policy.`);

export const rootAssumesNoRole = (): AwsError => new AwsError(403, "AccessDenied", "Roles may not be assumed by root accounts.");

export const sessionGetsNoSession = (): AwsError =>
  new AwsError(403, "AccessDenied", "Cannot call GetSessionToken with session credentials");

export const transitiveTagTaken = (key: string): AwsError =>
  new AwsError(
    400,
    "InvalidParameterValue",
    `One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session. ("${key}")`,
  );

export const sourceIdentityFixed = (): AwsError =>
  new AwsError(403, "AccessDenied", "The source identity of a session can't be changed by a session assumed from it.");
