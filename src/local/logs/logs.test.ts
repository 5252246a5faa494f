import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  CreateLogStreamCommand,
  DeleteLogGroupCommand,
  DeleteLogStreamCommand,
  DescribeLogGroupsCommand,
  DescribeLogStreamsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
  ListTagsForResourceCommand,
  PutLogEventsCommand,
  PutRetentionPolicyCommand,
  StartLiveTailCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { CICD, REGION, startAccounts, type TestAccounts } from "../testing/accounts.ts";

let accounts: TestAccounts;
let logs: CloudWatchLogsClient;
beforeAll(async () => {
  accounts = await startAccounts();
  logs = new CloudWatchLogsClient(accounts.config("cicd"));
});
afterAll(() => accounts[Symbol.asyncDispose]());

let count = 0;
const MINUTE = 60_000;
async function newStream(part: { group?: string; stream?: string } = {}) {
  const logGroupName = part.group ?? `/test/${++count}`;
  const logStreamName = part.stream ?? "stream";
  if (!part.group) await logs.send(new CreateLogGroupCommand({ logGroupName }));
  await logs.send(new CreateLogStreamCommand({ logGroupName, logStreamName }));
  return { logGroupName, logStreamName };
}
type Stream = Awaited<ReturnType<typeof newStream>>;
const put = (stream: Stream, ...events: (readonly [timestamp: number, message: string])[]) =>
  logs.send(new PutLogEventsCommand({ ...stream, logEvents: events.map(([timestamp, message]) => ({ timestamp, message })) }));
const get = (stream: Stream, part: object = {}) => logs.send(new GetLogEventsCommand({ ...stream, ...part }));
const messages = (answer: { events?: readonly { message?: string | undefined }[] | undefined }) =>
  answer.events!.map(({ message }) => message);

describe("groups and streams", () => {
  test("are made, described, tagged and deleted", async () => {
    const { logGroupName } = await newStream({ stream: "b" });
    await newStream({ group: logGroupName, stream: "a" });
    await expect(logs.send(new CreateLogGroupCommand({ logGroupName }))).rejects.toMatchObject({ name: "ResourceAlreadyExistsException" });
    await logs.send(new PutRetentionPolicyCommand({ logGroupName, retentionInDays: 7 }));
    const { logGroups } = await logs.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: logGroupName }));
    expect(logGroups![0]).toMatchObject({
      logGroupName,
      retentionInDays: 7,
      arn: `arn:aws:logs:${REGION}:${CICD}:log-group:${logGroupName}:*`,
    });
    const resourceArn = logGroups![0]!.logGroupArn!;
    await logs.send(new TagResourceCommand({ resourceArn, tags: { a: "1", b: "2" } }));
    await logs.send(new UntagResourceCommand({ resourceArn, tagKeys: ["a"] }));
    expect((await logs.send(new ListTagsForResourceCommand({ resourceArn }))).tags).toEqual({ b: "2" });
    const streams = await logs.send(new DescribeLogStreamsCommand({ logGroupName }));
    expect(streams.logStreams!.map(({ logStreamName }) => logStreamName)).toEqual(["a", "b"]);
    await logs.send(new DeleteLogStreamCommand({ logGroupName, logStreamName: "a" }));
    await logs.send(new DeleteLogGroupCommand({ logGroupName }));
    await expect(logs.send(new DescribeLogStreamsCommand({ logGroupName }))).rejects.toMatchObject({
      name: "ResourceNotFoundException",
      message: "The specified log group does not exist.",
    });
  });

  test("a group made anew has nothing of the old one", async () => {
    const stream = await newStream();
    await put(stream, [Date.now(), "old"]);
    await logs.send(new DeleteLogGroupCommand(stream));
    await logs.send(new CreateLogGroupCommand(stream));
    await newStream({ group: stream.logGroupName });
    expect(messages(await get(stream))).toEqual([]);
  });

  test("streams are ordered by their last event", async () => {
    const early = await newStream({ stream: "z" });
    const late = await newStream({ group: early.logGroupName, stream: "y" });
    const now = Date.now();
    await put(early, [now - MINUTE, "a"], [now - 10, "b"]);
    await put(late, [now, "c"]);
    const { logStreams } = await logs.send(
      new DescribeLogStreamsCommand({ logGroupName: early.logGroupName, orderBy: "LastEventTime", descending: true }),
    );
    expect(logStreams).toMatchObject([
      { logStreamName: "y", lastEventTimestamp: now },
      { logStreamName: "z", firstEventTimestamp: now - MINUTE, lastEventTimestamp: now - 10 },
    ]);
  });

  test.each([
    ["a group with a space", () => logs.send(new CreateLogGroupCommand({ logGroupName: "a b" })), "logGroupName"],
    ["a stream with a colon", async () => newStream({ ...(await newStream()), group: `/test/${count}`, stream: "a:b" }), "logStreamName"],
    [
      "a retention that does not exist",
      async () => logs.send(new PutRetentionPolicyCommand({ ...(await newStream()), retentionInDays: 8 })),
      "8 is not",
    ],
  ])("refuse %s", async (_what, attempt, message) => {
    await expect(attempt()).rejects.toMatchObject({ name: "InvalidParameterException", message: expect.stringContaining(message) });
  });
});

