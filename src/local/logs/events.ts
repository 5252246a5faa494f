import { batchesFrom, type LogBatch, type LogStore, type StreamName, streamKey } from "./store.ts";

/** One event of a stream. */
export interface LogEvent {
  /** Digits; sorts as the events of its stream are ordered: by time, then by arrival. */
  readonly id: string;
  readonly timestamp: number;
  readonly ingested: number;
  readonly message: string;
}

/** Which events: from `start` (inclusive), before `end` (exclusive), after or before an event, each where given. */
export interface Range {
  readonly start?: number | undefined;
  readonly end?: number | undefined;
  readonly after?: string | undefined;
  readonly before?: string | undefined;
}

const PAGE = 100;
const TIME_DIGITS = 14;

/** Before the first and after the last event there can be. */
export const FIRST_ID = "0".repeat(43);
export const LAST_ID = "9".repeat(43);

const timeOf = (id: string): number => Number(id.slice(0, TIME_DIGITS));

/** Events in order. Batches may overlap in time: an event waits until no later batch can begin before it. */
export function* readForward(store: LogStore, name: StreamName, range: Range): Generator<LogEvent> {
  const stream = store.streams.get(streamKey(name));
  if (!stream) return;
  const start = Math.max(range.start ?? 0, range.after === undefined ? 0 : timeOf(range.after));
  let waiting: LogEvent[] = [];
  for (const { key, batch } of batchesForward(store, name, start - stream.longestBatchMs)) {
    const begins = batch.events[0]?.[0] ?? 0;
    const isDone = (event: LogEvent): boolean => event.timestamp < begins;
    yield* waiting.filter(isDone);
    if (range.end !== undefined && begins >= range.end) {
      waiting = waiting.filter((event) => !isDone(event));
      break;
    }
    waiting = [...waiting.filter((event) => !isDone(event)), ...eventsOf(key, batch).filter((event) => isWithin(event, range))].sort(byId);
  }
  yield* waiting;
}

/** Events in reverse order. */
export function* readBackward(store: LogStore, name: StreamName, range: Range): Generator<LogEvent> {
  const stream = store.streams.get(streamKey(name));
  if (!stream) return;
  let waiting: LogEvent[] = [];
  for (const { key, batch } of batchesBackward(store, name, upperBound(range))) {
    const begins = batch.events[0]?.[0] ?? 0;
    // What is still to come begins here at the latest, and no batch is longer than the longest.
    const isDone = (event: LogEvent): boolean => event.timestamp > begins + stream.longestBatchMs;
    yield* waiting.filter(isDone);
    if (begins + stream.longestBatchMs < lowerBound(range)) {
      waiting = waiting.filter((event) => !isDone(event));
      break;
    }
    waiting = [...waiting.filter((event) => !isDone(event)), ...eventsOf(key, batch).filter((event) => isWithin(event, range))].sort(
      (a, b) => byId(b, a),
    );
  }
  yield* waiting;
}

const lowerBound = ({ start = 0, after }: Range): number => Math.max(start, after === undefined ? 0 : timeOf(after));
const upperBound = ({ end, before }: Range): number => Math.min(end ?? Infinity, before === undefined ? Infinity : timeOf(before) + 1);

const byId = (a: LogEvent, b: LogEvent): number => (a.id < b.id ? -1 : 1);

const isWithin = ({ id, timestamp }: LogEvent, { start, end, after, before }: Range): boolean =>
  (start === undefined || timestamp >= start) &&
  (end === undefined || timestamp < end) &&
  (after === undefined || id > after) &&
  (before === undefined || id < before);

interface KeyedBatch {
  readonly key: string;
  readonly batch: LogBatch;
}

function eventsOf(key: string, { events, ingested }: LogBatch): LogEvent[] {
  const arrival = key.slice(TIME_DIGITS).replaceAll("-", "");
  return events.map(([timestamp, message], index) => ({
    id: `${String(timestamp).padStart(TIME_DIGITS, "0")}${arrival}${String(index).padStart(6, "0")}`,
    timestamp,
    ingested,
    message,
  }));
}

function* batchesForward(store: LogStore, name: StreamName, from: number): Generator<KeyedBatch> {
  const prefix = streamKey(name);
  let after: readonly string[] = [...prefix, batchesFrom(from)];
  for (;;) {
    const page = store.batches.list(prefix, { after, limit: PAGE });
    for (const { key, value } of page) yield { key: key.at(-1) ?? "", batch: value };
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    after = last.key;
  }
}

function* batchesBackward(store: LogStore, name: StreamName, before: number): Generator<KeyedBatch> {
  const prefix = streamKey(name);
  let after: readonly string[] | undefined = Number.isFinite(before) ? [...prefix, batchesFrom(before)] : undefined;
  for (;;) {
    const page = store.batches.list(prefix, { reverse: true, limit: PAGE, ...(after && { after }) });
    for (const { key, value } of page) yield { key: key.at(-1) ?? "", batch: value };
    const last = page.at(-1);
    if (!last || page.length < PAGE) return;
    after = last.key;
  }
}

/** Times of a stream, as far as it has events. */
export function timesOf(
  store: LogStore,
  name: StreamName,
): { readonly first?: number; readonly last?: number; readonly ingested?: number } {
  const first = readForward(store, name, {}).next().value as LogEvent | undefined;
  const last = readBackward(store, name, {}).next().value as LogEvent | undefined;
  return { ...(first && { first: first.timestamp }), ...(last && { last: last.timestamp, ingested: last.ingested }) };
}
