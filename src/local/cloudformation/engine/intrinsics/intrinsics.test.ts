import { describe, expect, test } from "vitest";
import type { Json } from "../../resource-provider.ts";
import { UNKNOWN } from "../values.ts";
import { prepare } from "../prepare.ts";
import { type ResourceView, scopeOf } from "../stack-scope.ts";
import { parseTemplate } from "../template/template.ts";
import { evaluateValue } from "./evaluate.ts";

const stack = {
  id: "arn:aws:cloudformation:eu-west-1:111122223333:stack/s/1",
  name: "s",
  account: "111122223333",
  region: "eu-west-1",
  notificationArns: [],
};

/** Evaluates a property in a template that has a parameter, a mapping, conditions and one resource that exists. */
function evaluated(property: Json, { isMade = true, transform }: { isMade?: boolean; transform?: string } = {}): unknown {
  const template = parseTemplate(
    JSON.stringify({
      ...(transform && { Transform: transform }),
      Parameters: { P: { Type: "String" }, L: { Type: "CommaDelimitedList" } },
      Mappings: { M: { "eu-west-1": { size: 3, names: ["x", "y"] } } },
      Conditions: { Yes: { "Fn::Equals": [{ Ref: "P" }, "p"] }, No: { "Fn::Not": [{ Condition: "Yes" }] } },
      Resources: { B: { Type: "T" }, A: { Type: "T", Properties: { X: property } } },
    }),
  );
  const parameters = [
    { key: "P", value: "p" },
    { key: "L", value: "a, b,c" },
  ];
  const importValue = (name: string) => `imported-${name}`;
  const { instance, scope } = prepare({ template, parameters, stack, importValue });
  const view: ResourceView = {
    ref: isMade ? "b-id" : UNKNOWN,
    attributes: isMade ? { Arn: "arn:b", "Nested.Name": "n" } : undefined,
    provider: { attributes: ["Arn", "Nested.Name"] },
  };
  const resources = new Map([["B", view]]);
  const value = evaluateValue(instance.resources["A"]?.Properties as Json, scopeOf({ ...scope, resources }));
  return (value as { X?: unknown }).X;
}

