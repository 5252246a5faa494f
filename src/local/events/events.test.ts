import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateBucketCommand, PutBucketNotificationConfigurationCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateStateMachineCommand, DescribeExecutionCommand, ListExecutionsCommand, SFNClient } from "@aws-sdk/client-sfn";
import {
  DeleteRuleCommand,
  DescribeEventBusCommand,
  DescribeRuleCommand,
  DisableRuleCommand,
  EnableRuleCommand,
  EventBridgeClient,
  ListRuleNamesByTargetCommand,
  ListRulesCommand,
  ListTagsForResourceCommand,
  ListTargetsByRuleCommand,
  PutEventsCommand,
  PutRuleCommand,
  type PutRuleCommandInput,
  PutTargetsCommand,
  RemoveTargetsCommand,
  TagResourceCommand,
  type Target,
  TestEventPatternCommand,
  UntagResourceCommand,
} from "@aws-sdk/client-eventbridge";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CICD, REGION, startAccounts, type TestAccounts } from "../testing/accounts.ts";

let accounts: TestAccounts;
beforeAll(async () => {
  accounts = await startAccounts();
});
afterAll(() => accounts[Symbol.asyncDispose]());

const events = (profile: "cicd" | "developer" = "cicd") => new EventBridgeClient(accounts.config(profile));
const sfn = () => new SFNClient(accounts.config());
const policy = (...Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });

let count = 0;
const fresh = (kind: string) => `${kind}-${++count}`;

async function role(service: string, ...actions: string[]): Promise<string> {
  const iam = new IAMClient(accounts.config());
  const RoleName = fresh("role");
  const { Role } = await iam.send(
    new CreateRoleCommand({
      RoleName,
      AssumeRolePolicyDocument: policy({ Effect: "Allow", Principal: { Service: service }, Action: "sts:AssumeRole" }),
    }),
  );
  if (actions.length > 0)
    await iam.send(
      new PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument: policy({ Effect: "Allow", Action: actions, Resource: "*" }) }),
    );
  return Role!.Arn!;
}

/** A machine that hands on what it is given, so that its executions tell what a target got. */
async function machine(): Promise<string> {
  const definition = JSON.stringify({ StartAt: "S", States: { S: { Type: "Pass", End: true } } });
  return (
    await sfn().send(new CreateStateMachineCommand({ name: fresh("machine"), definition, roleArn: await role("states.amazonaws.com") }))
  ).stateMachineArn!;
}

async function rule(input: Partial<PutRuleCommandInput>, target?: Omit<Target, "Id">): Promise<string> {
  const Name = fresh("rule");
  await events().send(new PutRuleCommand({ Name, ...input }));
  if (target !== undefined) await events().send(new PutTargetsCommand({ Rule: Name, Targets: [{ Id: "t", ...target }] }));
  return Name;
}

const put = (Source: string, Detail: unknown = {}, DetailType = "Test") =>
  events().send(new PutEventsCommand({ Entries: [{ Source, DetailType, Detail: JSON.stringify(Detail), Resources: ["arn:x"] }] }));

/** The inputs of a machine's executions, once there are `wanted`. */
const received = (stateMachineArn: string, wanted = 1) =>
  vi.waitFor(
    async () => {
      const { executions } = await sfn().send(new ListExecutionsCommand({ stateMachineArn }));
      expect(executions!.length).toBeGreaterThanOrEqual(wanted);
      const described = await Promise.all(
        executions!.map(({ executionArn }) => sfn().send(new DescribeExecutionCommand({ executionArn }))),
      );
      return described.map(({ input }) => JSON.parse(input!) as unknown);
    },
    { timeout: 90_000 },
  );

const starts = "states:StartExecution";
const toMachine = async (Arn: string, more: Partial<Target> = {}) => ({
  Arn,
  RoleArn: await role("events.amazonaws.com", starts),
  ...more,
});

