import type { StackStatus } from "@aws-sdk/client-cloudformation";
import { applyDeployment, type Failure } from "./apply.ts";
import { type Disposal, dispose, isKeptByRollback, leftoverDisposal, recordDisposal } from "./dispose.ts";
import { exportOutputs, forgetNames, outputsOf, registerImports } from "./exports.ts";
import { setStatus, type StackChange } from "./journal.ts";
import { failureReason, stackReason } from "./reasons.ts";
import type { Deployment, Operation, ResourceRecord, Stage } from "./records.ts";
import { type Deployer, openRun, preparedOf, type Run } from "./run.ts";
import { restoring, startDeletion } from "./start.ts";

/**
 * Carries out the operation of a stack, from wherever it stands, until it has ended or stopped. The journal in the store
 * makes it safe to be killed at any moment and called again.
 * @throws the signal's reason when it aborts; the operation then goes on at the next start
 */
export async function carryOutOperation(deployer: Deployer, stackId: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const operation = deployer.store.stacks.get(stackId)?.operation;
    if (!operation || operation.isStopped) return;
    const run = openRun(deployer, stackId, signal);
    try {
      await STAGES[operation.stage](run);
    } catch (error) {
      if (signal.aborted) throw error;
      breakDown(run, error);
      throw error;
    }
  }
}

const STAGES: Readonly<Record<Stage, (run: Run) => Promise<void>>> = {
  APPLY: apply,
  CLEANUP: cleanUp,
  RESTORE: restore,
  RESTORE_CLEANUP: cleanUpRestored,
  UNDO: undo,
  DELETE: deleteAll,
};

const moved = (operation: Operation, stage: Stage): Operation => ({ ...operation, stage, isStopped: false });
const stopped = (operation: Operation): Operation => ({ ...operation, isStopped: true });

function targetOf({ target }: Operation): Deployment {
  if (!target) throw new Error("an operation without a target can't be applied");
  return target;
}

/** A new status, and the operation as it goes on (undefined: it has ended). */
function turn(run: Run, status: StackStatus, change: Omit<StackChange, "status"> & { readonly reason?: string }): void {
  run.store.transaction(() => {
    setStatus(run, run.stack(), { ...change, status });
    if ("operation" in change && change.operation === undefined) run.store.steps.clear(run.stackId);
  });
}

async function apply(run: Run): Promise<void> {
  const operation = run.operation();
  const prepared = preparedOrReason(run, targetOf(operation));
  if (typeof prepared === "string") return turnBack(run, prepared);
  registerImports(run.store, run.stack(), { prepared, isFinal: false });
  const failures = await applyDeployment(run, "APPLY", targetOf(operation));
  const { superseded } = run.operation();
  if (superseded) return startDeletion(run, run.stack(), superseded);
  if (failures.length > 0) return turnBack(run, failedReason(failures));
  try {
    run.store.transaction(() => succeed(run));
  } catch (error) {
    turnBack(run, failureReason(error, ""));
  }
}

function preparedOrReason(run: Run, deployment: Deployment): ReturnType<typeof preparedOf> | string {
  try {
    return preparedOf(run, deployment);
  } catch (error) {
    return failureReason(error, "");
  }
}

/** Every resource is there: outputs and exports, then the next stage. */
function succeed(run: Run): void {
  const operation = run.operation();
  const target = targetOf(operation);
  const prepared = preparedOf(run, target);
  const outputs = outputsOf(run, prepared);
  exportOutputs(run.store, run.stack(), outputs);
  registerImports(run.store, run.stack(), { prepared, isFinal: true });
  const now = run.clock.now().toISOString();
  if (operation.kind === "CREATE") return turn(run, "CREATE_COMPLETE", { operation: undefined, outputs, deployment: target });
  return turn(run, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", {
    operation: moved(operation, "CLEANUP"),
    outputs,
    deployment: target,
    updated: now,
  });
}

const failedReason = (failures: readonly Failure[]): string => stackReason(failures);

/** Something failed: roll back, delete, or leave it as it is. */
function turnBack(run: Run, reason: string): void {
  const operation = run.operation();
  const isUpdate = operation.kind === "UPDATE";
  if (operation.onFailure === "DO_NOTHING")
    return turn(run, isUpdate ? "UPDATE_FAILED" : "CREATE_FAILED", { operation: stopped(operation), reason });
  if (isUpdate) return turn(run, "UPDATE_ROLLBACK_IN_PROGRESS", { operation: restoring(operation), reason });
  if (operation.onFailure === "DELETE")
    return turn(run, "DELETE_IN_PROGRESS", { operation: moved(operation, "DELETE"), reason: `${reason} Delete requested by user.` });
  return turn(run, "ROLLBACK_IN_PROGRESS", { operation: moved(operation, "UNDO"), reason: `${reason} Rollback requested by user.` });
}