describe("PutLogEvents", () => {
  test("names events that are too old, too new or expired, and keeps the others", async () => {
    const stream = await newStream();
    const now = Date.now();
    const day = 24 * 60 * MINUTE;
    expect((await put(stream, [now - 15 * day, "old"], [now - 14.5 * day, "old too"])).rejectedLogEventsInfo).toEqual({
      tooOldLogEventEndIndex: 2,
    });
    expect((await put(stream, [now, "good"], [now + 180 * MINUTE, "new"])).rejectedLogEventsInfo).toEqual({ tooNewLogEventStartIndex: 1 });
    await logs.send(new PutRetentionPolicyCommand({ ...stream, retentionInDays: 1 }));
    expect((await put(stream, [now - 2 * day, "expired"])).rejectedLogEventsInfo).toEqual({ expiredLogEventEndIndex: 1 });
    expect(messages(await get(stream))).toEqual(["good"]);
  });

  test("wants order, a day at most, and a stream that is there", async () => {
    const stream = await newStream();
    const now = Date.now();
    await expect(put(stream, [now, "a"], [now - 1, "b"])).rejects.toThrow("chronological order");
    await expect(put(stream, [now - 25 * 60 * MINUTE, "a"], [now, "b"])).rejects.toThrow("24 hours");
    await expect(put({ ...stream, logStreamName: "none" }, [now, "a"])).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });
});

describe("GetLogEvents", () => {
  test("orders events by time, though batches overlap", async () => {
    const stream = await newStream();
    const now = Date.now() - 10 * MINUTE;
    await put(stream, [now, "1"], [now + 4000, "5"], [now + 6000, "7"]);
    await put(stream, [now + 2000, "3"], [now + 3000, "4"]);
    await put(stream, [now + 1000, "2"], [now + 5000, "6"], [now + 6000, "8"]);
    expect(messages(await get(stream))).toEqual(["1", "2", "3", "4", "5", "6", "7", "8"]);
    expect(messages(await get(stream, { limit: 3 }))).toEqual(["6", "7", "8"]);
    expect(messages(await get(stream, { limit: 3, startFromHead: true }))).toEqual(["1", "2", "3"]);
    expect(messages(await get(stream, { startTime: now + 2000, endTime: now + 5000 }))).toEqual(["3", "4", "5"]);
  });

  test("goes through a long stream in both directions", async () => {
    const stream = await newStream();
    const now = Date.now() - 10 * MINUTE;
    const all = Array.from({ length: 250 }, (_, index) => String(index));
    // Many batches, some of them interlocked.
    for (let at = 0; at < 250; at += 2)
      await put(stream, ...[0, 1].map((more) => [now + (at + more * ((at / 2) % 3)) * 10, String(at + more)] as const));
    const forward: (string | undefined)[] = [];
    let token: string | undefined;
    for (;;) {
      const answer = await get(stream, { startFromHead: true, limit: 40, ...(token && { nextToken: token }) });
      if (answer.nextForwardToken === token) break;
      forward.push(...messages(answer));
      token = answer.nextForwardToken;
    }
    expect(forward.toSorted((a, b) => Number(a) - Number(b))).toEqual(all);
    const backward: (string | undefined)[] = [];
    token = undefined;
    for (;;) {
      const answer = await get(stream, { limit: 33, ...(token && { nextToken: token }) });
      if (answer.nextBackwardToken === token) break;
      backward.unshift(...messages(answer));
      token = answer.nextBackwardToken;
    }
    expect(backward).toEqual(forward);
  });

  test("goes on with what arrives after the end", async () => {
    const stream = await newStream();
    const empty = await get(stream, { startFromHead: true });
    expect(messages(empty)).toEqual([]);
    await put(stream, [Date.now(), "a"]);
    const first = await get(stream, { nextToken: empty.nextForwardToken });
    expect(messages(first)).toEqual(["a"]);
    expect((await get(stream, { nextToken: first.nextForwardToken })).nextForwardToken).toBe(first.nextForwardToken);
    await put(stream, [Date.now(), "b"]);
    expect(messages(await get(stream, { nextToken: first.nextForwardToken }))).toEqual(["b"]);
  });

  test("reads what services wrote, who make their groups by themselves", async () => {
    const { core } = accounts.accounts;
    const stream = { logGroupName: `/aws/codebuild/x${++count}`, logStreamName: "build/1" };
    const place = { account: CICD, region: REGION, group: stream.logGroupName, stream: stream.logStreamName };
    core.logs.append(place, ["one", "two"]);
    core.logs.append(place, ["three"]);
    core.logs.append(place, []);
    expect(messages(await get(stream, { startFromHead: true }))).toEqual(["one", "two", "three"]);
  });
});

