import { AwsError } from "../gateway/aws-error.ts";
import { validationError } from "./engine/errors.ts";

/** DescribeStacks and most others. */
export const stackWithIdMissing = (name: string): AwsError => validationError(`Stack with id ${name} does not exist`);

/** DescribeStackEvents and the operations that change a stack. */
export const stackMissing = (name: string): AwsError => validationError(`Stack [${name}] does not exist`);

export const stackExists = (name: string): AwsError => new AwsError(400, "AlreadyExistsException", `Stack [${name}] already exists`);

export const changeSetExists = (name: string): AwsError => new AwsError(400, "AlreadyExistsException", `ChangeSet ${name} already exists`);

export const changeSetMissing = (name: string): AwsError => new AwsError(404, "ChangeSetNotFound", `ChangeSet [${name}] does not exist`);

export const changeSetStatus = (id: string, status: string): AwsError =>
  new AwsError(400, "InvalidChangeSetStatus", `ChangeSet [${id}] cannot be executed in its current status of [${status}]`);

/** A member of a request that would change what happens, and that is not there. */
export const notAvailable = (member: string): AwsError => validationError(`${member} is not available in the local accounts.`);
