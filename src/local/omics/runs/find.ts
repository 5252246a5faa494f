import type { Place } from "../arns.ts";
import { emitRunStatus } from "../emit.ts";
import { runNotFound, taskNotFound } from "../errors.ts";
import type { Omics } from "../omics.ts";
import type { Run, Task } from "../store.ts";

export type RunKey = readonly [account: string, region: string, id: string];

export const keyOf = ({ place, id }: Run): RunKey => [place.account, place.region, id];

/** @throws AwsError ResourceNotFoundException */
export function findRun({ store }: Omics, { account, region }: Place, id: string): Run {
  const run = store.runs.get([account, region, id]);
  if (run === undefined) throw runNotFound(id);
  return run;
}

/** @throws AwsError ResourceNotFoundException */
export function findTask(omics: Omics, place: Place, { id, taskId }: { readonly id: string; readonly taskId: string }): Task {
  findRun(omics, place, id);
  const task = omics.store.tasks.get([place.account, place.region, id, taskId]);
  if (task === undefined) throw taskNotFound(taskId);
  return task;
}

/**
 * Changes a run, with its event where the status changes, in one transaction. Undefined when the run is gone.
 * @param change what to change, or a function of the run as it is now
 */
export function changeRun(omics: Omics, key: RunKey, change: Partial<Run> | ((run: Run) => Partial<Run>)): Run | undefined {
  return omics.store.transaction(() => {
    const run = omics.store.runs.get(key);
    if (run === undefined) return undefined;
    const changed: Run = { ...run, ...(typeof change === "function" ? change(run) : change) };
    omics.store.runs.put(key, changed);
    if (changed.status !== run.status) emitRunStatus(omics.core, changed);
    return changed;
  });
}
