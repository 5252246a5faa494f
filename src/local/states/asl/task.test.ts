import { describe, expect, test } from "vitest";
import { ExecutionStopped } from "./errors.ts";
import type { RunTask } from "./task-call.ts";
import { only, outputOf, runMachine, sketch } from "./testing/machine.ts";
import { failing, INVOKE, task } from "./testing/tasks.ts";
import { VirtualClock } from "./testing/virtual-clock.ts";

const FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:f";

describe("the history of a task", () => {
  test("by a service integration", async () => {
    const { events } = await runMachine(only(task({ Parameters: { "a.$": "$.x" }, TimeoutSeconds: 5 })), { input: { x: 1 } });
    expect(sketch(events)).toEqual([
      "1<0 ExecutionStarted",
      "2<0 TaskStateEntered",
      "3<2 TaskScheduled",
      "4<3 TaskStarted",
      "5<4 TaskSucceeded",
      "6<5 TaskStateExited",
      "7<6 ExecutionSucceeded",
    ]);
    expect(events[2]?.taskScheduledEventDetails).toEqual({
      resourceType: "lambda",
      resource: "invoke",
      region: "us-east-1",
      parameters: '{"a":1}',
      timeoutInSeconds: 5,
    });
    expect(events[4]?.taskSucceededEventDetails).toEqual({
      resourceType: "lambda",
      resource: "invoke",
      output: '{"a":1}',
      outputDetails: { truncated: false },
    });
  });
  test("by a function's ARN, failing", async () => {
    const { events, result } = await runMachine(only(task({ Resource: FUNCTION })), { input: 7, runTask: failing("MyError") });
    expect(sketch(events)).toEqual([
      "1<0 ExecutionStarted",
      "2<0 TaskStateEntered",
      "3<2 LambdaFunctionScheduled",
      "4<3 LambdaFunctionStarted",
      "5<4 LambdaFunctionFailed",
      "6<5 ExecutionFailed",
    ]);
    expect(events[2]?.lambdaFunctionScheduledEventDetails).toEqual({ resource: FUNCTION, input: "7", inputDetails: { truncated: false } });
    expect(result).toEqual({ status: "FAILED", error: "MyError", cause: "cause of MyError" });
  });
  test("by a job that is waited for", async () => {
    const runTask: RunTask = async (call) => {
      call.submit({ Build: { Id: "b:1" } });
      return { Build: { Id: "b:1", BuildStatus: "SUCCEEDED" } };
    };
    const { events } = await runMachine(only(task({ Resource: "arn:aws:states:::codebuild:startBuild.sync" })), { runTask });
    expect(sketch(events).slice(2, 6)).toEqual(["3<2 TaskScheduled", "4<3 TaskStarted", "5<4 TaskSubmitted", "6<5 TaskSucceeded"]);
    expect(events[4]?.taskSubmittedEventDetails).toMatchObject({
      resourceType: "codebuild",
      resource: "startBuild.sync",
      output: '{"Build":{"Id":"b:1"}}',
    });
  });
  test("a job that can't be begun is a TaskSubmitFailed", async () => {
    const { events } = await runMachine(only(task({ Resource: "arn:aws:states:::states:startExecution.sync:2" })), {
      runTask: failing("E"),
    });
    expect(events[4]).toMatchObject({
      type: "TaskSubmitFailed",
      taskSubmitFailedEventDetails: { resourceType: "states", resource: "startExecution.sync:2", error: "E" },
    });
  });
  test("an SDK integration names service and operation", async () => {
    const { events } = await runMachine(only(task({ Resource: "arn:aws:states:::aws-sdk:ecr:describeRepositories" })));
    expect(events[2]?.taskScheduledEventDetails).toMatchObject({ resourceType: "aws-sdk:ecr", resource: "describeRepositories" });
  });
});

