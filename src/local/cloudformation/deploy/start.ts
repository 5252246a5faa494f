import type { Principal } from "../../authorization/principal.ts";
import { validationError } from "../engine/errors.ts";
import { isRunning } from "../store.ts";
import { checkExportsUnused } from "./exports.ts";
import { type Journal, setStatus } from "./journal.ts";
import type { DeleteRequest, Deployment, OnFailure, Operation, StackRecord } from "./records.ts";

/** What an update or a creation is begun with. */
export interface DeployRequest {
  readonly deployment: Deployment;
  readonly principal: Principal;
  readonly onFailure: OnFailure;
  readonly retainsExceptOnCreate?: boolean;
  readonly importsExisting?: boolean;
  readonly clientRequestToken?: string;
  readonly changeSetId?: string;
}

const fresh = { stage: "APPLY", isStopped: false, retain: [], skip: [] } as const;

function operationOf(stack: StackRecord, request: DeployRequest): Omit<Operation, "kind"> {
  const { deployment, principal, onFailure, clientRequestToken, retainsExceptOnCreate = false, importsExisting = false } = request;
  return {
    ...fresh,
    retainsExceptOnCreate,
    importsExisting,
    number: stack.operations + 1,
    target: deployment,
    onFailure,
    principal,
    tags: deployment.tags,
    ...(deployment.roleArn !== undefined && { roleArn: deployment.roleArn }),
    ...(clientRequestToken !== undefined && { clientRequestToken }),
  };
}

/** Begins the creation of a stack; the caller then sees to it that the operation is carried out. */
export function startCreation(journal: Journal, stack: StackRecord, request: DeployRequest): StackRecord {
  const operation: Operation = { ...operationOf(stack, request), kind: "CREATE" };
  return setStatus(journal, stack, {
    status: "CREATE_IN_PROGRESS",
    reason: "User Initiated",
    operation,
    operations: operation.number,
    deployment: request.deployment,
    disableRollback: request.onFailure === "DO_NOTHING",
    ...(request.changeSetId !== undefined && { changeSetId: request.changeSetId }),
  });
}

const UPDATABLE = new Set(["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "UPDATE_FAILED"]);

/** @throws AwsError ValidationError where the stack's state lets nobody update it */
export function checkUpdatable(stack: StackRecord): void {
  if (!UPDATABLE.has(stack.status)) throw validationError(`Stack:${stack.id} is in ${stack.status} state and can not be updated.`);
}

/** Begins an update. One that follows a failed update without rollback can still be rolled back to the last whole state. */
export function startUpdate(journal: Journal, stack: StackRecord, request: DeployRequest): StackRecord {
  checkUpdatable(stack);
  const { previous = stack.deployment, before = resourcesBefore(journal, stack) } = stack.operation ?? {};
  const operation: Operation = { ...operationOf(stack, request), kind: "UPDATE", previous, before };
  return setStatus(journal, stack, {
    status: "UPDATE_IN_PROGRESS",
    reason: "User Initiated",
    operation,
    operations: operation.number,
    updated: journal.clock.now().toISOString(),
    disableRollback: request.onFailure === "DO_NOTHING",
    ...(request.changeSetId !== undefined && { changeSetId: request.changeSetId }),
  });
}

const resourcesBefore = ({ store }: Journal, stack: StackRecord) =>
  Object.fromEntries(store.resources.list(stack.id).map((record) => [record.logicalId, record]));

/**
 * Begins the deletion of a stack, or notes it where a creation is still under way. A stack whose exports others import
 * stays as it is; an event says why.
 * @throws AwsError ValidationError where the stack's state lets nobody delete it
 */
export function startDeletion(journal: Journal, stack: StackRecord, request: DeleteRequest): void {
  if (stack.status === "DELETE_IN_PROGRESS") return;
  if (isRunning(stack) && !stack.operation?.superseded) return supersede(journal, stack, request);
  try {
    checkExportsUnused(journal.store, stack);
  } catch (error) {
    setStatus(journal, stack, { status: stack.status, reason: (error as Error).message });
    return;
  }
  const { principal, retain, roleArn = stack.deployment.roleArn, clientRequestToken } = request;
  const operation: Operation = {
    ...fresh,
    kind: "DELETE",
    stage: "DELETE",
    number: stack.operations + 1,
    onFailure: "DO_NOTHING",
    principal,
    retain,
    tags: stack.deployment.tags,
    ...(roleArn !== undefined && { roleArn }),
    ...(clientRequestToken !== undefined && { clientRequestToken }),
  };
  setStatus(journal, stack, { status: "DELETE_IN_PROGRESS", reason: "User Initiated", operation, operations: operation.number });
}

function supersede({ store }: Journal, stack: StackRecord, superseded: DeleteRequest): void {
  const { operation } = stack;
  if (!operation || operation.stage !== "APPLY" || operation.kind !== "CREATE")
    throw validationError(`Stack [${stack.id}] cannot be deleted while in status ${stack.status}`);
  store.stacks.put({ ...stack, operation: { ...operation, superseded } });
}

/** An update on its way back, with the tags of the state it goes back to. */
export const restoring = (operation: Operation): Operation => ({
  ...operation,
  stage: "RESTORE",
  isStopped: false,
  tags: operation.previous?.tags ?? operation.tags,
});

/**
 * Goes back to the last whole state of a stack whose creation or update failed and was left as it is.
 * @throws AwsError ValidationError in any other state
 */
export function startRollback(
  journal: Journal,
  stack: StackRecord,
  request: { readonly principal: Principal; readonly roleArn?: string; readonly clientRequestToken?: string },
): void {
  const { operation } = stack;
  const stage = { CREATE_FAILED: "UNDO", UPDATE_FAILED: "RESTORE" } as const;
  if (!operation || (stack.status !== "CREATE_FAILED" && stack.status !== "UPDATE_FAILED"))
    throw validationError(`Stack:${stack.id} is in ${stack.status} state and can not be rolled back.`);
  const status = stack.status === "CREATE_FAILED" ? "ROLLBACK_IN_PROGRESS" : "UPDATE_ROLLBACK_IN_PROGRESS";
  const next: Operation = { ...restoring(operation), ...request, stage: stage[stack.status] };
  setStatus(journal, stack, { status, reason: "User Initiated", operation: next });
}

/**
 * Goes on with a rollback that failed.
 * @throws AwsError ValidationError in any other state than UPDATE_ROLLBACK_FAILED
 */
export function continueRollback(
  journal: Journal,
  stack: StackRecord,
  request: {
    readonly principal: Principal;
    readonly roleArn?: string;
    readonly clientRequestToken?: string;
    readonly skip: readonly string[];
  },
): void {
  const { operation } = stack;
  if (!operation || stack.status !== "UPDATE_ROLLBACK_FAILED")
    throw validationError(`Stack:${stack.id} is in ${stack.status} state and can not be updated.`);
  // A new number: what failed is tried again, with tokens of its own.
  const number = stack.operations + 1;
  setStatus(journal, stack, {
    status: "UPDATE_ROLLBACK_IN_PROGRESS",
    reason: "User Initiated",
    operations: number,
    operation: { ...operation, ...request, number, isStopped: false },
  });
}
