import { totalmem } from "node:os";
import type { Entry } from "../../storage/database.ts";
import type { Omics } from "../omics.ts";
import type { RunItem } from "../store.ts";
import { changeRun, type RunKey } from "./find.ts";
import { logRunEvent } from "./logs.ts";

// An idle engine holds some 100 MB; its tasks are let start by what the machine has.
const ENGINE_BYTES = 512 * 1024 ** 2;

/** How many runs this machine holds at once. */
const MOST_RUNS = Math.max(2, Math.floor(totalmem() / ENGINE_BYTES));

/** Starts waiting runs as far as the account's quotas, their groups and the machine allow. Returns the keys of those that start. */
export function startWaitingRuns(omics: Omics): readonly RunKey[] {
  const active = omics.store.runs.items.find("active", "yes");
  const holding = active.filter(({ value }) => value.shown.status !== "PENDING");
  const waiting = active.filter(({ value }) => value.shown.status === "PENDING").sort(byPriority);
  const started: RunKey[] = [];
  for (const entry of waiting) {
    if (holding.length >= MOST_RUNS) break;
    if (!mayStart(omics, entry, holding)) continue;
    const key = entry.key as unknown as RunKey;
    const changed = begin(omics, key);
    if (!changed) continue;
    holding.push(entry);
    started.push(key);
  }
  return started;
}

const begin = (omics: Omics, key: RunKey): boolean =>
  omics.store.transaction(() => {
    const run = changeRun(omics, key, { status: "STARTING" });
    if (run !== undefined) logRunEvent(omics, run, "STARTING_RUN");
    return run !== undefined;
  });

type Waiting = Entry<RunItem>;

/** Larger numbers first (console and DefaultRunSetting; the text of StartRun says the opposite); then who came first. */
const byPriority = ({ value: a }: Waiting, { value: b }: Waiting): number =>
  (b.shown.priority ?? 0) - (a.shown.priority ?? 0) || Number(a.shown.id) - Number(b.shown.id);

function mayStart(
  { store, quotas }: Omics,
  { key: [account = "", region = ""], value: run }: Waiting,
  holding: readonly Waiting[],
): boolean {
  const ofAccount = holding.filter(({ key }) => key[0] === account && key[1] === region);
  const ofKind = ofAccount.filter(({ value }) => value.storageType === run.storageType).length;
  if (ofKind >= (run.storageType === "DYNAMIC" ? quotas.activeRunsDynamic : quotas.activeRunsStatic)) return false;
  if (run.runGroupId === undefined) return true;
  const group = store.runGroups.get([account, region, run.runGroupId]);
  return group?.maxRuns === undefined || ofAccount.filter(({ value }) => value.runGroupId === run.runGroupId).length < group.maxRuns;
}
