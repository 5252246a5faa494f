import type { Clock } from "../../kit/clock.ts";
import type { LogSink } from "../gateway/service.ts";
import type { Database } from "../storage/database.ts";
import { type LogBatch, type LogStore, logStore, type StreamName, streamKey, batchKey } from "./store.ts";

/** Writes events as AWS services do on their own behalf: group and stream are made where they are missing. */
export function createLogSink({ database, clock }: { readonly database: Database; readonly clock: Clock }): LogSink {
  const store = logStore(database);
  return {
    append(stream, messages) {
      if (messages.length === 0) return;
      const now = clock.now().getTime();
      store.transaction(() => {
        ensureStream(store, stream, now);
        appendBatch(store, stream, { ingested: now, events: messages.map((message) => [now, message]) });
      });
    },
  };
}

let ordinal = 0;

/** Stores a batch, whose events are sorted by time. */
export function appendBatch(store: LogStore, stream: StreamName, batch: LogBatch): void {
  const first = batch.events[0]?.[0] ?? batch.ingested;
  store.batches.put([...streamKey(stream), batchKey(first, batch.ingested, ordinal++)], batch);
}

function ensureStream(store: LogStore, stream: StreamName, now: number): void {
  const { account, region, group, stream: name } = stream;
  if (store.streams.get(streamKey(stream))) return;
  store.groups.insert([account, region, group], { name: group, created: now, logClass: "STANDARD", isProtected: false, tags: {} });
  store.streams.insert(streamKey(stream), { name, created: now, longestBatchMs: 0 });
}