describe("rules and targets", () => {
  test("are put, described, listed, switched and deleted", async () => {
    const EventPattern = JSON.stringify({ source: ["a"] });
    const Arn = await machine();
    const target = await toMachine(Arn, { InputPath: "$.detail" });
    const Name = await rule({ EventPattern, Description: "d", Tags: [{ Key: "team", Value: "a" }] }, target);
    const RuleArn = `arn:aws:events:${REGION}:${CICD}:rule/${Name}`;
    expect(await events().send(new DescribeRuleCommand({ Name }))).toMatchObject({
      Name,
      Arn: RuleArn,
      EventPattern,
      Description: "d",
      State: "ENABLED",
      EventBusName: "default",
      CreatedBy: CICD,
    });
    await events().send(new DisableRuleCommand({ Name }));
    expect((await events().send(new ListRulesCommand({ NamePrefix: Name }))).Rules).toMatchObject([{ Name, State: "DISABLED" }]);
    await events().send(new EnableRuleCommand({ Name }));
    expect((await events().send(new ListTargetsByRuleCommand({ Rule: Name }))).Targets).toEqual([{ Id: "t", ...target }]);
    expect((await events().send(new ListRuleNamesByTargetCommand({ TargetArn: Arn }))).RuleNames).toEqual([Name]);
    await events().send(new TagResourceCommand({ ResourceARN: RuleArn, Tags: [{ Key: "b", Value: "2" }] }));
    await events().send(new UntagResourceCommand({ ResourceARN: RuleArn, TagKeys: ["team"] }));
    expect((await events().send(new ListTagsForResourceCommand({ ResourceARN: RuleArn }))).Tags).toEqual([{ Key: "b", Value: "2" }]);
    await expect(events().send(new DeleteRuleCommand({ Name }))).rejects.toMatchObject({
      name: "ValidationException",
      message: "Rule can't be deleted since it has targets.",
    });
    await events().send(new RemoveTargetsCommand({ Rule: Name, Ids: ["t"] }));
    await events().send(new DeleteRuleCommand({ Name }));
    await events().send(new DeleteRuleCommand({ Name }));
    await expect(events().send(new DescribeRuleCommand({ Name }))).rejects.toMatchObject({ name: "ResourceNotFoundException" });
  });

  test("pages of rules", async () => {
    const names = await Promise.all([1, 2, 3].map(() => rule({ EventPattern: '{"source":["paging"]}' })));
    const found: string[] = [];
    let NextToken: string | undefined;
    do {
      const page = await events().send(new ListRulesCommand({ Limit: 2, NextToken }));
      expect(page.Rules!.length).toBeLessThanOrEqual(2);
      found.push(...page.Rules!.map(({ Name }) => Name!));
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    expect(found).toEqual(expect.arrayContaining(names));
    expect(new Set(found).size).toBe(found.length);
  });

  test.each([
    [
      { EventPattern: '{"a": [{"glob": 1}]}' },
      "InvalidEventPatternException",
      /Event pattern is not valid. Reason: Unrecognized match type glob/,
    ],
    [{}, "ValidationException", /EventPattern or ScheduleExpression/],
    [{ ScheduleExpression: "rate(5 minute)" }, "ValidationException", /ScheduleExpression is not valid/],
    [{ EventPattern: '{"a":[1]}', EventBusName: "custom" }, "ResourceNotFoundException", /Event bus custom does not exist/],
  ])("rule %j is refused", async (input, name, message) => {
    await expect(events().send(new PutRuleCommand({ Name: "x", ...input }))).rejects.toMatchObject({
      name,
      message: expect.stringMatching(message),
    });
  });

  test.each([
    [{ Arn: "arn:aws:sqs:us-east-1:111122223333:q" }, /have no target like/],
    [{ Arn: "arn:aws:states:us-east-1:111122223333:stateMachine:m" }, /RoleArn is required/],
    [{ Arn: "arn:aws:lambda:us-east-1:111122223333:function:f", Input: "{" }, /JSON syntax error/],
    [{ Arn: "arn:aws:lambda:us-east-1:111122223333:function:f", Input: "{}", InputPath: "$.a" }, /Only one of/],
    [{ Arn: "arn:aws:lambda:us-east-1:111122223333:function:f", InputPath: "detail" }, /Invalid JSONPath/],
  ])("target %j is refused", async (target, message) => {
    const Rule = await rule({ EventPattern: '{"source":["none"]}' });
    await expect(events().send(new PutTargetsCommand({ Rule, Targets: [{ Id: "t", ...target }] }))).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringMatching(message),
    });
  });

  test("a developer may neither put rules nor events", async () => {
    await expect(events("developer").send(new PutRuleCommand({ Name: "x", EventPattern: "{}" }))).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
    await expect(
      events("developer").send(new PutEventsCommand({ Entries: [{ Source: "a", DetailType: "b", Detail: "{}" }] })),
    ).rejects.toMatchObject({ name: "AccessDeniedException" });
  });
});