describe("timeouts", () => {
  const forever =
    (clock: VirtualClock): RunTask =>
    async ({ signal }) => {
      await clock.sleep(1e9, signal);
      return null;
    };
  test.each([
    [{ TimeoutSeconds: 5 }, {}],
    [{ TimeoutSecondsPath: "$.t" }, { t: 5 }],
    [{ QueryLanguage: "JSONata", TimeoutSeconds: "{% $states.input.t %}" }, { t: 5 }],
  ])("%j", async (fields, input) => {
    const clock = new VirtualClock();
    const { result, events } = await runMachine(only(task(fields)), { clock, input, runTask: forever(clock) });
    expect(result).toEqual({ status: "FAILED", error: "States.Timeout", cause: undefined });
    expect(sketch(events).slice(3)).toEqual(["4<3 TaskStarted", "5<4 TaskTimedOut", "6<5 ExecutionFailed"]);
    expect(Number(events[4]?.timestamp) - Number(events[2]?.timestamp)).toBe(5_000);
  });
  test("a machine's TimeoutSeconds ends the execution as TIMED_OUT", async () => {
    const clock = new VirtualClock();
    const { result, events } = await runMachine(only(task(), { TimeoutSeconds: 60 }), { clock, runTask: forever(clock) });
    expect(result).toEqual({ status: "TIMED_OUT" });
    expect(events.at(-1)).toMatchObject({ type: "ExecutionTimedOut", timestamp: new Date("2026-01-02T03:05:05Z") });
  });
  test("heartbeats keep a task alive until they stop", async () => {
    const clock = new VirtualClock();
    const runTask: RunTask = async ({ signal, heartbeat, submit }) => {
      submit({});
      for (const _ of [1, 2, 3]) {
        await clock.sleep(4_000, signal);
        heartbeat();
      }
      await clock.sleep(1e9, signal);
      return null;
    };
    const state = task({
      Resource: `${INVOKE}.waitForTaskToken`,
      HeartbeatSeconds: 5,
      Parameters: { "t.$": "$$.Task.Token" },
      Catch: [{ ErrorEquals: ["States.HeartbeatTimeout"], Next: "R" }],
      Next: "R",
    });
    const { result, events } = await runMachine({ StartAt: "S", States: { S: state, R: { Type: "Succeed" } } }, { clock, runTask });
    expect(result).toEqual({ status: "SUCCEEDED", output: { Error: "States.Timeout" } });
    expect(events.find(({ type }) => type === "TaskTimedOut")?.timestamp).toEqual(new Date("2026-01-02T03:04:22Z"));
    expect(events[2]?.taskScheduledEventDetails).toMatchObject({
      heartbeatInSeconds: 5,
      parameters: expect.stringMatching(/^\{"t":"[0-9a-f]{96}"\}$/),
    });
  });
});

test("the token of a callback is what runTask is given", async () => {
  const runTask: RunTask = async ({ taskToken, parameters }) => (parameters as { t: string }).t === taskToken;
  expect(await outputOf(task({ Resource: `${INVOKE}.waitForTaskToken`, Parameters: { "t.$": "$$.Task.Token" } }), {}, { runTask })).toBe(
    true,
  );
});

test("Credentials name the role to act as", async () => {
  const runTask: RunTask = async ({ credentials }) => credentials?.roleArn ?? null;
  const role = "arn:aws:iam::444455556666:role/x";
  expect(await outputOf(task({ Credentials: { "RoleArn.$": "$.role" } }), { role }, { runTask })).toBe(role);
});

describe("ending from outside", () => {
  const hanging: RunTask = ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
  test("ExecutionStopped makes it ABORTED", async () => {
    const stop = new AbortController();
    const runTask: RunTask = (call) => {
      queueMicrotask(() => stop.abort(new ExecutionStopped("Enough", "by hand")));
      return hanging(call);
    };
    const { result, events } = await runMachine(only(task({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "S" }] })), {
      runTask,
      signal: stop.signal,
    });
    expect(result).toEqual({ status: "ABORTED", error: "Enough", cause: "by hand" });
    expect(sketch(events).at(-1)).toBe("5<4 ExecutionAborted");
  });
  test("any other reason leaves no trace", async () => {
    const stop = new AbortController();
    const journal: unknown[] = [];
    const running = runMachine(only(task()), { runTask: hanging, signal: stop.signal, record: (entry) => journal.push(entry) });
    const before = journal.length;
    stop.abort(new Error("the process ends"));
    await expect(running).rejects.toThrow("the process ends");
    expect(journal.length - before).toBeLessThanOrEqual(2);
    expect(JSON.stringify(journal)).not.toContain("Aborted");
  });
});