describe("FilterLogEvents", () => {
  test("merges streams in order of time, page by page, without losing or repeating one", async () => {
    const one = await newStream({ stream: "a-1" });
    const two = await newStream({ group: one.logGroupName, stream: "a-2" });
    const other = await newStream({ group: one.logGroupName, stream: "b" });
    const now = Date.now() - 10 * MINUTE;
    for (let at = 0; at < 20; at++) await put(at % 2 ? one : two, [now + Math.floor(at / 4), `m${at}`]);
    await put(other, [now, "other"]);
    const found: string[] = [];
    let nextToken: string | undefined;
    do {
      const answer = await logs.send(
        new FilterLogEventsCommand({ logGroupName: one.logGroupName, logStreamNamePrefix: "a", limit: 3, ...(nextToken && { nextToken }) }),
      );
      expect(answer.events!.length).toBeLessThanOrEqual(3);
      found.push(...(messages(answer) as string[]));
      nextToken = answer.nextToken;
    } while (nextToken);
    expect(found.length).toBe(20);
    expect(new Set(found).size).toBe(20);
  });

  const lines = [
    "ERROR disk full",
    "ERROR net down",
    "WARN disk slow",
    '{"level":"error","n":3,"at":{"host":"a"},"tags":["x"]}',
    '{"level":"info","n":10,"gone":null,"ok":true}',
  ];
  test.each([
    ["ERROR", [0, 1]],
    ["ERROR disk", [0]],
    ["ERROR -disk", [1]],
    ['"disk slow"', [2]],
    ["?ERROR ?WARN", [0, 1, 2]],
    ["%disk (full|slow)%", [0, 2]],
    ["", [0, 1, 2, 3, 4]],
    ['{ $.level = "error" }', [3]],
    ['{ $.level = "e*" }', [3]],
    ["{ $.n > 3 }", [4]],
    ['{ $.n >= 3 && $.level != "info" }', [3]],
    ['{ ($.at.host = "a") || ($.n = 10) }', [3, 4]],
    ["{ $.gone IS NULL }", [4]],
    ["{ $.ok IS TRUE }", [4]],
    ["{ $.at NOT EXISTS }", [4]],
    ['{ $.tags[0] = "x" }', [3]],
  ] as const)("filters by %s", async (filterPattern, expected) => {
    const stream = await newStream();
    const now = Date.now();
    await put(stream, ...lines.map((line, index) => [now + index, line] as const));
    const answer = await logs.send(new FilterLogEventsCommand({ logGroupName: stream.logGroupName, filterPattern }));
    expect(messages(answer)).toEqual(expected.map((index) => lines[index]));
  });
  test.each(["{ $.a = }", "{ $.a", "{ a = 1 }", "%(%"])("refuses the pattern %s", async (filterPattern) => {
    const { logGroupName } = await newStream();
    await expect(logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern }))).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
  });
});

test("IAM sees the stream", async () => {
  const stream = await newStream();
  const developer = new CloudWatchLogsClient(accounts.config("developer"));
  await developer.send(new GetLogEventsCommand(stream));
  await expect(
    developer.send(new PutLogEventsCommand({ ...stream, logEvents: [{ timestamp: Date.now(), message: "x" }] })),
  ).rejects.toMatchObject({
    name: "AccessDeniedException",
    message: expect.stringContaining(
      `on resource: arn:aws:logs:${REGION}:${CICD}:log-group:${stream.logGroupName}:log-stream:stream because`,
    ),
  });
});

test("what is not built says so", async () => {
  await expect(
    logs.send(new StartLiveTailCommand({ logGroupIdentifiers: [`arn:aws:logs:${REGION}:${CICD}:log-group:x`] })),
  ).rejects.toThrow();
});

test("events are there after a restart", async () => {
  const stream = await newStream();
  await put(stream, [Date.now(), "kept"]);
  await accounts.restart();
  logs = new CloudWatchLogsClient(accounts.config("cicd"));
  expect(messages(await get(stream))).toEqual(["kept"]);
});
