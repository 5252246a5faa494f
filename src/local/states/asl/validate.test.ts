import { describe, expect, test } from "vitest";
import { InvalidDefinition } from "./errors.ts";
import { parseDefinition } from "./definition.ts";
import { validateDefinition } from "./validate.ts";

const INVOKE = "arn:aws:states:::lambda:invoke";
const machine = (States: object, more: object = {}) => JSON.stringify({ StartAt: "A", States, ...more });
const pass = { Type: "Pass", End: true };
const inner = { StartAt: "I", States: { I: pass } };

describe("a definition that can be run has no problems", () => {
  test.each([
    ["Pass", { A: pass }],
    ["legacy Map", { A: { Type: "Map", Iterator: inner, Parameters: { "v.$": "$$.Map.Item.Value" }, End: true } }],
    [
      "Task with everything",
      {
        A: {
          Type: "Task",
          Resource: INVOKE,
          Parameters: { "a.$": "States.Format('{}', $.x)" },
          TimeoutSeconds: 5,
          Retry: [{ ErrorEquals: ["States.ALL"], JitterStrategy: "FULL", MaxDelaySeconds: 9 }],
          Catch: [{ ErrorEquals: ["States.ALL"], Next: "B" }],
          Next: "B",
        },
        B: { Type: "Succeed" },
      },
    ],
    [
      "variables",
      { A: { Type: "Pass", Assign: { "x.$": "$.a" }, Next: "B" }, B: { Type: "Pass", Parameters: { "y.$": "$x.z" }, End: true } },
    ],
    ["JSONata state", { A: { Type: "Pass", QueryLanguage: "JSONata", Output: "{% $states.input %}", End: true } }],
  ])("%s", (_, states) => {
    expect(validateDefinition(machine(states))).toEqual([]);
    expect(parseDefinition(machine(states)).StartAt).toBe("A");
  });
});

describe("problems", () => {
  test.each([
    ["no terminal state", { A: { Type: "Pass", Next: "A" } }, "MISSING_TERMINAL_STATE", "terminal state"],
    ["an unknown target", { A: { Type: "Pass", Next: "Z" } }, "MISSING_TRANSITION_TARGET", "Z"],
    ["an unreachable state", { A: pass, B: pass }, "MISSING_TRANSITION_TARGET", "State B is not reachable"],
    ["an unknown field", { A: { ...pass, Colour: 1 } }, "SCHEMA_VALIDATION_FAILED", "/States/A"],
    ["a bad path", { A: { ...pass, InputPath: "x" } }, "SCHEMA_VALIDATION_FAILED", "/States/A/InputPath"],
    ["an unknown intrinsic function", { A: { ...pass, Parameters: { "a.$": "States.Nope()" } } }, "SCHEMA_VALIDATION_FAILED", "Parameters"],
    [
      "a distributed Map",
      { A: { Type: "Map", ItemProcessor: { ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" }, ...inner }, End: true } },
      "SCHEMA_VALIDATION_FAILED",
      'state "A" is a distributed Map (Mode DISTRIBUTED), which is not supported here: use Mode INLINE',
    ],
    [
      "a duplicate name",
      { A: { Type: "Map", ItemProcessor: { StartAt: "A", States: { A: pass } }, End: true } },
      "DUPLICATE_STATE_NAMES",
      "A",
    ],
  ])("%s", (_, states, code, text) => {
    const found = validateDefinition(machine(states));
    expect(found).toContainEqual(expect.objectContaining({ severity: "ERROR", code, message: expect.stringContaining(text) }));
  });
  test("an expression that is not JSONata, told once", () => {
    const found = validateDefinition(machine({ A: { ...pass, Output: "{% $a( %}" } }, { QueryLanguage: "JSONata" }));
    expect(found.map(({ location }) => location)).toEqual(["/States/A/Output"]);
  });
  test.each(["", "{", "[]", "3"])("text that is no definition: %j", (text) => {
    expect(validateDefinition(text)).toMatchObject([{ code: "INVALID_JSON_DESCRIPTION" }]);
    expect(() => parseDefinition(text)).toThrow(InvalidDefinition);
  });
  test("a Resource that the caller does not know, however deep", () => {
    const branch = { StartAt: "T", States: { T: { Type: "Task", Resource: "arn:aws:states:::dynamodb:getItem", End: true } } };
    const found = validateDefinition(machine({ A: { Type: "Parallel", Branches: [branch], End: true } }), (resource) =>
      resource.includes("dynamodb") ? `${resource} is not provided here` : undefined,
    );
    expect(found).toEqual([
      {
        severity: "ERROR",
        code: "SCHEMA_VALIDATION_FAILED",
        message: "arn:aws:states:::dynamodb:getItem is not provided here",
        location: "/States/A/Branches/0/States/T/Resource",
      },
    ]);
  });
});
