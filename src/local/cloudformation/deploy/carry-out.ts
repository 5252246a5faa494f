import type { ResourceState } from "../resource-provider.ts";
import { declarationOf, isDeclaredSame, type ResourceWork, turnIntoReplacement } from "./begin.ts";
import { setResource } from "./journal.ts";
import { leftoverOf } from "./leftover.ts";
import { createResource, INITIATED, type ProviderStep, tokenOf, updateResource } from "./provider-step.ts";
import { failureReason } from "./reasons.ts";
import { isKeptByRollback } from "./dispose.ts";
import type { ResourceRecord, Step } from "./records.ts";

/**
 * Does a step that has been journalled, and journals what came of it.
 * @throws whatever the provider throws; the step then counts as begun until `fail` says otherwise
 */
export async function carryOut(work: ResourceWork, step: Step, isResumed: boolean): Promise<void> {
  if (step.state === "done") return;
  const given = providerStep(work, { step, isResumed });
  if (step.action === "none") return settle(work, step);
  if (step.action === "update") {
    const record = present(work);
    const { previousProperties = record.properties } = step;
    const state = await updateResource({ ...given, physicalId: record.physicalId ?? "", previousProperties });
    if (state === "REPLACE") return carryOut(work, turnIntoReplacement(work, step), false);
    return finish(work, { step, state });
  }
  return finish(work, { step, state: await createResource({ ...given, isResumed: isResumed || mayTakeOver(work) }) });
}

// What a resumed creation finds under its name is adopted: with ImportExistingResources so is what others made, as long as
// a rollback would leave it alone (UserGuide/import-resources-automatically.html).
const mayTakeOver = (work: ResourceWork): boolean =>
  (work.run.operation().importsExisting ?? false) && isKeptByRollback(work.run.operation(), declarationOf(work).deletionPolicy);

const providerStep = (
  { run, id, declared, place }: ResourceWork,
  { step, isResumed }: { readonly step: Step; readonly isResumed: boolean },
): ProviderStep => ({ run, place, logicalId: id, type: declared.Type, step, isResumed });

function present({ run, id }: ResourceWork): ResourceRecord {
  const record = run.store.resources.get(run.stackId, id);
  if (!record) throw new Error(`resource ${id} vanished while it was worked on`);
  return record;
}

/** Nothing was to be done: the declaration is kept, and told of where it changed. */
function settle(work: ResourceWork, step: Step): void {
  const { run, place } = work;
  run.store.transaction(() => {
    const record = present(work);
    const { attempted: _, metadata: _old, ...kept } = record;
    const next = { ...kept, ...declarationOf(work) };
    if (isDeclaredSame(work, record)) run.store.resources.put(run.stackId, next);
    else setResource(run, run.stack(), { record: { ...next, status: "UPDATE_COMPLETE" } });
    run.store.steps.put(place, { ...step, state: "done" });
  });
}

interface Outcome {
  readonly step: Step;
  readonly state: ResourceState;
}

function finish(work: ResourceWork, { step, state }: Outcome): void {
  const { run, id, declared, place } = work;
  const isCreation = step.action === "create";
  run.store.transaction(() => {
    const before = present(work);
    if (before.physicalId !== undefined && before.physicalId !== state.physicalId)
      run.store.leftovers.put(
        run.stackId,
        leftoverOf(before, before.physicalId, place.stage === "RESTORE" ? "Delete" : declarationOf(work).updateReplacePolicy),
      );
    const record = {
      logicalId: id,
      type: declared.Type,
      physicalId: state.physicalId,
      attributes: state.attributes,
      properties: step.properties ?? {},
      ...declarationOf(work),
    };
    if (step.action !== "update" && run.store.steps.get(place)?.physicalId === undefined)
      setResource(run, run.stack(), {
        record: { ...record, status: isCreation ? "CREATE_IN_PROGRESS" : "UPDATE_IN_PROGRESS" },
        reason: INITIATED,
      });
    setResource(run, run.stack(), { record: { ...record, status: isCreation ? "CREATE_COMPLETE" : "UPDATE_COMPLETE" } });
    run.store.steps.put(place, { ...step, state: "done" });
  });
}

/** Journals that a step failed, and what it may have left behind. */
export function fail(work: ResourceWork, error: unknown): void {
  const { run, id, declared, place } = work;
  run.store.transaction(() => {
    const record = run.store.resources.get(run.stackId, id);
    const step = run.store.steps.get(place) ?? { state: "failed", action: record?.physicalId === undefined ? "create" : "update" };
    const reason = failureReason(error, tokenOf({ place, step }));
    const announced = step.physicalId;
    if (step.action === "create" || !record) {
      const fresh = { logicalId: id, type: declared.Type, properties: step.properties ?? {}, attributes: {}, ...declarationOf(work) };
      setResource(run, run.stack(), {
        record: { ...(record ?? fresh), status: "CREATE_FAILED", ...(announced !== undefined && { physicalId: announced }) },
        reason,
      });
    } else {
      if (step.action === "replace" && announced !== undefined)
        run.store.leftovers.put(run.stackId, leftoverOf({ ...record, properties: step.properties ?? {} }, announced, "Delete"));
      setResource(run, run.stack(), {
        record: { ...record, status: "UPDATE_FAILED" },
        reason,
        ...(step.properties && { properties: step.properties }),
      });
    }
    run.store.steps.put(place, { ...step, state: "failed" });
  });
}
