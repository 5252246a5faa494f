import { AwsError } from "../../gateway/aws-error.ts";

/** A refusal in CloudFormation's own words. The service has one code for nearly everything. */
export const validationError = (message: string): AwsError => new AwsError(400, "ValidationError", message);

/** What is wrong with the template's text or structure. */
export const formatError = (message: string): AwsError => validationError(`Template format error: ${message}`);

/** What is wrong with an expression in the template. */
export const templateError = (message: string): AwsError => validationError(`Template error: ${message}`);

/** The caller did not acknowledge what the template can do. */
export const insufficientCapabilities = (needed: readonly string[]): AwsError =>
  new AwsError(400, "InsufficientCapabilitiesException", `Requires capabilities : [${needed.join(", ")}]`);
