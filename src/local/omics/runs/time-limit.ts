import type { Omics } from "../omics.ts";
import type { Run } from "../store.ts";
import { changeRun, keyOf } from "./find.ts";
import { engineOf } from "./folders.ts";

/** How long a run may take: what its group allows, and never more than the account's quota. */
export function secondsAllowed({ store, quotas }: Omics, { place, runGroupId }: Run): number {
  const group = runGroupId === undefined ? undefined : store.runGroups.get([place.account, place.region, runGroupId]);
  return Math.min(quotas.runSeconds, (group?.maxDuration ?? Number.POSITIVE_INFINITY) * 60);
}

const LONGEST_TIMER_MS = 86_400_000;

/** Ends a run that takes longer than it may: RUN_TIMED_OUT. */
export async function endAtLimit(omics: Omics, run: Run, signal: AbortSignal): Promise<void> {
  const { core } = omics;
  const seconds = secondsAllowed(omics, run);
  const sinceMs = core.clock.now().getTime() - Date.parse(run.startTime ?? run.creationTime);
  for (let left = seconds * 1000 - sinceMs; left > 0; left -= LONGEST_TIMER_MS) {
    await core.clock.sleep(Math.min(left, LONGEST_TIMER_MS), signal).catch(() => undefined);
    if (signal.aborted) return;
  }
  const message = `The run took longer than ${Math.round(seconds / 60)} minutes`;
  changeRun(omics, keyOf(run), { verdict: { status: "FAILED", reason: "RUN_TIMED_OUT", message } });
  await engineOf(omics, run).cancel();
}
