import { CloudWatchLogsClient, CreateLogGroupCommand, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import {
  CreateStateMachineCommand,
  DeleteStateMachineCommand,
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  paginateGetExecutionHistory,
  paginateListExecutions,
  SendTaskSuccessCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
  UpdateStateMachineCommand,
} from "@aws-sdk/client-sfn";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CICD, REGION, startAccounts, type TestAccounts } from "../testing/accounts.ts";
import { Door, allow, document, FOREVER, HELLO, only, task, fresh } from "./testing/door.ts";

let accounts: TestAccounts;
beforeAll(async () => {
  accounts = await startAccounts();
});
afterAll(() => accounts[Symbol.asyncDispose]());
const { sfn, machine, start, ended, run, history, types, tokenOf, describe: describeExecution, role } = new Door(() => accounts);

describe("executions", () => {
  test("succeed with an output and a history", async () => {
    const arn = await start(await machine(HELLO), { name: "world" }, "first");
    const described = await ended(arn);
    expect(arn).toMatch(/:execution:machine-\d+:first$/);
    expect(described).toMatchObject({
      status: "SUCCEEDED",
      input: '{"name":"world"}',
      output: '{"hello":"world"}',
      name: "first",
      outputDetails: { included: true },
      startDate: expect.any(Date),
      stopDate: expect.any(Date),
    });
    const events = await history(arn);
    expect(events.map(({ id, previousEventId, type }) => [id, previousEventId, type])).toEqual([
      [1, 0, "ExecutionStarted"],
      [2, 0, "PassStateEntered"],
      [3, 2, "PassStateExited"],
      [4, 3, "ExecutionSucceeded"],
    ]);
    expect(events[0]!.executionStartedEventDetails).toMatchObject({
      input: '{"name":"world"}',
      roleArn: expect.stringContaining(":role/"),
    });
    expect(events[0]!.timestamp).toBeInstanceOf(Date);
  });

  test("fail with error and cause", async () => {
    const arn = await machine(JSON.stringify({ StartAt: "F", States: { F: { Type: "Fail", Error: "Bad", Cause: "because" } } }));
    expect(await run(arn)).toMatchObject({ status: "FAILED", error: "Bad", cause: "because" });
  });

  test("are stopped", async () => {
    const arn = await start(await machine(FOREVER));
    const { stopDate } = await sfn().send(new StopExecutionCommand({ executionArn: arn, error: "Enough", cause: "by hand" }));
    expect(await describeExecution(arn)).toMatchObject({ status: "ABORTED", error: "Enough", cause: "by hand", stopDate });
    expect(await types(arn)).toEqual(["ExecutionStarted", "WaitStateEntered", "ExecutionAborted"]);
    expect((await sfn().send(new StopExecutionCommand({ executionArn: arn }))).stopDate).toEqual(stopDate);
  });

  test("with a name are one while they run, and the name is taken for ever", async () => {
    const arn = await machine(FOREVER);
    const first = await start(arn, { a: 1 }, "only");
    expect(await start(arn, { a: 1 }, "only")).toBe(first);
    await expect(start(arn, { a: 2 }, "only")).rejects.toMatchObject({ name: "ExecutionAlreadyExists" });
    await sfn().send(new StopExecutionCommand({ executionArn: first }));
    await expect(start(arn, { a: 1 }, "only")).rejects.toMatchObject({ name: "ExecutionAlreadyExists" });
  });

  test("keep the definition they were started with", async () => {
    const arn = await machine(
      JSON.stringify({
        StartAt: "W",
        States: {
          W: task("sqs:x", {
            Resource: "arn:aws:states:::states:startExecution.waitForTaskToken",
            Parameters: { StateMachineArn: await machine(HELLO), Input: { "t.$": "$$.Task.Token", name: "n" } },
            Next: "A",
          }),
          A: { Type: "Pass", Result: "before", End: true },
        },
      }),
      { statements: [allow("states:StartExecution")] },
    );
    const execution = await start(arn);
    const token = await tokenOf(execution);
    await sfn().send(new UpdateStateMachineCommand({ stateMachineArn: arn, definition: HELLO }));
    await sfn().send(new SendTaskSuccessCommand({ taskToken: token, output: "{}" }));
    expect(await ended(execution)).toMatchObject({ output: '"before"' });
  });

  test("are listed, the newest first, by status and by page", async () => {
    const arn = await machine(HELLO);
    const names = ["a", "b", "c", "d", "e"];
    for (const name of names) await ended(await start(arn, { name }, name));
    const pages = paginateListExecutions({ client: sfn(), pageSize: 2 }, { stateMachineArn: arn });
    const found: (readonly string[])[] = [];
    for await (const { executions } of pages) found.push(executions!.map(({ name }) => name!));
    expect(found.flat().toSorted()).toEqual(names);
    expect(found.map(({ length }) => length)).toEqual([2, 2, 1]);
    expect((await sfn().send(new ListExecutionsCommand({ stateMachineArn: arn, statusFilter: "FAILED" }))).executions).toEqual([]);
    const dates = (await sfn().send(new ListExecutionsCommand({ stateMachineArn: arn }))).executions!.map(({ startDate }) =>
      Number(startDate),
    );
    expect(dates).toEqual(dates.toSorted((a, b) => b - a));
  });

  test("show their history by page, backwards and without data", async () => {
    const arn = await start(await machine(HELLO), { name: "x" });
    await ended(arn);
    const ids: number[] = [];
    for await (const { events } of paginateGetExecutionHistory({ client: sfn(), pageSize: 3 }, { executionArn: arn }))
      ids.push(...events!.map(({ id }) => id!));
    expect(ids).toEqual([1, 2, 3, 4]);
    expect((await history(arn, { reverseOrder: true, maxResults: 2 })).map(({ id }) => id)).toEqual([4, 3]);
    const [first] = await history(arn, { includeExecutionData: false });
    expect(first!.executionStartedEventDetails).toEqual({ inputDetails: { truncated: false }, roleArn: expect.any(String) });
  });

  test.each([
    ["not JSON", "{"],
    ["too large", JSON.stringify("x".repeat(300_000))],
  ])("input that is %s is refused", async (_, input) => {
    const stateMachineArn = await machine(HELLO);
    await expect(sfn().send(new StartExecutionCommand({ stateMachineArn, input }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 400 },
    });
  });

  test("go with their machine when it is deleted", async () => {
    const arn = await machine(FOREVER);
    const execution = await start(arn);
    await sfn().send(new DeleteStateMachineCommand({ stateMachineArn: arn }));
    await vi.waitFor(() => expect(describeExecution(execution)).rejects.toMatchObject({ name: "ExecutionDoesNotExist" }));
  });
});

