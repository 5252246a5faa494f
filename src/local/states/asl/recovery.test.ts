import { describe, expect, test } from "vitest";
import { TaskError } from "./errors.ts";
import { retryDelaySeconds } from "./recovery.ts";
import type { RunTask } from "./task-call.ts";
import { only, runMachine, sketch } from "./testing/machine.ts";
import { failing, INVOKE, task } from "./testing/tasks.ts";

describe("Retry", () => {
  const retry = (fields: object) => task({ Retry: [{ ErrorEquals: ["E"], ...fields }] });
  test("waits longer each time and counts its attempts", async () => {
    const runTask = failing("E", "E");
    const { events, result } = await runMachine(only(retry({ IntervalSeconds: 3, BackoffRate: 4 })), { runTask });
    expect(result).toMatchObject({ output: "done" });
    const scheduled = events.filter(({ type }) => type === "TaskScheduled").map(({ timestamp }) => Number(timestamp));
    expect(scheduled.map((ms) => (ms - (scheduled[0] ?? 0)) / 1000)).toEqual([0, 3, 15]);
    expect(sketch(events).slice(2, 7)).toEqual([
      "3<2 TaskScheduled",
      "4<3 TaskStarted",
      "5<4 TaskFailed",
      "6<5 TaskScheduled",
      "7<6 TaskStarted",
    ]);
    expect(new Set(runTask.calls.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(3);
  });
  test("gives up after MaxAttempts, which is 3 unless said", async () => {
    const runTask = failing("E", "E", "E", "E", "E");
    expect((await runMachine(only(retry({})), { runTask })).result).toMatchObject({ status: "FAILED", error: "E" });
    expect(runTask.calls.length).toBe(4);
  });
  test("MaxAttempts 0 never retries, and each Retry counts alone", async () => {
    const none = failing("E");
    await runMachine(only(retry({ MaxAttempts: 0 })), { runTask: none });
    expect(none.calls.length).toBe(1);
    const two = failing("E", "F", "E", "F");
    const state = task({
      Retry: [
        { ErrorEquals: ["E"], MaxAttempts: 2 },
        { ErrorEquals: ["States.ALL"], MaxAttempts: 2 },
      ],
    });
    expect((await runMachine(only(state), { runTask: two })).result).toMatchObject({ output: "done" });
  });
  test("RetryCount is in the context object", async () => {
    const seen: unknown[] = [];
    const runTask: RunTask = async ({ parameters }) => {
      seen.push(parameters);
      if (seen.length < 3) throw new TaskError("E", "");
      return null;
    };
    await runMachine(only(task({ Parameters: { "n.$": "$$.State.RetryCount" }, Retry: [{ ErrorEquals: ["E"] }] })), { runTask });
    expect(seen).toEqual([{ n: 0 }, { n: 1 }, { n: 2 }]);
  });
  test("delays: growth, limit and jitter", () => {
    const base = { ErrorEquals: ["E"], IntervalSeconds: 2, BackoffRate: 3 };
    expect([0, 1, 2].map((used) => retryDelaySeconds(base, used, 0.5))).toEqual([2, 6, 18]);
    expect(retryDelaySeconds({ ...base, MaxDelaySeconds: 10 }, 5, 0.5)).toBe(10);
    expect(retryDelaySeconds({ ...base, JitterStrategy: "FULL" }, 1, 0.5)).toBe(3);
    expect(retryDelaySeconds({ ErrorEquals: ["E"] }, 2, 0)).toBe(4);
  });
});

describe("Catch", () => {
  const caught = (ErrorEquals: readonly string[], error: string, fields: object = {}) =>
    runMachine(
      {
        StartAt: "S",
        States: {
          S: task({ Catch: [{ ErrorEquals, Next: "R", ...fields }], Next: "N" }),
          R: { Type: "Pass", End: true },
          N: { Type: "Fail", Error: "NotCaught" },
        },
      },
      { input: { a: 1 }, runTask: failing(error) },
    );
  test.each([
    [["States.ALL"], "X", true],
    [["X"], "X", true],
    [["States.TaskFailed"], "X", true],
    [["States.TaskFailed"], "States.Timeout", false],
    [["Y"], "X", false],
    [["States.ALL"], "States.Runtime", true],
  ])("%j of %s: %s", async (names, error, isCaught) => {
    expect((await caught(names, error)).result).toMatchObject(isCaught ? { status: "SUCCEEDED" } : { status: "FAILED", error });
  });
  test("puts Error and Cause at ResultPath and leaves the state", async () => {
    const { result, events } = await caught(["X"], "X", { ResultPath: "$.error" });
    expect(result).toEqual({ status: "SUCCEEDED", output: { a: 1, error: { Error: "X", Cause: "cause of X" } } });
    expect(sketch(events).slice(4, 7)).toEqual(["5<4 TaskFailed", "6<5 TaskStateExited", "7<6 PassStateEntered"]);
  });
  test("in JSONata has $states.errorOutput in Output and Assign", async () => {
    const state = {
      Type: "Task",
      QueryLanguage: "JSONata",
      Resource: INVOKE,
      Next: "R",
      Catch: [
        {
          ErrorEquals: ["States.ALL"],
          Next: "R",
          Output: "{% $states.errorOutput.Error %}",
          Assign: { cause: "{% $states.errorOutput.Cause %}" },
        },
      ],
    };
    const { result } = await runMachine(
      {
        StartAt: "S",
        States: { S: state, R: { Type: "Pass", QueryLanguage: "JSONata", Output: "{% [$states.input, $cause] %}", End: true } },
      },
      { runTask: failing("X") },
    );
    expect(result).toMatchObject({ output: ["X", "cause of X"] });
  });
  test("a failing expression in Output is caught too", async () => {
    const state = {
      Type: "Task",
      QueryLanguage: "JSONata",
      Resource: INVOKE,
      Output: "{% $states.result.none %}",
      Next: "R",
      Catch: [{ ErrorEquals: ["States.QueryEvaluationError"], Next: "R" }],
    };
    const { result } = await runMachine({ StartAt: "S", States: { S: state, R: { Type: "Succeed" } } });
    expect(result).toMatchObject({ status: "SUCCEEDED", output: { Error: "States.QueryEvaluationError" } });
  });
  test("a path that finds nothing in Parameters is not caught", async () => {
    const state = task({ Parameters: { "x.$": "$.none" }, Catch: [{ ErrorEquals: ["States.ALL"], Next: "R" }], Next: "R" });
    expect((await runMachine({ StartAt: "S", States: { S: state, R: { Type: "Succeed" } } })).result).toMatchObject({
      status: "FAILED",
      error: "States.Runtime",
    });
  });
  test("a task's result over 256 KiB is caught", async () => {
    const state = task({ Catch: [{ ErrorEquals: ["States.DataLimitExceeded"], Next: "R" }], Next: "R" });
    const { result } = await runMachine(
      { StartAt: "S", States: { S: state, R: { Type: "Succeed" } } },
      { runTask: async () => "é".repeat(140_000) },
    );
    expect(result).toMatchObject({
      output: {
        Error: "States.DataLimitExceeded",
        Cause: "The state/task 'lambda' returned a result with a size exceeding the maximum number of bytes service limit.",
      },
    });
  });
  test("what runTask throws besides a TaskError fails the execution and says why", async () => {
    const state = task({ Catch: [{ ErrorEquals: ["States.ALL"], Next: "S" }] });
    const { result } = await runMachine(only(state), { runTask: () => Promise.reject(new Error("the store is gone")) });
    expect(result).toEqual({ status: "FAILED", error: "States.Runtime", cause: "the store is gone" });
  });
});
