import type { Collection, Database } from "../storage/database.ts";

export interface LogGroup {
  readonly name: string;
  /** Epoch milliseconds, as everywhere in CloudWatch Logs. */
  readonly created: number;
  readonly logClass: "STANDARD" | "INFREQUENT_ACCESS" | "DELIVERY";
  readonly retentionDays?: number;
  readonly kmsKeyId?: string;
  readonly isProtected: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

export interface LogStream {
  readonly name: string;
  readonly created: number;
  /** The longest time between the first and the last event of one batch: how far back a reader must look for overlaps. */
  readonly longestBatchMs: number;
}

/** Events that came together: one row. Sorted by time. */
export interface LogBatch {
  readonly ingested: number;
  readonly events: readonly (readonly [timestamp: number, message: string])[];
}

/** Everything CloudWatch Logs remembers. */
export interface LogStore {
  /** Key: account, region, group. */
  readonly groups: Collection<LogGroup>;
  /** Key: account, region, group, stream. */
  readonly streams: Collection<LogStream>;
  /** Key: account, region, group, stream, then {@link batchKey}. */
  readonly batches: Collection<LogBatch>;
  transaction<R>(work: () => R): R;
}

const stores = new WeakMap<Database, LogStore>();

/** The store of a database: one for the sink and for the service. */
export function logStore(database: Database): LogStore {
  const before = stores.get(database);
  if (before) return before;
  const store: LogStore = {
    groups: database.collection("logs.groups"),
    streams: database.collection("logs.streams"),
    batches: database.collection("logs.batches"),
    transaction: (work) => database.transaction(work),
  };
  stores.set(database, store);
  return store;
}

/** Where a stream is. */
export interface StreamName {
  readonly account: string;
  readonly region: string;
  readonly group: string;
  readonly stream: string;
}

/** A stream's key, which is also the prefix of its batches' keys. */
export const streamKey = ({ account, region, group, stream }: StreamName): readonly string[] => [account, region, group, stream];

const padded = (epochMs: number): string => String(epochMs).padStart(14, "0");

/** Sorts batches by their first event, then by arrival. */
export const batchKey = (firstTimestamp: number, ingested: number, ordinal: number): string =>
  `${padded(firstTimestamp)}-${padded(ingested)}-${String(ordinal).padStart(9, "0")}`;

/** The batch key before every batch that begins at `timestamp` or later. */
export const batchesFrom = (timestamp: number): string => padded(Math.max(0, timestamp));

/** Deletes every document below a key, a page at a time. */
export function deleteAll<T>(collection: Collection<T>, prefix: readonly string[]): void {
  for (;;) {
    const page = collection.list(prefix, { limit: 500 });
    if (page.length === 0) return;
    for (const { key } of page) collection.delete(key);
  }
}
