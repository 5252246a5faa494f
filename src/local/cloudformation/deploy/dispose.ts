import type { Graph } from "../engine/graph.ts";
import { reversed } from "../engine/graph.ts";
import type { Policy } from "../engine/policies.ts";
import type { Properties } from "../resource-provider.ts";
import type { StepPlace } from "../store.ts";
import { setResource, writeEvent } from "./journal.ts";
import { deleteResource, tokenOf } from "./provider-step.ts";
import { failureReason } from "./reasons.ts";
import type { Leftover, Operation, ResourceRecord, Stage, Step } from "./records.ts";
import { breathe, type Run } from "./run.ts";
import { runGraph } from "./run-graph.ts";

/** A physical resource to let go of. */
export interface Disposal {
  readonly logicalId: string;
  readonly type: string;
  /** Undefined where nothing was ever made. */
  readonly physicalId: string | undefined;
  readonly properties: Properties;
  readonly isRetained: boolean;
  readonly dependsOn: readonly string[];
  /** The stack's record of the resource; undefined for what was replaced. */
  readonly record?: ResourceRecord;
}

/** What a stage lets go of. */
export interface Disposals {
  readonly stage: Exclude<Stage, "APPLY" | "RESTORE">;
  readonly disposals: readonly Disposal[];
  /** Whether the stack goes on without the resources (an update), or keeps them on its list as deleted. */
  readonly isForgetting: boolean;
}

/**
 * Whether what an operation made stays when it is rolled back. Where it may have taken over what was there, RetainExceptOnCreate
 * keeps it too: which of the two it did is not known any more, and what was there is nobody's to delete.
 */
export const isKeptByRollback = ({ retainsExceptOnCreate = false, importsExisting = false }: Operation, policy: Policy): boolean =>
  !retainsExceptOnCreate && (policy === "Retain" || (policy === "RetainExceptOnCreate" && importsExisting));

/** A leftover as a disposal. */
export const leftoverDisposal = (leftover: Leftover): Disposal => ({ ...leftover, isRetained: leftover.policy === "Retain" });

/** A resource of the stack as a disposal. */
export const recordDisposal = (record: ResourceRecord, isRetained: boolean): Disposal => ({
  ...record,
  physicalId: record.physicalId,
  isRetained,
  record,
});

/**
 * Deletes in the reverse order of dependencies. What a resource depends on is left alone when its deletion fails; the
 * rest goes on.
 * @returns the logical ids that could not be deleted
 */
export async function dispose(run: Run, { stage, disposals, isForgetting }: Disposals): Promise<readonly string[]> {
  const { number } = run.operation();
  const named = new Map(disposals.map((disposal) => [nameOf(disposal), disposal]));
  const places = { stackId: run.stackId, operation: number, stage };
  const begun = new Set(
    run.store.steps
      .list(places)
      .filter(({ step }) => step.state === "started")
      .map(({ name }) => name),
  );
  const failed: string[] = [];
  await runGraph({
    graph: reversed(graphOf(named)),
    parallel: run.parallel,
    begun,
    isStopped: () => run.signal.aborted,
    work: async (name) => {
      await breathe(run);
      const disposal = named.get(name) as Disposal;
      const isDone = await disposeOf({ run, disposal, isForgetting, place: { ...places, name } });
      if (!isDone) failed.push(disposal.logicalId);
      return isDone;
    },
  });
  if (run.signal.aborted) throw run.signal.reason;
  return failed;
}

// A replaced resource and its successor share a logical id.
const nameOf = ({ logicalId, record, physicalId }: Disposal): string => (record ? logicalId : `${logicalId}/${physicalId ?? ""}`);

function graphOf(named: ReadonlyMap<string, Disposal>): Graph {
  const byId = Map.groupBy(named.keys(), (name) => (named.get(name) as Disposal).logicalId);
  return new Map([...named].map(([name, { dependsOn }]) => [name, dependsOn.flatMap((id) => byId.get(id) ?? [])]));
}

interface Work {
  readonly run: Run;
  readonly disposal: Disposal;
  readonly isForgetting: boolean;
  readonly place: StepPlace;
}

async function disposeOf(work: Work): Promise<boolean> {
  const { run, disposal, place } = work;
  const { physicalId, logicalId, type } = disposal;
  if (physicalId === undefined || disposal.isRetained) {
    conclude(work, physicalId === undefined ? undefined : "DELETE_SKIPPED");
    return true;
  }
  const begun = run.store.steps.get(place);
  const step: Step = begun ?? { state: "started", action: "delete", properties: disposal.properties };
  if (!begun || begun.state === "failed") beginDeletion(work, step);
  try {
    await deleteResource({ run, place, logicalId, type, step, physicalId, isResumed: begun !== undefined });
  } catch (error) {
    if (run.signal.aborted) throw error;
    failDeletion(work, failureReason(error, tokenOf({ place, step })));
    return false;
  }
  conclude(work, "DELETE_COMPLETE");
  return true;
}

function beginDeletion({ run, disposal, place }: Work, step: Step): void {
  run.store.transaction(() => {
    run.store.steps.put(place, { ...step, state: "started" });
    if (disposal.record) setResource(run, run.stack(), { record: { ...disposal.record, status: "DELETE_IN_PROGRESS" } });
    else writeEvent(run, run.stack(), { ...disposal, status: "DELETE_IN_PROGRESS" });
  });
}

function failDeletion({ run, disposal, place, isForgetting }: Work, reason: string): void {
  run.store.transaction(() => {
    const step = run.store.steps.get(place);
    if (step) run.store.steps.put(place, { ...step, state: "failed" });
    if (disposal.record) setResource(run, run.stack(), { record: { ...disposal.record, status: "DELETE_FAILED" }, reason });
    else writeEvent(run, run.stack(), { ...disposal, status: "DELETE_FAILED", reason });
    if (isForgetting) forget(run, disposal);
  });
}

/** The end of a deletion, or of a decision not to delete. Without a status there was nothing to tell of. */
function conclude({ run, disposal, place, isForgetting }: Work, status: "DELETE_COMPLETE" | "DELETE_SKIPPED" | undefined): void {
  run.store.transaction(() => {
    run.store.steps.put(place, { state: "done", action: "delete" });
    const record = { ...(disposal.record as ResourceRecord), status: status ?? ("DELETE_COMPLETE" as const) };
    if (status && disposal.record) setResource(run, run.stack(), { record });
    else if (status) writeEvent(run, run.stack(), { ...disposal, status });
    else if (disposal.record) run.store.resources.put(run.stackId, record);
    if (isForgetting || !disposal.record) forget(run, disposal);
  });
}

function forget(run: Run, { record, logicalId, physicalId }: Disposal): void {
  if (record) run.store.resources.delete(run.stackId, logicalId);
  else run.store.leftovers.delete(run.stackId, { logicalId, physicalId: physicalId ?? "" });
}