describe("what others see of it", () => {
  test("each change of status is an event", async () => {
    const [watched, watcher] = [await machine(HELLO), await machine(only({ Type: "Pass" }))];
    const events = new EventBridgeClient(accounts.config());
    const Name = fresh("rule");
    await events.send(
      new PutRuleCommand({
        Name,
        EventPattern: JSON.stringify({
          source: ["aws.states"],
          "detail-type": ["Step Functions Execution Status Change"],
          detail: { stateMachineArn: [watched] },
        }),
      }),
    );
    const RoleArn = await role(allow("states:StartExecution"));
    await events.send(new PutTargetsCommand({ Rule: Name, Targets: [{ Id: "t", Arn: watcher, RoleArn }] }));
    const arn = await start(watched, { name: "seen" });
    const seen = await vi.waitFor(async () => {
      const { executions } = await sfn().send(new ListExecutionsCommand({ stateMachineArn: watcher }));
      expect(executions!.length).toBe(2);
      return Promise.all(
        executions!.map(
          async ({ executionArn }) =>
            JSON.parse((await describeExecution(executionArn!)).input!) as { detail: object; resources: string[] },
        ),
      );
    });
    const details = seen.map(({ detail }) => detail as Record<string, unknown>);
    expect(details.map(({ status }) => status).toSorted()).toEqual(["RUNNING", "SUCCEEDED"]);
    expect(details.find(({ status }) => status === "SUCCEEDED")).toMatchObject({
      executionArn: arn,
      input: '{"name":"seen"}',
      output: '{"hello":"seen"}',
      startDate: expect.any(Number),
      stopDate: expect.any(Number),
    });
    expect(seen[0]!.resources).toEqual([arn]);
  });

  test.each([
    ["ALL", ["ExecutionStarted", "PassStateEntered", "PassStateExited", "FailStateEntered", "ExecutionFailed"]],
    ["ERROR", ["ExecutionFailed"]],
    ["FATAL", ["ExecutionFailed"]],
  ] as const)("logging by level %s", async (level, expected) => {
    const definition = JSON.stringify({ StartAt: "P", States: { P: { Type: "Pass", Next: "F" }, F: { Type: "Fail", Error: "Bad" } } });
    const group = `/states/${fresh("group")}`;
    const logs = new CloudWatchLogsClient(accounts.config());
    await logs.send(new CreateLogGroupCommand({ logGroupName: group }));
    const loggingConfiguration = {
      level,
      includeExecutionData: false,
      destinations: [{ cloudWatchLogsLogGroup: { logGroupArn: `arn:aws:logs:${REGION}:${CICD}:log-group:${group}:*` } }],
    };
    await expect(machine(definition, { loggingConfiguration })).rejects.toMatchObject({
      name: "AccessDeniedException",
      message: expect.stringContaining("Log Destination"),
    });
    const arn = await start(await machine(definition, { loggingConfiguration, statements: [allow("logs:*")] }), { secret: 1 });
    await ended(arn);
    const { events } = await logs.send(new FilterLogEventsCommand({ logGroupName: group }));
    const lines = events!.map(({ message }) => JSON.parse(message!) as Record<string, unknown>);
    expect(lines.map(({ type }) => type)).toEqual(expected);
    expect(lines.at(-1)).toMatchObject({
      type: "ExecutionFailed",
      details: { error: "Bad" },
      execution_arn: arn,
      id: "5",
      previous_event_id: "4",
      event_timestamp: expect.stringMatching(/^\d{13}$/),
    });
    expect(JSON.stringify(lines)).not.toContain("secret");
  });
});

