import { describe, expect, test } from "vitest";
import type { Json } from "./json.ts";
import { runMachine } from "./testing/machine.ts";

const choose = (rule: object, input: Json, fields: object = {}) =>
  runMachine(
    {
      StartAt: "C",
      States: {
        C: { Type: "Choice", Choices: [{ ...rule, Next: "Yes" }], Default: "No", ...fields },
        Yes: { Type: "Pass", Parameters: { answer: true }, End: true },
        No: { Type: "Pass", Parameters: { answer: false }, End: true },
      },
    },
    { input },
  );

describe("Choice by paths", () => {
  const at = (operator: string, expected: Json) => ({ Variable: "$.v", [operator]: expected });
  test.each<[object, Json, boolean]>([
    [at("StringEquals", "a"), { v: "a" }, true],
    [at("StringEquals", "a"), { v: 1 }, false],
    [at("StringEqualsPath", "$.w"), { v: "a", w: "a" }, true],
    [at("StringLessThan", "b"), { v: "a" }, true],
    [at("StringGreaterThanEquals", "b"), { v: "b" }, true],
    [at("NumericEquals", 1), { v: 1.0 }, true],
    [at("NumericEquals", 1), { v: "1" }, false],
    [at("NumericGreaterThan", 1), { v: 2 }, true],
    [at("NumericLessThanEqualsPath", "$.w"), { v: 2, w: 2 }, true],
    [at("BooleanEquals", false), { v: false }, true],
    [at("BooleanEqualsPath", "$.w"), { v: false, w: true }, false],
    [at("TimestampEquals", "2026-01-01T00:00:00Z"), { v: "2026-01-01T01:00:00+01:00" }, true],
    [at("TimestampLessThan", "2026-01-01T00:00:00Z"), { v: "2025-12-31T23:59:59.999Z" }, true],
    [at("TimestampLessThan", "2026-01-01T00:00:00Z"), { v: "2025-12-31" }, false],
    [at("StringMatches", "log-*.txt"), { v: "log-a.b.txt" }, true],
    [at("StringMatches", "log-*.txt"), { v: "log-a-txt" }, false],
    [at("StringMatches", String.raw`a\*b\\*`), { v: String.raw`a*b\anything` }, true],
    [at("StringMatches", String.raw`a\*b`), { v: "axb" }, false],
    [at("StringMatches", "*line*"), { v: "a\nline\n" }, true],
    [at("StringMatches", "*a".repeat(30)), { v: `${"a".repeat(60)}b` }, false],
    [at("StringMatches", "a.c"), { v: "abc" }, false],
    [at("IsPresent", true), { v: null }, true],
    [at("IsPresent", true), {}, false],
    [at("IsPresent", false), {}, true],
    [at("IsNull", true), { v: null }, true],
    [at("IsNull", false), { v: 1 }, true],
    [at("IsNumeric", true), { v: "1" }, false],
    [at("IsString", true), { v: "1" }, true],
    [at("IsBoolean", true), { v: false }, true],
    [at("IsTimestamp", true), { v: "2026-01-01T00:00:00Z" }, true],
    [at("IsTimestamp", false), { v: "yesterday" }, true],
    [{ And: [at("IsPresent", true), at("IsNumeric", true), at("NumericLessThan", 5)] }, { v: 4 }, true],
    [{ And: [at("IsPresent", true), at("NumericLessThan", 5)] }, {}, false],
    [{ Or: [at("StringEquals", "x"), at("StringEquals", "y")] }, { v: "y" }, true],
    [{ Not: { Or: [at("StringEquals", "x"), at("StringEquals", "y")] } }, { v: "y" }, false],
    [{ Variable: "$$.Execution.Name", StringEquals: "e" }, {}, true],
  ])("%j of %j is %s", async (rule, input, answer) => expect((await choose(rule, input)).result).toMatchObject({ output: { answer } }));

  test("a variable that is not there fails the execution as AWS does", async () => {
    const { result } = await choose(at("StringEquals", "a"), {});
    expect(result).toMatchObject({
      error: "States.Runtime",
      cause:
        "An error occurred while executing the state 'C' (entered at the event id #2). Invalid path '$.v': The choice state's condition path references an invalid value.",
    });
  });
  test("no rule and no Default", async () => {
    const { result } = await choose(at("StringEquals", "a"), { v: "b" }, { Default: undefined });
    expect(result).toMatchObject({ status: "FAILED", error: "States.NoChoiceMatched" });
  });
});

describe("Choice by JSONata", () => {
  const jsonata = { QueryLanguage: "JSONata" };
  test("takes the first Condition that is true, with its own Output", async () => {
    const { result, events } = await choose(
      { Condition: "{% $states.input.n > 1 %}", Output: { n: "{% $states.input.n %}" } },
      { n: 2 },
      jsonata,
    );
    expect(result).toMatchObject({ output: { answer: true } });
    expect(events[2]?.stateExitedEventDetails?.output).toBe('{"n":2}');
  });
  test("a Condition that is no boolean is an error", async () => {
    const { result } = await choose({ Condition: "{% $states.input.n %}" }, { n: 2 }, jsonata);
    expect(result).toMatchObject({ error: "States.QueryEvaluationError" });
  });
  test("a rule's Assign stands in for the state's", async () => {
    const variables = async (n: number) => {
      const { events } = await choose(
        { Condition: "{% $states.input.n > 1 %}", Assign: { by: "rule" } },
        { n },
        { ...jsonata, Assign: { by: "default" } },
      );
      return events[2]?.stateExitedEventDetails?.assignedVariables;
    };
    expect([await variables(2), await variables(1)]).toEqual([{ by: '"rule"' }, { by: '"default"' }]);
  });
});
