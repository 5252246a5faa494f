import { describe, expect, test } from "vitest";
import { type GivenParameter, parameterValue, resolveParameters, ssmNames, type StackParameter, withSsmValues } from "./parameters.ts";
import { parseTemplate } from "./template/template.ts";

const declaring = (Parameters: object) => parseTemplate(JSON.stringify({ Parameters, Resources: { A: { Type: "T" } } }));

const resolve = (declaration: object, given: readonly GivenParameter[] = [], previous: readonly StackParameter[] = []) =>
  resolveParameters({ template: declaring({ P: declaration }), given, previous });

describe("parameters", () => {
  test("take what is given, else the previous value where asked, else the default", () => {
    const previous = [{ key: "P", value: "before" }];
    expect(resolve({ Type: "String", Default: 5 })).toEqual([{ key: "P", value: "5" }]);
    expect(resolve({ Type: "String", Default: "d" }, [{ key: "P", value: "" }])).toEqual([{ key: "P", value: "" }]);
    expect(resolve({ Type: "String", Default: "d" }, [{ key: "P", usePreviousValue: true }], previous)).toEqual(previous);
    expect(resolve({ Type: "String", Default: "d" }, [], previous)).toEqual([{ key: "P", value: "d" }]);
    expect(resolve({ Type: "String", NoEcho: true }, [{ key: "P", value: "secret" }])).toEqual([
      { key: "P", value: "secret", noEcho: true },
    ]);
  });

  test.each<[object, string, string]>([
    [{ Type: "String", AllowedValues: ["a", 1] }, "b", "Parameter 'P' must be one of AllowedValues"],
    [{ Type: "String", AllowedPattern: "[a-z]+" }, "ab1", "Parameter 'P' must match pattern [a-z]+"],
    [
      { Type: "String", AllowedPattern: "[a-z]+", ConstraintDescription: "letters only" },
      "1",
      "Parameter P failed to satisfy constraint: letters only",
    ],
    [{ Type: "String", MinLength: 3 }, "ab", "Parameter 'P' must contain at least 3 characters"],
    [{ Type: "String", MaxLength: "3" }, "abcd", "Parameter 'P' must contain at most 3 characters"],
    [{ Type: "Number" }, "x", "Parameter 'P' must be a number."],
    [{ Type: "Number", MinValue: 5 }, "4", "Parameter 'P' must be a number not less than 5"],
    [{ Type: "List<Number>", MaxValue: 5 }, "1,6", "Parameter 'P' must be a number not greater than 5"],
    [{ Type: "CommaDelimitedList", AllowedValues: ["a", "b"] }, "a,c", "must be one of AllowedValues"],
    [{ Type: "AWS::EC2::VPC::Id" }, "vpc-1", "Unrecognized parameter type: AWS::EC2::VPC::Id"],
  ])("%j refuses %s", (declaration, value, message) => {
    expect(() => resolve(declaration, [{ key: "P", value }])).toThrow(message);
  });

  test("missing and strange ones are named, all at once", () => {
    const template = declaring({ P: { Type: "String" }, Q: { Type: "Number" } });
    expect(() => resolveParameters({ template, given: [] })).toThrow("Parameters: [P, Q] must have values");
    expect(() =>
      resolveParameters({
        template,
        given: [
          { key: "X", value: "" },
          { key: "Y", value: "" },
        ],
      }),
    ).toThrow("Parameters: [X, Y] do not exist in the template");
    expect(() => resolve({ Type: "String" }, [{ key: "P", usePreviousValue: true }])).toThrow("Cannot specify usePreviousValue");
  });

  test("take their values from SSM, text and list", () => {
    const template = declaring({
      V: { Type: "AWS::SSM::Parameter::Value<String>", Default: "/v" },
      W: { Type: "AWS::SSM::Parameter::Value<List<String>>", Default: "/w" },
    });
    const parameters = resolveParameters({ template, given: [] });
    expect(ssmNames(template, parameters)).toEqual(["/v", "/w"]);
    const found = withSsmValues(
      template,
      parameters,
      new Map([
        ["/v", "21"],
        ["/w", "a,b"],
      ]),
    );
    expect(found.map((parameter) => parameterValue(template.parameters[parameter.key]!, parameter))).toEqual(["21", ["a", "b"]]);
    expect(() => withSsmValues(template, parameters, new Map())).toThrow(
      "Unable to fetch parameters [/v,/w] from parameter store for this account.",
    );
  });
});
