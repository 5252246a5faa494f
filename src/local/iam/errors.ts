import { AwsError } from "../gateway/aws-error.ts";

const noSuchEntity = (message: string): AwsError => new AwsError(404, "NoSuchEntity", message);
const alreadyExists = (message: string): AwsError => new AwsError(409, "EntityAlreadyExists", message);
const deleteConflict = (message: string): AwsError => new AwsError(409, "DeleteConflict", message);
const limitExceeded = (message: string): AwsError => new AwsError(409, "LimitExceeded", message);

export const noSuchRole = (name: string): AwsError => noSuchEntity(`The role with name ${name} cannot be found.`);
export const noSuchUser = (name: string): AwsError => noSuchEntity(`The user with name ${name} cannot be found.`);
export const noSuchPolicy = (arn: string): AwsError => noSuchEntity(`Policy ${arn} was not found.`);
export const notAttachable = (arn: string): AwsError => noSuchEntity(`Policy ${arn} does not exist or is not attachable.`);
export const notAttached = (arn: string): AwsError => noSuchEntity(`Policy ${arn} was not found.`);
export const noSuchVersion = (arn: string, version: string): AwsError =>
  noSuchEntity(`Policy ${arn} version ${version} does not exist or is not attachable.`);
export const noSuchInlinePolicy = (kind: string, name: string): AwsError =>
  noSuchEntity(`The ${kind} policy with name ${name} cannot be found.`);
export const noSuchAccessKey = (id: string): AwsError => noSuchEntity(`The Access Key with id ${id} cannot be found.`);

export const roleExists = (name: string): AwsError => alreadyExists(`Role with name ${name} already exists.`);
export const userExists = (name: string): AwsError => alreadyExists(`User with name ${name} already exists.`);
export const policyExists = (name: string): AwsError =>
  alreadyExists(`A policy called ${name} already exists. Duplicate names are not allowed.`);

export const hasAttached = (): AwsError => deleteConflict("Cannot delete entity, must detach all policies first.");
export const hasInline = (): AwsError => deleteConflict("Cannot delete entity, must delete policies first.");
export const hasAccessKeys = (): AwsError => deleteConflict("Cannot delete entity, must delete access keys first.");
export const isAttached = (): AwsError => deleteConflict("Cannot delete a policy attached to entities.");
export const hasVersions = (): AwsError =>
  deleteConflict(
    "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
  );
export const isDefaultVersion = (): AwsError => deleteConflict("Cannot delete the default version of a policy.");

export const tooManyVersions = (): AwsError =>
  limitExceeded("A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.");
export const quotaExceeded = (name: string, quota: number): AwsError => limitExceeded(`Cannot exceed quota for ${name}: ${quota}`);
export const inlineTooLarge = (kind: string, name: string, quota: number): AwsError =>
  limitExceeded(`Maximum policy size of ${quota} bytes exceeded for ${kind} ${name}`);

export const malformedPolicy = (message: string): AwsError => new AwsError(400, "MalformedPolicyDocument", message);
export const validationError = (message: string): AwsError => new AwsError(400, "ValidationError", message);
export const invalidInput = (message: string): AwsError => new AwsError(400, "InvalidInput", message);

/** A parameter that asks for something the local accounts do not have: accepting it would pretend. */
export const notOffered = (parameter: string, what: string): AwsError =>
  new AwsError(501, "NotImplemented", `the local accounts have no ${what}: leave ${parameter} out`);
