import type { Place } from "../arns.ts";
import { emitRunStatus } from "../emit.ts";
import { conflict } from "../errors.ts";
import type { Omics } from "../omics.ts";
import { isActive } from "../store.ts";
import { changeRun, findRun, keyOf } from "./find.ts";

/**
 * CancelRun: the run stops its tasks and ends CANCELLED, without outputs.
 * @throws AwsError ConflictException for a run that has ended or is about to
 */
export function cancelRun(omics: Omics, place: Place, id: string): void {
  const run = findRun(omics, place, id);
  if (!isActive(run.status) || run.status === "STOPPING") throw conflict(`Run ${id} is ${run.status}; it can't be cancelled any more`);
  const hasEngine = run.status !== "PENDING";
  changeRun(omics, keyOf(run), { isCancelled: true, status: "STOPPING", ...(!hasEngine && { verdict: { status: "CANCELLED" } }) });
  omics.cancel(keyOf(run));
}

/**
 * DeleteRun: forgets a run that has ended, with its tasks; outputs and logs stay.
 * @throws AwsError ConflictException for a run that has not ended
 */
export function deleteRun(omics: Omics, place: Place, id: string): void {
  const { store, core } = omics;
  store.transaction(() => {
    const run = findRun(omics, place, id);
    if (isActive(run.status)) throw conflict(`Run ${id} is ${run.status}; it can be deleted when it has ended`);
    for (const { key } of store.tasks.list(keyOf(run))) store.tasks.delete(key);
    for (const { key } of store.logPositions.list([run.uuid])) store.logPositions.delete(key);
    store.runs.delete(keyOf(run));
    emitRunStatus(core, { ...run, status: "DELETED" });
  });
}
