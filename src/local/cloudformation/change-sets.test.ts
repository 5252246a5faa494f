import {
  CreateChangeSetCommand,
  DescribeChangeSetCommand,
  DescribeStackEventsCommand,
  ExecuteChangeSetCommand,
  waitUntilChangeSetCreateComplete,
  waitUntilStackCreateComplete,
} from "@aws-sdk/client-cloudformation";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { body, bucket, fresh, openStackLab, parameter, refusal, type StackLab } from "./testing/stack-lab.ts";

let lab: StackLab;
beforeAll(async () => {
  lab = await openStackLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

describe("change sets", () => {
  const changeSet = (StackName: string, template: object, more: object = {}) =>
    lab.cloudformation.send(new CreateChangeSetCommand({ StackName, ChangeSetName: "changes", TemplateBody: body(template), ...more }));

  test("create a stack that waits for review, say what they would do, and do it", async () => {
    const StackName = fresh();
    await changeSet(StackName, { Resources: { A: bucket() } }, { ChangeSetType: "CREATE" });
    await waitUntilChangeSetCreateComplete(lab.waiting, { StackName, ChangeSetName: "changes" });
    expect(await lab.stackOf(StackName)).toMatchObject({ StackStatus: "REVIEW_IN_PROGRESS" });
    const described = await lab.cloudformation.send(new DescribeChangeSetCommand({ StackName, ChangeSetName: "changes" }));
    expect(described).toMatchObject({
      ExecutionStatus: "AVAILABLE",
      Changes: [{ Type: "Resource", ResourceChange: { Action: "Add", LogicalResourceId: "A", ResourceType: "AWS::S3::Bucket" } }],
    });
    await lab.cloudformation.send(new ExecuteChangeSetCommand({ StackName, ChangeSetName: "changes" }));
    await waitUntilStackCreateComplete(lab.waiting, { StackName });
    const { StackEvents = [] } = await lab.cloudformation.send(new DescribeStackEventsCommand({ StackName }));
    expect(
      StackEvents.map(
        ({ LogicalResourceId, ResourceStatus }) => `${LogicalResourceId === StackName ? "stack" : LogicalResourceId} ${ResourceStatus}`,
      ).reverse(),
    ).toEqual([
      "stack REVIEW_IN_PROGRESS",
      "stack CREATE_IN_PROGRESS",
      "A CREATE_IN_PROGRESS",
      "A CREATE_IN_PROGRESS",
      "A CREATE_COMPLETE",
      "stack CREATE_COMPLETE",
    ]);
  });

  test("tell replacement from update, with values where asked, and say when there is nothing to do", async () => {
    const StackName = fresh();
    const template = (Name: string, Value: string) => ({ Resources: { P: parameter({ Name, Value }) } });
    await lab.create(StackName, template(`/${StackName}/a`, "1"));
    await changeSet(StackName, template(`/${StackName}/b`, "2"));
    const { Changes } = await lab.cloudformation.send(
      new DescribeChangeSetCommand({ StackName, ChangeSetName: "changes", IncludePropertyValues: true }),
    );
    expect(Changes).toMatchObject([
      {
        ResourceChange: {
          Action: "Modify",
          Replacement: "True",
          Scope: ["Properties"],
          Details: [
            { Target: { Name: "Name", RequiresRecreation: "Always", BeforeValue: `/${StackName}/a`, AfterValue: `/${StackName}/b` } },
            { Target: { Name: "Value", RequiresRecreation: "Never", BeforeValue: "1", AfterValue: "2" } },
          ],
        },
      },
    ]);
    await changeSet(StackName, template(`/${StackName}/a`, "1"), { ChangeSetName: "none" });
    expect(await lab.cloudformation.send(new DescribeChangeSetCommand({ StackName, ChangeSetName: "none" }))).toMatchObject({
      Status: "FAILED",
      ExecutionStatus: "UNAVAILABLE",
      StatusReason: "The submitted information didn't contain changes. Submit different information to create a change set.",
    });
    expect(await refusal(lab.cloudformation.send(new ExecuteChangeSetCommand({ StackName, ChangeSetName: "none" })))).toContain(
      "InvalidChangeSetStatus",
    );
  });

  test.each<[string, object, object, string]>([
    [
      "an unserved type, by its name",
      { Resources: { A: { Type: "AWS::Mars::Rover" } } },
      {},
      "ValidationError: Template format error: Unrecognized resource types: [AWS::Mars::Rover]",
    ],
    [
      "an unknown property, by its name",
      { Resources: { A: bucket({ Colour: "red" }) } },
      {},
      "ValidationError: Properties validation failed for resource A with message:\n[#: extraneous key [Colour] is not permitted]",
    ],
    [
      "a role without leave",
      { Resources: { R: { Type: "AWS::IAM::Role", Properties: { AssumeRolePolicyDocument: {} } } } },
      {},
      "InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_IAM]",
    ],
    [
      "a named role without leave",
      { Resources: { R: { Type: "AWS::IAM::Role", Properties: { RoleName: "x", AssumeRolePolicyDocument: {} } } } },
      { Capabilities: ["CAPABILITY_IAM"] },
      "InsufficientCapabilitiesException: Requires capabilities : [CAPABILITY_NAMED_IAM]",
    ],
    [
      "a parameter without a value",
      { Parameters: { P: { Type: "String" } }, Resources: { A: bucket() } },
      {},
      "ValidationError: Parameters: [P] must have values",
    ],
    [
      "a parameter that SSM does not have",
      { Parameters: { P: { Type: "AWS::SSM::Parameter::Value<String>", Default: "/none" } }, Resources: { A: bucket() } },
      {},
      "ValidationError: Unable to fetch parameters [/none] from parameter store for this account.",
    ],
  ])("refuse %s, before anything is made", async (_, template, more, message) => {
    const StackName = fresh();
    expect(await refusal(changeSet(StackName, template, { ChangeSetType: "CREATE", ...more }))).toBe(message);
    expect(await refusal(lab.stackOf(StackName))).toContain("does not exist");
  });
});
