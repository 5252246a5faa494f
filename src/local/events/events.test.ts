import { CreateBucketCommand, PutBucketNotificationConfigurationCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { DescribeEventBusCommand, PutEventsCommand, TestEventPatternCommand } from "@aws-sdk/client-eventbridge";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CICD, REGION } from "../testing/accounts.ts";
import { type EventsLab, openEventsLab } from "./testing/events-lab.ts";

let lab: EventsLab;
beforeAll(async () => {
  lab = await openEventsLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

describe("events", () => {
  test("reach the targets of rules they fit, and no others", async () => {
    const [yes, no, off] = [await lab.machine(), await lab.machine(), await lab.machine()];
    const source = lab.fresh("source");
    await lab.rule(
      { EventPattern: JSON.stringify({ source: [source], detail: { n: [{ numeric: [">", 1] }] } }) },
      await lab.toMachine(yes),
    );
    await lab.rule({ EventPattern: JSON.stringify({ source: [source], detail: { n: [1] } }) }, await lab.toMachine(no));
    await lab.rule({ EventPattern: JSON.stringify({ source: [source] }), State: "DISABLED" }, await lab.toMachine(off));
    const { Entries, FailedEntryCount } = await lab.put(source, { n: 2 });
    expect(FailedEntryCount).toBe(0);
    expect(await lab.received(yes)).toEqual([
      {
        version: "0",
        id: Entries![0]!.EventId,
        "detail-type": "Test",
        source,
        account: CICD,
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        region: REGION,
        resources: ["arn:x"],
        detail: { n: 2 },
      },
    ]);
    for (const other of [no, off]) expect(await lab.inputs(other)).toEqual([]);
  });

  test.each([
    [{ Input: '{"fixed":true}' }, { fixed: true }],
    [{ InputPath: "$.detail.a" }, { b: [1] }],
    [
      { InputTransformer: { InputPathsMap: { s: "$.source", b: "$.detail.a.b" }, InputTemplate: '{"from": "the <s>", "b": <b>}' } },
      { from: expect.stringMatching(/^the source-/), b: [1] },
    ],
  ])("shaped by %j", async (shape, expected) => {
    const arn = await lab.machine();
    const source = lab.fresh("source");
    await lab.rule({ EventPattern: JSON.stringify({ source: [source] }) }, await lab.toMachine(arn, shape));
    await lab.put(source, { a: { b: [1] } });
    expect(await lab.received(arn)).toEqual([expected]);
  });

  test("of other services arrive: an object of S3 and the end of an execution", async () => {
    const Bucket = lab.fresh("bucket");
    const s3 = new S3Client(lab.accounts.config());
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: { EventBridgeConfiguration: {} } }));
    const [objects, ends] = [await lab.machine(), await lab.machine()];
    await lab.rule(
      { EventPattern: JSON.stringify({ source: ["aws.s3"], "detail-type": ["Object Created"], detail: { bucket: { name: [Bucket] } } }) },
      await lab.toMachine(objects, { InputPath: "$.detail.object.key" }),
    );
    await lab.rule(
      { EventPattern: JSON.stringify({ source: ["aws.states"], detail: { stateMachineArn: [objects], status: ["SUCCEEDED"] } }) },
      await lab.toMachine(ends, { InputPath: "$.detail.output" }),
    );
    await s3.send(new PutObjectCommand({ Bucket, Key: "a b.txt", Body: "x" }));
    expect(await lab.received(objects)).toEqual(["a b.txt"]);
    expect(await lab.received(ends)).toEqual(['"a b.txt"']);
  });

  test("entries that are wrong fail alone", async () => {
    const good = { Source: "mine", DetailType: "t", Detail: "{}" };
    const { FailedEntryCount, Entries } = await lab.events().send(
      new PutEventsCommand({
        Entries: [good, { ...good, Detail: "[]" }, { ...good, Source: "aws.ecr" }, { ...good, DetailType: undefined }],
      }),
    );
    expect(FailedEntryCount).toBe(3);
    expect(Entries).toMatchObject([
      { EventId: expect.any(String) },
      { ErrorCode: "MalformedDetail" },
      { ErrorCode: "NotAuthorizedForSourceException" },
      { ErrorCode: "InvalidArgument" },
    ]);
  });

  test("that a target's role may not deliver are told in the log", async () => {
    const source = lab.fresh("source");
    const RoleArn = await lab.role("events.amazonaws.com");
    const Name = await lab.rule({ EventPattern: JSON.stringify({ source: [source] }) }, { Arn: await lab.machine(), RoleArn });
    await lab.put(source);
    await vi.waitFor(() =>
      expect(lab.accounts.log.join("\n")).toMatch(
        new RegExp(`rule ${Name} was not delivered to .*not authorized to perform: states:StartExecution`),
      ),
    );
  });

  test("a pattern is tried without a rule", async () => {
    const Event = JSON.stringify({
      id: "1",
      account: "1",
      source: "s",
      time: "t",
      region: "r",
      resources: [],
      "detail-type": "d",
      detail: { a: 1 },
    });
    expect(await lab.events().send(new TestEventPatternCommand({ EventPattern: '{"detail":{"a":[1]}}', Event }))).toMatchObject({
      Result: true,
    });
    expect(await lab.events().send(new TestEventPatternCommand({ EventPattern: '{"detail":{"a":[2]}}', Event }))).toMatchObject({
      Result: false,
    });
    await expect(lab.events().send(new TestEventPatternCommand({ EventPattern: '{"a":[1]}', Event: "{}" }))).rejects.toMatchObject({
      name: "ValidationException",
    });
    // A regular expression would try all ways to share the text among the stars, and nobody else would be served meanwhile.
    const long = JSON.stringify({ ...(JSON.parse(Event) as object), detail: { a: `${"a".repeat(60)}b` } });
    const starred = JSON.stringify({ detail: { a: [{ wildcard: "*a".repeat(30) }] } });
    expect(await lab.events().send(new TestEventPatternCommand({ EventPattern: starred, Event: long }))).toMatchObject({ Result: false });
  });

  test("the default bus is there", async () => {
    expect(await lab.events().send(new DescribeEventBusCommand({}))).toMatchObject({
      Name: "default",
      Arn: `arn:aws:events:${REGION}:${CICD}:event-bus/default`,
    });
  });
});

test("what was on its way when the process ended is delivered by the next one", async () => {
  const arn = await lab.machine();
  const source = lab.fresh("source");
  await lab.rule({ EventPattern: JSON.stringify({ source: [source] }) }, await lab.toMachine(arn, { InputPath: "$.detail" }));
  const { core } = lab.accounts.accounts;
  // As a kill between the emitting transaction and the bus leaves it: in the outbox alone.
  core.outbox.pending.put(["000000000000000-000000000"], {
    id: "9",
    time: "2026-01-01T00:00:00.000Z",
    account: CICD,
    region: REGION,
    source,
    detailType: "d",
    detail: { late: true },
    resources: [],
  });
  await lab.accounts.restart();
  expect(await lab.received(arn)).toEqual([{ late: true }]);
});
