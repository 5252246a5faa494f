import { describe, expect, test } from "vitest";
import { runMachine, only, outputOf, sketch } from "./testing/machine.ts";

describe("Pass and the five JSONPath fields", () => {
  test("select, fill, place and select again", async () => {
    const state = {
      Type: "Pass",
      InputPath: "$.a",
      Parameters: { "x.$": "$.b", list: [{ "y.$": "$.b" }], "id.$": "$$.Execution.Name", "u.$": "States.Format('{}-{}', $.b, 1)" },
      ResultPath: "$.r.s",
      OutputPath: "$.r",
    };
    expect(await outputOf(state, { a: { b: 5 } })).toEqual({ s: { x: 5, list: [{ y: 5 }], id: "e", u: "5-1" } });
  });
  test.each([
    [{ InputPath: null }, { a: 1 }, {}],
    [{ ResultPath: null, Result: 1 }, { a: 1 }, { a: 1 }],
    [{ OutputPath: null }, { a: 1 }, {}],
    [{ Result: { b: 2 }, ResultPath: "$.c" }, { a: 1 }, { a: 1, c: { b: 2 } }],
    [{ Result: false }, {}, false],
    [{ Result: null }, { a: 1 }, null],
    [{ InputPath: "$.a[*].b" }, { a: [{ b: 1 }, { b: 2 }] }, [1, 2]],
    [{ InputPath: "$.a[?(@.b > 1)].b" }, { a: [{ b: 1 }, { b: 2 }] }, [2]],
    [{ InputPath: "$$.State.Name" }, {}, "S"],
    [{ ResultPath: "$.a[1]", Result: 9 }, { a: [1, 2] }, { a: [1, 9] }],
  ])("%j", async (fields, input, output) => {
    expect(await outputOf({ Type: "Pass", ...fields }, input)).toEqual(output);
  });
  test("a path that finds nothing fails the execution in AWS's words", async () => {
    const { result } = await runMachine(only({ Type: "Pass", InputPath: "$.a.b" }), { input: {} });
    expect(result).toEqual({
      status: "FAILED",
      error: "States.Runtime",
      cause:
        "An error occurred while executing the state 'S' (entered at the event id #2). Invalid path '$.a.b' : No results for path: $['a']['b']",
    });
  });
  test("a template whose path finds nothing names the field and the input", async () => {
    const { result } = await runMachine(only({ Type: "Pass", Parameters: { "x.$": "$.y" } }), { input: { flagged: false } });
    expect(result).toMatchObject({
      error: "States.Runtime",
      cause: expect.stringContaining(
        "The JSONPath '$.y' specified for the field 'x.$' could not be found in the input '{\"flagged\":false}'",
      ),
    });
  });
  test("ResultPath that does not fit the input", async () => {
    const { result } = await runMachine(only({ Type: "Pass", Result: 1, ResultPath: "$.a.b" }), { input: { a: "text" } });
    expect(result).toMatchObject({ status: "FAILED", error: "States.ResultPathMatchFailure" });
  });
});

describe("variables", () => {
  test("are assigned after the state and read by later ones in both languages", async () => {
    const { result, events } = await runMachine(
      {
        StartAt: "A",
        States: {
          A: { Type: "Pass", Assign: { "x.$": "$.n", y: { "z.$": "States.MathAdd($.n, 1)" } }, Next: "B" },
          B: { Type: "Pass", Parameters: { "x.$": "$x", "z.$": "$y.z", "f.$": "States.Format('{}', $y.z)" }, Next: "C" },
          C: { Type: "Pass", QueryLanguage: "JSONata", Output: "{% {'b': $states.input, 'sum': $x + $y.z} %}", End: true },
        },
      },
      { input: { n: 2 } },
    );
    expect(result).toEqual({ status: "SUCCEEDED", output: { b: { x: 2, z: 3, f: "3" }, sum: 5 } });
    expect(events[2]?.stateExitedEventDetails).toMatchObject({
      assignedVariables: { x: "2", y: '{"z":3}' },
      assignedVariablesDetails: { truncated: false },
    });
  });
  test("of a branch are not seen outside of it", async () => {
    const branch = {
      StartAt: "I",
      States: { I: { Type: "Pass", QueryLanguage: "JSONata", Assign: { x: 1 }, Output: "{% $outer %}", End: true } },
    };
    const { result } = await runMachine({
      StartAt: "A",
      QueryLanguage: "JSONata",
      States: {
        A: { Type: "Pass", Assign: { outer: "o" }, Next: "P" },
        P: { Type: "Parallel", Branches: [branch], Next: "Z" },
        Z: { Type: "Pass", Output: "{% [$states.input, $exists($x)] %}", End: true },
      },
    });
    expect(result).toMatchObject({ output: ["o", false] });
  });
});