async function cleanUp(run: Run): Promise<void> {
  const { instance } = preparedOf(run, targetOf(run.operation()));
  const removed = run.store.resources.list(run.stackId).filter(({ logicalId }) => !(logicalId in instance.resources));
  const disposals = removed.map((record) => recordDisposal(record, record.deletionPolicy !== "Delete"));
  await dispose(run, { stage: "CLEANUP", disposals: [...disposals, ...leftovers(run)], isForgetting: true });
  turn(run, "UPDATE_COMPLETE", { operation: undefined });
}

const leftovers = (run: Run): readonly Disposal[] => run.store.leftovers.list(run.stackId).map(leftoverDisposal);

async function restore(run: Run): Promise<void> {
  const operation = run.operation();
  const { previous } = operation;
  if (!previous) throw new Error("an update without a previous deployment can't be rolled back");
  const prepared = preparedOrReason(run, previous);
  if (typeof prepared === "string") return turn(run, "UPDATE_ROLLBACK_FAILED", { operation: stopped(operation), reason: prepared });
  const failures = await applyDeployment(run, "RESTORE", previous);
  if (failures.length > 0) return turn(run, "UPDATE_ROLLBACK_FAILED", { operation: stopped(operation), reason: failedReason(failures) });
  return turn(run, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", { operation: moved(operation, "RESTORE_CLEANUP") });
}

async function cleanUpRestored(run: Run): Promise<void> {
  const { before = {}, previous } = run.operation();
  const added = run.store.resources.list(run.stackId).filter(({ logicalId }) => !(logicalId in before));
  const disposals = added.map((record) => recordDisposal(record, isKeptByRollback(run.operation(), record.deletionPolicy)));
  await dispose(run, { stage: "RESTORE_CLEANUP", disposals: [...disposals, ...leftovers(run)], isForgetting: true });
  run.store.transaction(() => {
    if (previous) registerImports(run.store, run.stack(), { prepared: preparedOf(run, previous), isFinal: true });
    turn(run, "UPDATE_ROLLBACK_COMPLETE", { operation: undefined });
  });
}

async function undo(run: Run): Promise<void> {
  const disposals = standing(run).map((record) => recordDisposal(record, isKeptByRollback(run.operation(), record.deletionPolicy)));
  const failed = await dispose(run, { stage: "UNDO", disposals: [...disposals, ...leftovers(run)], isForgetting: false });
  const operation = run.operation();
  if (failed.length > 0) return turn(run, "ROLLBACK_FAILED", { operation: stopped(operation), reason: deletionReason(failed) });
  return run.store.transaction(() => {
    forgetNames(run.store, run.stack());
    turn(run, "ROLLBACK_COMPLETE", { operation: undefined });
  });
}

/** Resources that have not been let go of yet. */
const standing = (run: Run): readonly ResourceRecord[] =>
  run.store.resources.list(run.stackId).filter(({ status }) => status !== "DELETE_COMPLETE" && status !== "DELETE_SKIPPED");

const deletionReason = (failed: readonly string[]): string => stackReason(failed.map((logicalId) => ({ logicalId, action: "delete" })));

async function deleteAll(run: Run): Promise<void> {
  const { retain } = run.operation();
  const disposals = standing(run).map((record) =>
    recordDisposal(record, record.deletionPolicy !== "Delete" || retain.includes(record.logicalId)),
  );
  const failed = await dispose(run, { stage: "DELETE", disposals: [...disposals, ...leftovers(run)], isForgetting: false });
  const operation = run.operation();
  if (failed.length > 0) return turn(run, "DELETE_FAILED", { operation: stopped(operation), reason: deletionReason(failed) });
  return run.store.transaction(() => {
    forgetNames(run.store, run.stack());
    turn(run, "DELETE_COMPLETE", { operation: undefined, deleted: run.clock.now().toISOString() });
  });
}

const BROKEN: Readonly<Record<Stage, StackStatus>> = {
  APPLY: "UPDATE_FAILED",
  CLEANUP: "UPDATE_COMPLETE",
  RESTORE: "UPDATE_ROLLBACK_FAILED",
  RESTORE_CLEANUP: "UPDATE_ROLLBACK_FAILED",
  UNDO: "ROLLBACK_FAILED",
  DELETE: "DELETE_FAILED",
};

/** An error of ours: the stack says so instead of staying in progress for ever, and can be rolled back or deleted. */
function breakDown(run: Run, error: unknown): void {
  const operation = run.operation();
  const status = operation.stage === "APPLY" && operation.kind === "CREATE" ? "CREATE_FAILED" : BROKEN[operation.stage];
  const rest = operation.stage === "CLEANUP" ? undefined : stopped(operation);
  turn(run, status, { operation: rest, reason: failureReason(error, "") });
}
