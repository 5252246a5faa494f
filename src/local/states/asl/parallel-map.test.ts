import { describe, expect, test } from "vitest";
import { TaskError } from "./errors.ts";
import type { RunTask } from "./task-call.ts";
import { only, outputOf, runMachine, sketch } from "./testing/machine.ts";
import { VirtualClock } from "./testing/virtual-clock.ts";

const INVOKE = "arn:aws:states:::lambda:invoke";
const line = (state: object, name = "I") => ({ StartAt: name, States: { [name]: { End: true, ...state } } });
const identity = line({ Type: "Pass" });

describe("Parallel", () => {
  test("gives each branch the same input and collects outputs in their order", async () => {
    const clock = new VirtualClock();
    const runTask: RunTask = async ({ parameters }) => {
      await clock.sleep(1_000 * (3 - (parameters as { n: number }).n));
      return parameters;
    };
    const Branches = [0, 1, 2].map((n) => line({ Type: "Task", Resource: INVOKE, Parameters: { n, "x.$": "$.x" } }, `T${n}`));
    const { result, events } = await runMachine(
      only({ Type: "Parallel", Branches, Parameters: { "x.$": "$.y" }, ResultSelector: { "all.$": "$[*].n" }, ResultPath: "$.r" }),
      { clock, runTask, input: { y: 7 } },
    );
    expect(result).toEqual({ status: "SUCCEEDED", output: { y: 7, r: { all: [0, 1, 2] } } });
    expect(events.filter(({ type }) => type === "TaskStateEntered").map(({ previousEventId }) => previousEventId)).toEqual([3, 3, 3]);
    const [succeeded, exited] = events.slice(-3);
    expect(succeeded?.type).toBe("ParallelStateSucceeded");
    expect(exited?.previousEventId).toBe(succeeded?.previousEventId);
  });
  test("a failing branch ends the others and is caught", async () => {
    const clock = new VirtualClock();
    let wasAborted = false;
    const runTask: RunTask = async ({ signal }) => {
      signal.addEventListener("abort", () => (wasAborted = true));
      await clock.sleep(1e6, signal);
      return null;
    };
    const Branches = [
      line({ Type: "Task", Resource: INVOKE }, "Slow"),
      { StartAt: "W", States: { W: { Type: "Wait", Seconds: 1, Next: "F" }, F: { Type: "Fail", Error: "Bad", Cause: "c" } } },
    ];
    const { result, events } = await runMachine(
      {
        StartAt: "P",
        States: { P: { Type: "Parallel", Branches, Catch: [{ ErrorEquals: ["Bad"], Next: "R" }], Next: "R" }, R: { Type: "Succeed" } },
      },
      { clock, runTask },
    );
    expect(result).toEqual({ status: "SUCCEEDED", output: { Error: "Bad", Cause: "c" } });
    expect(wasAborted).toBe(true);
    expect(sketch(events).slice(8)).toEqual([
      "9<8 FailStateEntered",
      "10<9 TaskStateAborted",
      "11<9 ParallelStateFailed",
      "12<11 ParallelStateExited",
      "13<12 SucceedStateEntered",
      "14<13 SucceedStateExited",
      "15<14 ExecutionSucceeded",
    ]);
  });
  test("a Retry runs all branches again", async () => {
    let count = 0;
    const runTask: RunTask = async () => {
      count += 1;
      if (count === 1) throw new TaskError("E", "");
      return count;
    };
    const state = { Type: "Parallel", Branches: [line({ Type: "Task", Resource: INVOKE })], Retry: [{ ErrorEquals: ["E"] }] };
    const { result, events } = await runMachine(only(state), { runTask });
    expect(result).toMatchObject({ output: [2] });
    expect(events.filter(({ type }) => type === "ParallelStateStarted").length).toBe(2);
  });
  test("JSONata Arguments", async () => {
    expect(
      await outputOf(
        {
          Type: "Parallel",
          QueryLanguage: "JSONata",
          Arguments: { a: "{% $states.input.n + 1 %}" },
          Branches: [identity],
          Output: "{% $states.result[0].a %}",
        },
        { n: 1 },
      ),
    ).toBe(2);
  });
});