describe("intrinsic functions", () => {
  test.each<[string, Json, unknown]>([
    ["Ref of a parameter", { Ref: "P" }, "p"],
    ["Ref of a list parameter", { Ref: "L" }, ["a", "b", "c"]],
    ["Ref of a resource", { Ref: "B" }, "b-id"],
    ["Ref of a pseudo parameter", { Ref: "AWS::StackName" }, "s"],
    ["GetAtt as a list", { "Fn::GetAtt": ["B", "Arn"] }, "arn:b"],
    ["GetAtt as text, nested", { "Fn::GetAtt": "B.Nested.Name" }, "n"],
    ["GetAtt with three items", { "Fn::GetAtt": ["B", "Nested", "Name"] }, "n"],
    ["Sub", { "Fn::Sub": "${P}:${AWS::AccountId}:${B.Arn}:${B}:${!P}" }, "p:111122223333:arn:b:b-id:${P}"],
    ["Sub with variables", { "Fn::Sub": ["${x}${P}${!keep}", { x: { "Fn::Select": ["1", { Ref: "L" }] } }] }, "bp${keep}"],
    ["Join", { "Fn::Join": ["-", ["a", { Ref: "P" }, 1]] }, "a-p-1"],
    ["Join of a list parameter", { "Fn::Join": ["/", { Ref: "L" }] }, "a/b/c"],
    ["Join without a NoValue", { "Fn::Join": ["-", ["a", { Ref: "AWS::NoValue" }, "b"]] }, "a-b"],
    ["Select of a Split of an import", { "Fn::Select": [1, { "Fn::Split": ["-", { "Fn::ImportValue": { "Fn::Sub": "${P}-x" } }] }] }, "p"],
    ["FindInMap", { "Fn::FindInMap": ["M", { Ref: "AWS::Region" }, "size"] }, 3],
    ["FindInMap of a list", { "Fn::FindInMap": ["M", "eu-west-1", "names"] }, ["x", "y"]],
    ["Base64", { "Fn::Base64": "hé" }, "aMOp"],
    ["Cidr", { "Fn::Cidr": ["10.0.0.0/16", 3, 8] }, ["10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"]],
    ["Cidr of IPv6", { "Fn::Cidr": ["2001:db8::/56", 2, 64] }, ["2001:db8::/64", "2001:db8:0:1::/64"]],
    ["GetAZs", { "Fn::GetAZs": "" }, ["eu-west-1a", "eu-west-1b", "eu-west-1c"]],
    ["If that holds", { "Fn::If": ["Yes", { a: { Ref: "P" } }, "no"] }, { a: "p" }],
    ["If that does not", { "Fn::If": ["No", "yes", { "Fn::If": ["Yes", 1, 2] }] }, 1],
    ["If without a value, in an object", { a: 1, b: { "Fn::If": ["No", 1, { Ref: "AWS::NoValue" }] } }, { a: 1 }],
    ["If without a value, in a list", [1, { "Fn::If": ["No", 1, { Ref: "AWS::NoValue" }] }], [1]],
    ["If without a value, as the property", { "Fn::If": ["No", 1, { Ref: "AWS::NoValue" }] }, undefined],
  ])("%s", (_, property, expected) => {
    expect(evaluated(property)).toEqual(expected);
  });

  test("Length, ToJsonString and a default in FindInMap come with AWS::LanguageExtensions", () => {
    const transform = "AWS::LanguageExtensions";
    expect(evaluated({ "Fn::Length": { Ref: "L" } }, { transform })).toBe(3);
    expect(evaluated({ "Fn::ToJsonString": { a: [{ Ref: "P" }, true] } }, { transform })).toBe('{"a":["p",true]}');
    expect(evaluated({ "Fn::FindInMap": ["M", "us-east-1", "size", { DefaultValue: { Ref: "P" } }] }, { transform })).toBe("p");
    expect(() => evaluated({ "Fn::Length": { Ref: "L" } })).toThrow("Encountered unsupported function: Fn::Length");
  });

  test("what comes from a resource that is not made yet stays unknown, and only that", () => {
    expect(evaluated({ known: { Ref: "P" }, deep: { "Fn::Join": ["", ["x", { "Fn::GetAtt": "B.Arn" }]] } }, { isMade: false })).toEqual({
      known: "p",
      deep: UNKNOWN,
    });
    expect(evaluated({ "Fn::Select": [0, ["a", { Ref: "B" }]] }, { isMade: false })).toBe("a");
  });

  test.each<[Json, string]>([
    [{ Ref: "Nobody" }, "Unresolved resource dependencies [Nobody] in the Resources block of the template"],
    [{ "Fn::Sub": "${Nobody}" }, "Unresolved resource dependencies [Nobody] in the Resources block of the template"],
    [{ "Fn::GetAtt": ["Nobody", "Arn"] }, "instance of Fn::GetAtt references undefined resource Nobody"],
    [{ "Fn::GetAtt": ["B", "Colour"] }, "resource B does not support attribute type Colour in Fn::GetAtt"],
    [{ "Fn::GetAtt": "B" }, "every Fn::GetAtt object requires two non-empty parameters"],
    [{ "Fn::Sub": "${a b}" }, "variable names in Fn::Sub syntax must contain only alphanumeric characters"],
    [{ "Fn::Sub": ["x"] }, "Specify a string as first argument"],
    [{ "Fn::Sub": "${L}" }, "it is a list or an object"],
    [{ "Fn::Join": ["-", "abc"] }, "every Fn::Join object requires two parameters"],
    [{ "Fn::Select": [9, { Ref: "L" }] }, "Fn::Select cannot select nonexistent value at index 9"],
    [{ "Fn::Split": ["", "abc"] }, "every Fn::Split object requires two parameters"],
    [{ "Fn::FindInMap": ["Q", "a", "b"] }, "Mapping named 'Q' is not present"],
    [{ "Fn::FindInMap": ["M", "a", "b"] }, "Unable to get mapping for M::a::b"],
    [{ "Fn::If": ["Perhaps", 1, 2] }, "Unresolved condition dependency Perhaps"],
    [{ "Fn::If": ["Yes", 1] }, "Fn::If requires a list argument with three parameters"],
    [{ "Fn::Cidr": ["10.0.0.0/24", 300] }, "every Fn::Cidr object requires"],
    [{ "Fn::Transform": { Name: "AWS::Include" } }, "Fn::Transform is not available in the local accounts"],
    [{ "Fn::Reverse": "x" }, "Encountered unsupported function: Fn::Reverse"],
    [{ "Fn::Sub": "x", Other: 1 }, "must be the only member"],
  ])("refuses %j", (property, message) => {
    expect(() => evaluated(property)).toThrow(message);
  });
});

