import type { Core } from "../gateway/service.ts";
import { batchesFrom, type LogStore } from "./store.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Deletes what retention has ended, once an hour, until the signal aborts. */
export async function sweepExpired(core: Core, store: LogStore, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    deleteExpired(core, store);
    await core.clock.sleep(HOUR_MS, signal);
  }
}

function deleteExpired(core: Core, store: LogStore): void {
  const now = core.clock.now().getTime();
  for (const { key: group, value } of store.groups.list([])) {
    if (value.retentionDays === undefined) continue;
    for (const { key, value: stream } of store.streams.list(group)) {
      // A batch goes when its last event has: it began at most the longest batch before.
      const before = batchesFrom(now - value.retentionDays * DAY_MS - stream.longestBatchMs);
      deleteBatches(store, key, before);
    }
  }
}

function deleteBatches(store: LogStore, stream: readonly string[], before: string): void {
  for (;;) {
    const expired = store.batches.list(stream, { limit: 500 }).filter(({ key }) => (key.at(-1) ?? "") < before);
    if (expired.length === 0) return;
    for (const { key } of expired) store.batches.delete(key);
  }
}