describe("Map", () => {
  const map = (fields: object = {}) => ({ Type: "Map", ItemProcessor: identity, ...fields });
  test("with the legacy Iterator and Parameters", async () => {
    const state = {
      Type: "Map",
      Iterator: line({ Type: "Pass" }),
      ItemsPath: "$.list",
      Parameters: { "i.$": "$$.Map.Item.Index", "v.$": "$$.Map.Item.Value", "k.$": "$.k" },
    };
    expect(await outputOf(state, { list: ["a", "b"], k: 5 })).toEqual([
      { i: 0, v: "a", k: 5 },
      { i: 1, v: "b", k: 5 },
    ]);
  });
  test("over an empty array", async () => {
    const { result, events } = await runMachine(only(map()), { input: [] });
    expect(result).toEqual({ status: "SUCCEEDED", output: [] });
    expect(sketch(events).slice(2)).toEqual([
      "3<2 MapStateStarted",
      "4<3 MapStateSucceeded",
      "5<3 MapStateExited",
      "6<5 ExecutionSucceeded",
    ]);
  });
  test("one at a time has the history that AWS writes", async () => {
    const { events } = await runMachine(only(map({ MaxConcurrency: 1 })), { input: ["x", "y"] });
    expect(sketch(events).slice(1)).toEqual([
      "2<0 MapStateEntered",
      "3<2 MapStateStarted",
      "4<3 MapIterationStarted",
      "5<4 PassStateEntered",
      "6<5 PassStateExited",
      "7<6 MapIterationSucceeded",
      "8<6 MapIterationStarted",
      "9<8 PassStateEntered",
      "10<9 PassStateExited",
      "11<10 MapIterationSucceeded",
      "12<11 MapStateSucceeded",
      "13<11 MapStateExited",
      "14<13 ExecutionSucceeded",
    ]);
    expect(events[2]?.mapStateStartedEventDetails).toEqual({ length: 2 });
    expect(events[7]?.mapIterationStartedEventDetails).toEqual({ name: "S", index: 1 });
  });
  test.each([
    [{ MaxConcurrency: 2 }, 2],
    [{ MaxConcurrencyPath: "$.n" }, 3],
    [{}, 40],
    [{ MaxConcurrency: 0 }, 40],
  ])("%j runs %i at once", async (fields, most) => {
    const clock = new VirtualClock();
    let [now, peak] = [0, 0];
    const runTask: RunTask = async () => {
      peak = Math.max(peak, (now += 1));
      await clock.sleep(10);
      now -= 1;
      return null;
    };
    const list = Array.from({ length: 60 }, (_, n) => n);
    await runMachine(only(map({ ...fields, ItemsPath: "$.list", ItemProcessor: line({ Type: "Task", Resource: INVOKE }) })), {
      clock,
      runTask,
      input: { list, n: 3 },
    });
    expect(peak).toBe(most);
  });
  test("a failed iteration fails the state with its error and ends the others", async () => {
    const clock = new VirtualClock();
    const runTask: RunTask = async ({ parameters, signal }) => {
      await clock.sleep(parameters === "bad" ? 10 : 1e6, signal);
      throw new TaskError("Ecr.RepositoryNotFoundException", "no such repository");
    };
    const state = map({ ItemProcessor: line({ Type: "Task", Resource: INVOKE }) });
    const { result, events } = await runMachine(only(state), { clock, runTask, input: ["good", "bad"] });
    expect(result).toEqual({ status: "FAILED", error: "Ecr.RepositoryNotFoundException", cause: "no such repository" });
    expect(sketch(events).slice(3)).toEqual([
      "4<3 MapIterationStarted",
      "5<3 MapIterationStarted",
      "6<4 TaskStateEntered",
      "7<5 TaskStateEntered",
      "8<6 TaskScheduled",
      "9<7 TaskScheduled",
      "10<8 TaskStarted",
      "11<9 TaskStarted",
      "12<11 TaskFailed",
      "13<12 MapIterationFailed",
      "14<12 TaskStateAborted",
      "15<12 MapIterationAborted",
      "16<12 MapStateFailed",
      "17<16 ExecutionFailed",
    ]);
  });
  test.each([
    [{ ToleratedFailureCount: 1 }, { status: "SUCCEEDED", output: [1, 3] }],
    [{ ToleratedFailurePercentage: 50 }, { status: "SUCCEEDED", output: [1, 3] }],
    [{ ToleratedFailurePercentage: 20 }, { status: "FAILED", error: "States.ExceedToleratedFailureThreshold" }],
    [{}, { status: "FAILED", error: "Odd" }],
  ])("failures tolerated by %j", async (fields, expected) => {
    const processor = {
      StartAt: "C",
      States: {
        C: { Type: "Choice", Choices: [{ Variable: "$", NumericEquals: 2, Next: "F" }], Default: "Ok" },
        F: { Type: "Fail", Error: "Odd" },
        Ok: { Type: "Succeed" },
      },
    };
    expect((await runMachine(only(map({ ...fields, ItemProcessor: processor })), { input: [1, 2, 3] })).result).toMatchObject(expected);
  });
  test("JSONata Items and ItemSelector", async () => {
    const state = map({
      QueryLanguage: "JSONata",
      Items: "{% $states.input.list %}",
      ItemSelector: { v: "{% $states.context.Map.Item.Value * $states.input.by %}" },
      Output: "{% $states.result.v %}",
      ItemProcessor: line({ Type: "Pass", QueryLanguage: "JSONata" }),
    });
    expect(await outputOf(state, { list: [1, 2], by: 10 })).toEqual([10, 20]);
  });
  test("what is no array fails", async () => {
    expect((await runMachine(only(map({ ItemsPath: "$.x" })), { input: { x: 5 } })).result).toMatchObject({
      error: "States.Runtime",
      cause: expect.stringContaining('Reference path "$.x" must point to array.'),
    });
  });
  test("nested, with outer variables", async () => {
    const inner = line(
      { Type: "Map", ItemProcessor: line({ Type: "Pass", Parameters: { "v.$": "States.MathAdd($$.Map.Item.Value, $bias)" } }, "Deep") },
      "Inner",
    );
    const { result } = await runMachine(
      {
        StartAt: "A",
        States: { A: { Type: "Pass", Assign: { bias: 100 }, Next: "M" }, M: map({ ItemProcessor: inner, End: true }) },
      },
      { input: [[1, 2], [3]] },
    );
    expect(result).toMatchObject({ output: [[{ v: 101 }, { v: 102 }], [{ v: 103 }]] });
  });
});