describe("events", () => {
  test("reach the targets of rules they fit, and no others", async () => {
    const [yes, no, off] = [await machine(), await machine(), await machine()];
    const source = fresh("source");
    await rule({ EventPattern: JSON.stringify({ source: [source], detail: { n: [{ numeric: [">", 1] }] } }) }, await toMachine(yes));
    await rule({ EventPattern: JSON.stringify({ source: [source], detail: { n: [1] } }) }, await toMachine(no));
    await rule({ EventPattern: JSON.stringify({ source: [source] }), State: "DISABLED" }, await toMachine(off));
    const { Entries, FailedEntryCount } = await put(source, { n: 2 });
    expect(FailedEntryCount).toBe(0);
    expect(await received(yes)).toEqual([
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
    for (const other of [no, off]) expect((await sfn().send(new ListExecutionsCommand({ stateMachineArn: other }))).executions).toEqual([]);
  });

  test.each([
    [{ Input: '{"fixed":true}' }, { fixed: true }],
    [{ InputPath: "$.detail.a" }, { b: [1] }],
    [
      { InputTransformer: { InputPathsMap: { s: "$.source", b: "$.detail.a.b" }, InputTemplate: '{"from": "the <s>", "b": <b>}' } },
      { from: expect.stringMatching(/^the source-/), b: [1] },
    ],
  ])("shaped by %j", async (shape, expected) => {
    const arn = await machine();
    const source = fresh("source");
    await rule({ EventPattern: JSON.stringify({ source: [source] }) }, await toMachine(arn, shape));
    await put(source, { a: { b: [1] } });
    expect(await received(arn)).toEqual([expected]);
  });

  test("of other services arrive: an object of S3 and the end of an execution", async () => {
    const Bucket = fresh("bucket");
    const s3 = new S3Client(accounts.config());
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration: { EventBridgeConfiguration: {} } }));
    const [objects, ends] = [await machine(), await machine()];
    await rule(
      { EventPattern: JSON.stringify({ source: ["aws.s3"], "detail-type": ["Object Created"], detail: { bucket: { name: [Bucket] } } }) },
      await toMachine(objects, { InputPath: "$.detail.object.key" }),
    );
    await rule(
      { EventPattern: JSON.stringify({ source: ["aws.states"], detail: { stateMachineArn: [objects], status: ["SUCCEEDED"] } }) },
      await toMachine(ends, { InputPath: "$.detail.output" }),
    );
    await s3.send(new PutObjectCommand({ Bucket, Key: "a b.txt", Body: "x" }));
    expect(await received(objects)).toEqual(["a b.txt"]);
    expect(await received(ends)).toEqual(['"a b.txt"']);
  });

  test("entries that are wrong fail alone", async () => {
    const good = { Source: "mine", DetailType: "t", Detail: "{}" };
    const { FailedEntryCount, Entries } = await events().send(
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
    const source = fresh("source");
    const RoleArn = await role("events.amazonaws.com");
    const Name = await rule({ EventPattern: JSON.stringify({ source: [source] }) }, { Arn: await machine(), RoleArn });
    await put(source);
    await vi.waitFor(() =>
      expect(accounts.log.join("\n")).toMatch(
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
    expect(await events().send(new TestEventPatternCommand({ EventPattern: '{"detail":{"a":[1]}}', Event }))).toMatchObject({
      Result: true,
    });
    expect(await events().send(new TestEventPatternCommand({ EventPattern: '{"detail":{"a":[2]}}', Event }))).toMatchObject({
      Result: false,
    });
    await expect(events().send(new TestEventPatternCommand({ EventPattern: '{"a":[1]}', Event: "{}" }))).rejects.toMatchObject({
      name: "ValidationException",
    });
    // A regular expression would try all ways to share the text among the stars, and nobody else would be served meanwhile.
    const long = JSON.stringify({ ...(JSON.parse(Event) as object), detail: { a: `${"a".repeat(60)}b` } });
    const starred = JSON.stringify({ detail: { a: [{ wildcard: "*a".repeat(30) }] } });
    expect(await events().send(new TestEventPatternCommand({ EventPattern: starred, Event: long }))).toMatchObject({ Result: false });
  });

  test("the default bus is there", async () => {
    expect(await events().send(new DescribeEventBusCommand({}))).toMatchObject({
      Name: "default",
      Arn: `arn:aws:events:${REGION}:${CICD}:event-bus/default`,
    });
  });
});

test("what was on its way when the process ended is delivered by the next one", async () => {
  const arn = await machine();
  const source = fresh("source");
  await rule({ EventPattern: JSON.stringify({ source: [source] }) }, await toMachine(arn, { InputPath: "$.detail" }));
  const { core } = accounts.accounts;
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
  await accounts.restart();
  expect(await received(arn)).toEqual([{ late: true }]);
});