test("a restart goes on with what was running, and nothing is lost", async () => {
  const own = await startAccounts();
  await using _ = own;
  const client = () => new SFNClient(own.config());
  const iam = new IAMClient(own.config());
  const { Role } = await iam.send(
    new CreateRoleCommand({
      RoleName: "r",
      AssumeRolePolicyDocument: document({ Effect: "Allow", Principal: { Service: "states.amazonaws.com" }, Action: "sts:AssumeRole" }),
    }),
  );
  await iam.send(new PutRolePolicyCommand({ RoleName: "r", PolicyName: "p", PolicyDocument: document(allow("states:*")) }));
  const make = async (name: string, definition: string) =>
    (await client().send(new CreateStateMachineCommand({ name, definition, roleArn: Role!.Arn }))).stateMachineArn!;
  const child = await make("child", HELLO);
  const Parameters = { StateMachineArn: child, Input: { "t.$": "$$.Task.Token", name: "n" } };
  const parent = await make(
    "parent",
    JSON.stringify({
      StartAt: "Once",
      States: {
        Once: { Type: "Pass", Parameters: { "id.$": "States.UUID()" }, Next: "Ask" },
        Ask: task("states:startExecution.waitForTaskToken", { Parameters, ResultPath: "$.answer", End: true }),
      },
    }),
  );
  const { executionArn } = await client().send(new StartExecutionCommand({ stateMachineArn: parent, input: "{}" }));
  const before = await vi.waitFor(async () => {
    const { events } = await client().send(new GetExecutionHistoryCommand({ executionArn }));
    expect(events!.at(-1)!.type).toBe("TaskSubmitted");
    return events!;
  });
  await own.restart();
  const { Input } = JSON.parse(before.find(({ type }) => type === "TaskScheduled")!.taskScheduledEventDetails!.parameters!) as {
    Input: { t: string };
  };
  await client().send(new SendTaskSuccessCommand({ taskToken: Input.t, output: "42" }));
  const described = await vi.waitFor(async () => {
    const found = await client().send(new DescribeExecutionCommand({ executionArn }));
    expect(found.status).toBe("SUCCEEDED");
    return found;
  });
  expect(JSON.parse(described.output!)).toEqual({ id: expect.any(String), answer: 42 });
  const { events } = await client().send(new GetExecutionHistoryCommand({ executionArn }));
  expect(events!.slice(0, before.length)).toEqual(before);
  expect((await client().send(new ListExecutionsCommand({ stateMachineArn: child }))).executions!.length).toBe(1);
});
