import type {
  FilteredLogEvent,
  FilterLogEventsRequest,
  FilterLogEventsResponse,
  GetLogEventsRequest,
  GetLogEventsResponse,
} from "@aws-sdk/client-cloudwatch-logs";

import { type AnyOperation, type Call, type Core, operation } from "../gateway/service.ts";
import { invalidParameter, invalidToken, noSuchStream } from "./errors.ts";
import { FIRST_ID, LAST_ID, type LogEvent, type Range, readBackward, readForward } from "./events.ts";
import { compileFilterPattern } from "./filter-pattern.ts";
import { accessTo, findGroup, groupNameOf, streamOf } from "./names.ts";
import { type LogStore, streamKey } from "./store.ts";

const DAY_MS = 86_400_000;
const MOST_EVENTS = 10_000;
const MOST_BYTES = 1_048_576;

/** What retention has not taken away. */
function retained(core: Core, store: LogStore, { call, group }: { readonly call: Call; readonly group: string }): number {
  const { retentionDays } = findGroup(store, call, group);
  return retentionDays === undefined ? 0 : core.clock.now().getTime() - retentionDays * DAY_MS;
}

/** Takes events until one of the answer's limits is met; at least one. */
function* take(events: Iterable<LogEvent>, limit: number): Generator<LogEvent> {
  let count = 0;
  let bytes = 0;
  for (const event of events) {
    bytes += Buffer.byteLength(event.message) + 26;
    if (count > 0 && (count >= limit || bytes > MOST_BYTES)) return;
    count++;
    yield event;
  }
}

const getLogEvents = (core: Core, store: LogStore) =>
  operation<GetLogEventsRequest, GetLogEventsResponse>({
    access: accessTo(store, "GetLogEvents"),
    run(input, call) {
      const { logStreamName = "", startTime = 0, endTime, limit = MOST_EVENTS, nextToken, startFromHead = false } = input;
      const group = groupNameOf(input);
      const from = retained(core, store, { call, group });
      const name = streamOf(call, group, logStreamName);
      if (!store.streams.get(streamKey(name))) throw noSuchStream();
      const { isForward, id } = readToken(nextToken, startFromHead);
      const range: Range = {
        start: Math.max(startTime, from),
        end: endTime,
        ...(id !== undefined && (isForward ? { after: id } : { before: id })),
      };
      const events = isForward
        ? [...take(readForward(store, name, range), limit)]
        : [...take(readBackward(store, name, range), limit)].reverse();
      // At the end AWS gives back the token it was given.
      const [first, last] = [events[0]?.id ?? id ?? LAST_ID, events.at(-1)?.id ?? id ?? FIRST_ID];
      return {
        events: events.map(({ timestamp, message, ingested }) => ({ timestamp, message, ingestionTime: ingested })),
        nextForwardToken: `f/${last}`,
        nextBackwardToken: `b/${first}`,
      };
    },
  });

function readToken(token: string | undefined, startFromHead: boolean): { readonly isForward: boolean; readonly id: string | undefined } {
  if (token === undefined) return { isForward: startFromHead, id: undefined };
  const match = /^([fb])\/(\d{43})$/.exec(token);
  if (!match) throw invalidToken();
  return { isForward: match[1] === "f", id: match[2] };
}

