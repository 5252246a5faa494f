import { totalmem } from "node:os";
import type { Omics } from "../omics.ts";
import type { Run } from "../store.ts";
import { changeRun, keyOf, type RunKey } from "./find.ts";
import { logRunEvent } from "./logs.ts";

// An idle engine holds some 100 MB; its tasks are let start by what the machine has.
const ENGINE_BYTES = 512 * 1024 ** 2;

/** Starts waiting runs as far as the account's quotas, their groups and the machine allow. Returns the keys of those that start. */
export function startWaitingRuns(omics: Omics): readonly RunKey[] {
  return omics.store.transaction(() => {
    const active = omics.store.runs.find("active", "yes").map(({ value }) => value);
    const holding = active.filter((run) => run.status !== "PENDING");
    const waiting = active.filter((run) => run.status === "PENDING").sort(byPriority);
    const started: RunKey[] = [];
    for (const run of waiting) {
      if (!mayStart(omics, run, holding)) continue;
      const changed = changeRun(omics, keyOf(run), { status: "STARTING" });
      if (changed === undefined) continue;
      holding.push(changed);
      logRunEvent(omics, changed, "STARTING_RUN");
      started.push(keyOf(run));
    }
    return started;
  });
}

/** Larger numbers first (console and DefaultRunSetting; the text of StartRun says the opposite); then who came first. */
const byPriority = (a: Run, b: Run): number => (b.priority ?? 0) - (a.priority ?? 0) || Number(a.id) - Number(b.id);

function mayStart({ store, quotas }: Omics, run: Run, holding: readonly Run[]): boolean {
  const ofAccount = holding.filter(({ place }) => place.account === run.place.account && place.region === run.place.region);
  const ofKind = ofAccount.filter(({ storageType }) => storageType === run.storageType).length;
  const most = run.storageType === "DYNAMIC" ? quotas.activeRunsDynamic : quotas.activeRunsStatic;
  if (holding.length >= Math.max(2, Math.floor(totalmem() / ENGINE_BYTES)) || ofKind >= most) return false;
  if (run.runGroupId === undefined) return true;
  const group = store.runGroups.get([run.place.account, run.place.region, run.runGroupId]);
  return group?.maxRuns === undefined || ofAccount.filter(({ runGroupId }) => runGroupId === run.runGroupId).length < group.maxRuns;
}
