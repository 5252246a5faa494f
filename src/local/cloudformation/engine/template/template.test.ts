import { describe, expect, test } from "vitest";
import { parseTemplate } from "./template.ts";

const refusal = (body: string): string => {
  try {
    parseTemplate(body);
  } catch (error) {
    return (error as Error).message;
  }
  return "accepted";
};

describe("reading a template", () => {
  test("keeps the text byte for byte", () => {
    const body = 'Resources: # a comment\n  A: { Type: "X::Y::Z" }\n\n';
    expect(parseTemplate(body).body).toBe(body);
  });

  test("short tags mean the same as long names", () => {
    const yaml = parseTemplate(`
Resources:
  A:
    Type: X::Y::Z
    Properties:
      Sub: !Sub ["\${a}-\${AWS::Region}", { a: !Ref B }]
      Get: !GetAtt B.Nested.Arn
      GetList: !GetAtt [B, Arn]
      Join: !Join ["-", [!Select [0, !Split [",", "a,b"]], x]]
      If: !If [C, 1, !Ref "AWS::NoValue"]
      Zones: !GetAZs ""
`);
    expect(yaml.resources["A"]?.Properties).toEqual({
      Sub: { "Fn::Sub": ["${a}-${AWS::Region}", { a: { Ref: "B" } }] },
      Get: { "Fn::GetAtt": ["B", "Nested.Arn"] },
      GetList: { "Fn::GetAtt": ["B", "Arn"] },
      Join: { "Fn::Join": ["-", [{ "Fn::Select": [0, { "Fn::Split": [",", "a,b"] }] }, "x"]] },
      If: { "Fn::If": ["C", 1, { Ref: "AWS::NoValue" }] },
      Zones: { "Fn::GetAZs": "" },
    });
  });

  test("dates stay text, and yes is a boolean as in YAML 1.1", () => {
    const { resources } = parseTemplate(
      "AWSTemplateFormatVersion: 2010-09-09\nResources:\n  A: {Type: X, Properties: {Version: 2012-10-17, Is: yes}}",
    );
    expect(resources["A"]?.Properties).toEqual({ Version: "2012-10-17", Is: true });
  });

  test.each([
    ["a: [1", "Template format error: YAML not well-formed. (line 1, column"],
    ['{"Resources": {"A": }}', "Template format error: JSON not well-formed. (line 1, column"],
    ['{"Resources": {"A": {}},}', "Template format error: JSON not well-formed. (line 1, column 25)"],
    ["just text", "Template format error: unsupported structure."],
    ["Resources: {}", "Template format error: At least one Resources member must be defined."],
    ["Description: x", "Template format error: At least one Resources member must be defined."],
    ["Resource: {A: {Type: X}}", "Invalid template property or properties [Resource]"],
    ["Resources: {A: {Properties: {}}}", "[/Resources/A] Every Resources object must contain a Type member."],
    ["Resources: {A: {Type: X, Props: {}}}", "Invalid template resource property 'Props'"],
    ["Resources: {a-b: {Type: X}}", "Resources name 'a-b' is non alphanumeric."],
    ["Resources: {A: {Type: X, Properties: {P: [null]}}}", "[/Resources/A/Properties/P/0] 'null' values are not allowed in templates"],
    ["Resources: {A: {Type: X}}\nOutputs: {O: {Description: x}}", "Output O is malformed"],
    ["Resources: {A: {Type: X, CreationPolicy: {}}}", "CreationPolicy is not available in the local accounts"],
    [
      "Transform: AWS::Serverless-2016-10-31\nResources: {A: {Type: X}}",
      "Transform AWS::Serverless-2016-10-31 is not available in the local accounts",
    ],
    ["AWSTemplateFormatVersion: 2020-01-01\nResources: {A: {Type: X}}", "Unsupported template version"],
    ["Resources: {A: {Type: X, Properties: {P: !Sup x}}}", "Unresolved tag: !Sup"],
  ])("refuses %s", (body, message) => {
    expect(refusal(body)).toContain(message);
  });
});
