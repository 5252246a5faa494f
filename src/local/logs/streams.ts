import type {
  CreateLogStreamRequest,
  DeleteLogStreamRequest,
  DescribeLogStreamsRequest,
  DescribeLogStreamsResponse,
  InputLogEvent,
  LogStream as StreamOutput,
  PutLogEventsRequest,
  PutLogEventsResponse,
  RejectedLogEventsInfo,
} from "@aws-sdk/client-cloudwatch-logs";

import { pageOf } from "../gateway/paging.ts";
import { type AnyOperation, type Call, type Core, operation } from "../gateway/service.ts";
import { invalidParameter, invalidToken, noSuchStream, streamExists } from "./errors.ts";
import { timesOf } from "./events.ts";
import { appendBatch } from "./log-sink.ts";
import { accessTo, checkStreamName, findGroup, groupNameOf, streamArn, streamOf } from "./names.ts";
import { deleteAll, type LogStore, type LogStream, streamKey } from "./store.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const BATCH = { events: 10_000, bytes: 1_048_576, overheadBytes: 26, spanMs: DAY_MS, oldestMs: 14 * DAY_MS, newestMs: 2 * HOUR_MS };

const createLogStream = ({ clock }: Core, store: LogStore) =>
  operation<CreateLogStreamRequest, object>({
    access: accessTo(store, "CreateLogStream"),
    run({ logGroupName = "", logStreamName = "" }, call) {
      findGroup(store, call, logGroupName);
      checkStreamName(logStreamName);
      const stream: LogStream = { name: logStreamName, created: clock.now().getTime(), longestBatchMs: 0 };
      if (!store.streams.insert(streamKey(streamOf(call, logGroupName, logStreamName)), stream)) throw streamExists();
      return {};
    },
  });

const deleteLogStream = (core: Core, store: LogStore) =>
  operation<DeleteLogStreamRequest, object>({
    access: accessTo(store, "DeleteLogStream"),
    run({ logGroupName = "", logStreamName = "" }, call) {
      findGroup(store, call, logGroupName);
      const key = streamKey(streamOf(call, logGroupName, logStreamName));
      core.database.transaction(() => {
        if (!store.streams.delete(key)) throw noSuchStream();
        deleteAll(store.batches, key);
      });
      return {};
    },
  });

const describeLogStreams = (store: LogStore) =>
  operation<DescribeLogStreamsRequest, DescribeLogStreamsResponse>({
    access: accessTo(store, "DescribeLogStreams"),
    run(input, call) {
      const { logStreamNamePrefix: prefix = "", orderBy = "LogStreamName", descending = false, limit = 50, nextToken } = input;
      const group = groupNameOf(input);
      findGroup(store, call, group);
      if (orderBy === "LastEventTime" && prefix !== "") throw invalidParameter("Cannot order by LastEventTime with a logStreamNamePrefix.");
      const streams = store.streams
        .list([call.account, call.region, group])
        .map(({ value }) => value)
        .filter(({ name }) => name.startsWith(prefix));
      const ordered = orderBy === "LastEventTime" ? byLastEvent(store, call, { group, streams }) : streams;
      const { items, next } = pageOf(descending ? ordered.toReversed() : ordered, { token: nextToken, limit, invalid: invalidToken });
      return {
        logStreams: items.map((stream) => describe(store, call, { group, stream })),
        ...(next !== undefined && { nextToken: next }),
      };
    },
  });

function byLastEvent(
  store: LogStore,
  call: Call,
  { group, streams }: { readonly group: string; readonly streams: readonly LogStream[] },
): readonly LogStream[] {
  const last = new Map(streams.map((stream) => [stream, timesOf(store, streamOf(call, group, stream.name)).last ?? 0]));
  return streams.toSorted((a, b) => (last.get(a) ?? 0) - (last.get(b) ?? 0));
}

function describe(store: LogStore, call: Call, { group, stream }: { readonly group: string; readonly stream: LogStream }): StreamOutput {
  const { first, last, ingested } = timesOf(store, streamOf(call, group, stream.name));
  return {
    logStreamName: stream.name,
    creationTime: stream.created,
    arn: streamArn(call, group, stream.name),
    // AWS has answered 0 since 2019.
    storedBytes: 0,
    ...(first !== undefined && { firstEventTimestamp: first }),
    ...(last !== undefined && { lastEventTimestamp: last }),
    ...(ingested !== undefined && { lastIngestionTime: ingested }),
  };
}

