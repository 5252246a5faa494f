import { AwsError } from "../gateway/aws-error.ts";

const error = (code: string, message: string): AwsError => new AwsError(400, code, message);

export const noSuchKey = (id: string): AwsError => error("NotFoundException", `Key '${id}' does not exist`);
export const noSuchAlias = (arn: string): AwsError => error("NotFoundException", `Alias ${arn} is not found.`);
export const aliasExists = (arn: string): AwsError => error("AlreadyExistsException", `An alias with the name ${arn} already exists`);
export const invalidAlias = (message: string): AwsError => error("InvalidAliasNameException", message);
export const isDisabled = (arn: string): AwsError => error("DisabledException", `${arn} is disabled.`);
export const isPendingDeletion = (arn: string): AwsError => error("KMSInvalidStateException", `${arn} is pending deletion.`);
export const isNotPendingDeletion = (arn: string): AwsError => error("KMSInvalidStateException", `${arn} is not pending deletion.`);
export const invalidCiphertext = (): AwsError => error("InvalidCiphertextException", "");
export const incorrectKey = (): AwsError =>
  error("IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.");
export const malformedPolicy = (message: string): AwsError => error("MalformedPolicyDocumentException", message);
export const policyTooLarge = (most: number): AwsError =>
  error("LimitExceededException", `The key policy exceeds the limit of ${most} bytes.`);
export const lockedOut = (): AwsError => malformedPolicy("The new key policy will not allow you to update the key policy in the future.");
export const validation = (message: string): AwsError => error("ValidationException", message);
export const isAwsManaged = (arn: string): AwsError => error("AccessDeniedException", `${arn} is managed by AWS and can't be changed.`);
export const invalidMarker = (): AwsError => error("InvalidMarkerException", "The marker is not valid.");
export const unsupported = (what: string): AwsError => new AwsError(501, "NotImplemented", `the local accounts do not implement ${what}`);