describe("conditions and rules", () => {
  const with_ =
    (sections: object, value = "p") =>
    () =>
      prepare({
        template: parseTemplate(
          JSON.stringify({ Parameters: { P: { Type: "String" } }, Resources: { B: { Type: "T", Condition: "C" } }, ...sections }),
        ),
        parameters: [{ key: "P", value }],
        stack,
        importValue: () => "",
      }).instance.resources;

  test("a resource whose condition does not hold is not there", () => {
    const Conditions = {
      C: { "Fn::And": [{ "Fn::Equals": [{ Ref: "P" }, "p"] }, { "Fn::Or": [{ "Fn::Equals": [1, 2] }, { "Fn::Equals": ["1", 1] }] }] },
    };
    expect(Object.keys(with_({ Conditions })())).toEqual(["B"]);
    expect(Object.keys(with_({ Conditions }, "q")())).toEqual([]);
  });

  test("a condition that needs itself, a resource or nobody is refused", () => {
    expect(with_({ Conditions: { C: { "Fn::Not": [{ Condition: "D" }] }, D: { "Fn::Not": [{ Condition: "C" }] } } })).toThrow(
      "C -> D -> C",
    );
    expect(with_({ Conditions: { C: { "Fn::Equals": [{ Ref: "B" }, 1] } } })).toThrow("Cannot reference resources in the Conditions block");
    expect(with_({ Conditions: { C: { Ref: "P" } } })).toThrow("Conditions can only be boolean operations");
    expect(with_({})).toThrow("Unresolved condition dependency C");
  });

  test("the bootstrap rule of the CDK holds for version 6 and not for version 5", () => {
    const Rules = {
      CheckBootstrapVersion: {
        Assertions: [
          {
            Assert: { "Fn::Not": [{ "Fn::Contains": [["1", "2", "3", "4", "5"], { Ref: "P" }] }] },
            AssertDescription: "version 6 required",
          },
        ],
      },
    };
    const Conditions = { C: { "Fn::Equals": [1, 1] } };
    expect(with_({ Rules, Conditions }, "6")).not.toThrow();
    expect(with_({ Rules, Conditions }, "5")).toThrow("version 6 required");
  });

  test("a reference to a resource whose condition does not hold is refused, a DependsOn is not", () => {
    const off = { Conditions: { C: { "Fn::Equals": [1, 2] } } };
    const using = (resource: object) => with_({ ...off, Resources: { B: { Type: "T", Condition: "C" }, A: { Type: "T", ...resource } } });
    expect(using({ Properties: { X: { Ref: "B" } } })).toThrow("Unresolved resource dependencies [B]");
    expect(using({ DependsOn: "B" })()["A"]?.dependsOn).toEqual([]);
  });
});