const putLogEvents = (core: Core, store: LogStore) =>
  operation<PutLogEventsRequest, PutLogEventsResponse>({
    access: accessTo(store, "PutLogEvents"),
    run({ logGroupName = "", logStreamName = "", logEvents = [] }, call) {
      const { retentionDays } = findGroup(store, call, logGroupName);
      const name = streamOf(call, logGroupName, logStreamName);
      const stream = store.streams.get(streamKey(name));
      if (!stream) throw noSuchStream();
      checkBatch(logEvents);
      const now = core.clock.now().getTime();
      const { accepted, rejected } = sift(logEvents, { now, retentionDays });
      if (accepted.length > 0)
        core.database.transaction(() => {
          const spanMs = (accepted.at(-1)?.timestamp ?? 0) - (accepted[0]?.timestamp ?? 0);
          if (spanMs > stream.longestBatchMs) store.streams.put(streamKey(name), { ...stream, longestBatchMs: spanMs });
          appendBatch(store, name, { ingested: now, events: accepted.map(({ timestamp = now, message = "" }) => [timestamp, message]) });
        });
      return { nextSequenceToken: core.random.digits(56), ...(rejected && { rejectedLogEventsInfo: rejected }) };
    },
  });

function checkBatch(events: readonly InputLogEvent[]): void {
  if (events.length === 0)
    throw invalidParameter(
      "1 validation error detected: Value '[]' at 'logEvents' failed to satisfy constraint: Member must have length greater than or equal to 1",
    );
  if (events.length > BATCH.events)
    throw invalidParameter(
      "1 validation error detected: Value at 'logEvents' failed to satisfy constraint: Member must have length less than or equal to 10000",
    );
  const bytes = events.reduce((sum, { message = "" }) => sum + Buffer.byteLength(message) + BATCH.overheadBytes, 0);
  if (bytes > BATCH.bytes) throw invalidParameter(`Upload too large: ${bytes} bytes exceeds limit of ${BATCH.bytes}`);
  const times = events.map(({ timestamp = 0 }) => timestamp);
  if (times.some((time, index) => index > 0 && time < (times[index - 1] ?? 0)))
    throw invalidParameter("Log events in a single PutLogEvents request must be in chronological order.");
  if ((times.at(-1) ?? 0) - (times[0] ?? 0) > BATCH.spanMs)
    throw invalidParameter("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.");
}

/** Events are in order: the too old ones are the first, the too new ones the last. */
function sift(
  events: readonly InputLogEvent[],
  { now, retentionDays }: { readonly now: number; readonly retentionDays: number | undefined },
) {
  const expired = retentionDays === undefined ? -Infinity : now - retentionDays * DAY_MS;
  const count = (isOut: (time: number) => boolean): number => events.filter(({ timestamp = 0 }) => isOut(timestamp)).length;
  const tooOld = count((time) => time < now - BATCH.oldestMs);
  const expiredCount = count((time) => time < expired);
  const tooNew = count((time) => time > now + BATCH.newestMs);
  const rejected: RejectedLogEventsInfo = {
    ...(tooOld > 0 && { tooOldLogEventEndIndex: tooOld }),
    ...(expiredCount > 0 && { expiredLogEventEndIndex: expiredCount }),
    ...(tooNew > 0 && { tooNewLogEventStartIndex: events.length - tooNew }),
  };
  return {
    accepted: events.slice(Math.max(tooOld, expiredCount), events.length - tooNew),
    rejected: Object.keys(rejected).length > 0 ? rejected : undefined,
  };
}

/** Log streams and what is written to them. */
export const streamOperations = (core: Core, store: LogStore): Readonly<Record<string, AnyOperation>> => ({
  CreateLogStream: createLogStream(core, store),
  DeleteLogStream: deleteLogStream(core, store),
  DescribeLogStreams: describeLogStreams(store),
  PutLogEvents: putLogEvents(core, store),
});