const filterLogEvents = (core: Core, store: LogStore) =>
  operation<FilterLogEventsRequest, FilterLogEventsResponse>({
    access: accessTo(store, "FilterLogEvents"),
    run(input, call) {
      const { logStreamNames, logStreamNamePrefix, startTime = 0, endTime, filterPattern = "", limit = MOST_EVENTS, nextToken } = input;
      if (logStreamNames && logStreamNamePrefix !== undefined)
        throw invalidParameter("logStreamNames and logStreamNamePrefix can't be used together.");
      const group = groupNameOf(input);
      const from = Math.max(startTime, retained(core, store, { call, group }));
      const matches = compileFilterPattern(filterPattern);
      const position = readPosition(nextToken);
      const range: Range = { start: Math.max(from, position?.timestamp ?? 0), ...(endTime !== undefined && { end: endTime + 1 }) };
      const names = streamNames(store, call, { group, logStreamNames, logStreamNamePrefix });
      const found: FilteredLogEvent[] = [];
      let next: string | undefined;
      let bytes = 0;
      for (const { stream, event } of interleave(
        names.map((stream) => ({ stream, events: readForward(store, streamOf(call, group, stream), range) })),
      )) {
        if (position && !isAfter({ stream, event }, position)) continue;
        if (!matches(event.message)) continue;
        const last = found.at(-1);
        if (last && (found.length >= limit || bytes + event.message.length > MOST_BYTES)) {
          next = writePosition(last);
          break;
        }
        bytes += event.message.length + 26;
        found.push({
          logStreamName: stream,
          timestamp: event.timestamp,
          message: event.message,
          ingestionTime: event.ingested,
          eventId: event.id,
        });
      }
      return { events: found, searchedLogStreams: [], ...(next !== undefined && { nextToken: next }) };
    },
  });

interface Selection {
  readonly group: string;
  readonly logStreamNames: readonly string[] | undefined;
  readonly logStreamNamePrefix: string | undefined;
}

function streamNames(store: LogStore, call: Call, { group, logStreamNames, logStreamNamePrefix }: Selection): readonly string[] {
  const missing = logStreamNames?.find((stream) => !store.streams.get(streamKey(streamOf(call, group, stream))));
  if (missing !== undefined) throw noSuchStream();
  if (logStreamNames) return logStreamNames;
  return store.streams
    .list([call.account, call.region, group])
    .map(({ value }) => value.name)
    .filter((name) => name.startsWith(logStreamNamePrefix ?? ""));
}

interface Placed {
  readonly stream: string;
  readonly event: LogEvent;
}

/** Merges the streams in the order of time, then of the streams' names, then of the events. */
function* interleave(streams: readonly { readonly stream: string; readonly events: Generator<LogEvent> }[]): Generator<Placed> {
  const heads = streams.flatMap(({ stream, events }) => {
    const { value } = events.next();
    return value ? [{ stream, events, event: value as LogEvent }] : [];
  });
  heads.sort(byPlace);
  for (let head = heads.shift(); head; head = heads.shift()) {
    yield head;
    const { value } = head.events.next();
    if (!value) continue;
    const moved = { ...head, event: value as LogEvent };
    const at = heads.findIndex((other) => byPlace(moved, other) < 0);
    heads.splice(at < 0 ? heads.length : at, 0, moved);
  }
}

const compare = (a: string | number, b: string | number): number => (a < b ? -1 : a > b ? 1 : 0);
const byPlace = (a: Placed, b: Placed): number =>
  compare(a.event.timestamp, b.event.timestamp) || compare(a.stream, b.stream) || compare(a.event.id, b.event.id);

interface Position {
  readonly timestamp: number;
  readonly stream: string;
  readonly id: string;
}

const isAfter = ({ stream, event }: Placed, { timestamp, stream: lastStream, id }: Position): boolean =>
  (compare(event.timestamp, timestamp) || compare(stream, lastStream) || compare(event.id, id)) > 0;

const writePosition = ({ timestamp = 0, logStreamName = "", eventId = "" }: FilteredLogEvent): string =>
  Buffer.from(JSON.stringify({ timestamp, stream: logStreamName, id: eventId })).toString("base64url");

function readPosition(token: string | undefined): Position | undefined {
  if (token === undefined) return undefined;
  try {
    return JSON.parse(Buffer.from(token, "base64url").toString()) as Position;
  } catch {
    throw invalidToken();
  }
}

/** What reads events. */
export const readingOperations = (core: Core, store: LogStore): Readonly<Record<string, AnyOperation>> => ({
  FilterLogEvents: filterLogEvents(core, store),
  GetLogEvents: getLogEvents(core, store),
});