describe("JSONata", () => {
  const evaluate = (Output: unknown, input = {}) => outputOf({ Type: "Pass", QueryLanguage: "JSONata", Output }, input);
  test.each([
    ["{% $states.input.a.b %}", { a: [{ b: 1 }, { b: 2 }] }, [1, 2]],
    ["{% $partition([1,2,3,4,5], 2) %}", {}, [[1, 2], [3, 4], [5]]],
    ["{% $range(0, 10, 5) %}", {}, [0, 5, 10]],
    ["{% $hash('input data', 'SHA-1') %}", {}, "aaff4a450a104cd177d28d18d74485e8cae074b7"],
    ["{% $parse('{\"a\": 1}') %}", {}, { a: 1 }],
    ["{% $random(5) = $random(5) %}", {}, true],
    ["{% $length($uuid()) %}", {}, 36],
    ["{% $states.context.State.Name %}", {}, "S"],
    ["{% $now() %}", {}, "2026-01-02T03:04:05.000Z"],
    ["{% $now('[Y]') %}", {}, "2026"],
    ["{% $millis() %}", {}, Date.parse("2026-01-02T03:04:05.000Z")],
    [{ a: ["{% 1 + 1 %}", "{% not an expression"], b: "plain" }, {}, { a: [2, "{% not an expression"], b: "plain" }],
    ["{% $map([1,2], function($n) { $n * 2 }) %}", {}, [2, 4]],
    ["{% null %}", {}, null],
  ])("%j", async (output, input, expected) => expect(await evaluate(output, input)).toEqual(expected));
  test.each([
    ["{% $states.input.none %}", "returned nothing (undefined)."],
    ["{% function($x) { $x } %}", "returned an unsupported result type."],
    ["{% 1 + 'a' %}", "threw an error during evaluation. T2002"],
    ["{% $eval('1') %}", "$eval is not supported"],
    ["{% ( %}", "threw an error during evaluation. S0203"],
    ["{% ($f := function($n) { $f($n + 1) }; $f(0)) %}", "threw an error during evaluation."],
  ])("%s fails with States.QueryEvaluationError and tells it", async (output, cause) => {
    const { result, events } = await runMachine(only({ Type: "Pass", QueryLanguage: "JSONata", Output: output }));
    expect(result).toMatchObject({ status: "FAILED", error: "States.QueryEvaluationError", cause: expect.stringContaining(cause) });
    expect(events[2]).toMatchObject({
      type: "EvaluationFailed",
      evaluationFailedEventDetails: { state: "S", location: "Output", error: "States.QueryEvaluationError" },
    });
    expect(sketch(events).at(-1)).toBe("4<3 ExecutionFailed");
  });
});

describe("Wait", () => {
  test.each([
    [{ Seconds: 10 }, {}, 10],
    [{ SecondsPath: "$.s" }, { s: 86_400 * 60 }, 86_400 * 60],
    [{ Timestamp: "2026-01-02T03:05:05Z" }, {}, 60],
    [{ TimestampPath: "$.t" }, { t: "2026-01-02T04:05:05+01:00" }, 60],
    [{ TimestampPath: "$.t" }, { t: "2020-01-02T04:05:05Z" }, 0],
    [{ QueryLanguage: "JSONata", Seconds: "{% $states.input.s * 2 %}" }, { s: 4 }, 8],
    [{ QueryLanguage: "JSONata", Timestamp: "{% $states.input.t %}" }, { t: "2026-01-02T03:04:06Z" }, 1],
  ])("%j of %j", async (fields, input, seconds) => {
    const { result, events } = await runMachine(only({ Type: "Wait", ...fields }), { input });
    expect(result).toEqual({ status: "SUCCEEDED", output: input });
    expect((Number(events[2]?.timestamp) - Number(events[1]?.timestamp)) / 1000).toBe(seconds);
  });
  test("a timestamp without an offset is refused as AWS does", async () => {
    const { result } = await runMachine(only({ Type: "Wait", TimestampPath: "$.start_at" }), {
      input: { start_at: "2026-01-02T03:04:05" },
    });
    expect(result).toMatchObject({
      error: "States.Runtime",
      cause:
        "An error occurred while executing the state 'S' (entered at the event id #2). The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: $.start_at == 2026-01-02T03:04:05",
    });
  });
  test("a negative number of seconds is refused", async () => {
    const { result } = await runMachine(only({ Type: "Wait", SecondsPath: "$.s" }), { input: { s: -1 } });
    expect(result).toMatchObject({ status: "FAILED", error: "States.Runtime", cause: expect.stringContaining("SecondsPath") });
  });
});

describe("Fail", () => {
  test.each([
    [
      { Error: "E", Cause: "c" },
      { error: "E", cause: "c" },
    ],
    [{}, { error: undefined, cause: undefined }],
    [
      { ErrorPath: "$.e", CausePath: "States.Format('{}!', $.e)" },
      { error: "X", cause: "X!" },
    ],
    [
      { QueryLanguage: "JSONata", Error: "{% $states.input.e %}", Cause: "{% 'because ' & $states.input.e %}" },
      { error: "X", cause: "because X" },
    ],
  ])("%j", async (fields, expected) => {
    const { result, events } = await runMachine(only({ Type: "Fail", ...fields }), { input: { e: "X" } });
    expect(result).toEqual({ status: "FAILED", ...expected });
    expect(sketch(events)).toEqual(["1<0 ExecutionStarted", "2<0 FailStateEntered", "3<2 ExecutionFailed"]);
  });
});

test("a state's output over 256 KiB fails the execution and nothing catches it", async () => {
  const item = "x".repeat(200_000);
  const state = {
    Type: "Parallel",
    Branches: [1, 2].map(() => ({ StartAt: "I", States: { I: { Type: "Pass", End: true } } })),
    Catch: [{ ErrorEquals: ["States.ALL"], Next: "S" }],
  };
  const { result } = await runMachine(only(state), { input: item });
  expect(result).toMatchObject({ status: "FAILED", error: "States.DataLimitExceeded" });
});

test("a machine that never ends fails at 25,000 history events", async () => {
  const { result, events } = await runMachine({ StartAt: "A", States: { A: { Type: "Pass", Next: "A" } } });
  expect(result).toEqual({
    status: "FAILED",
    error: "States.Runtime",
    cause: "The execution reached the maximum number of history events (25000).",
  });
  expect(events.length).toBe(25_000);
});
