import {
  CreateStateMachineCommand,
  DeleteStateMachineCommand,
  DescribeStateMachineCommand,
  ListStateMachinesCommand,
  ListTagsForResourceCommand,
  StartSyncExecutionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateStateMachineCommand,
  ValidateStateMachineDefinitionCommand,
} from "@aws-sdk/client-sfn";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CICD, REGION, startAccounts, type TestAccounts } from "../testing/accounts.ts";
import { Door, allow, FOREVER, fresh, HELLO, only, task } from "./testing/door.ts";

let accounts: TestAccounts;
beforeAll(async () => {
  accounts = await startAccounts();
});
afterAll(() => accounts[Symbol.asyncDispose]());
const { sfn, role, machine } = new Door(() => accounts);

describe("state machines", () => {
  test("are created, described, updated, listed and deleted", async () => {
    const roleArn = await role();
    const name = fresh("machine");
    const { stateMachineArn } = await sfn().send(
      new CreateStateMachineCommand({ name, roleArn, definition: HELLO, tags: [{ key: "team", value: "a" }] }),
    );
    expect(stateMachineArn).toBe(`arn:aws:states:${REGION}:${CICD}:stateMachine:${name}`);
    const first = await sfn().send(new DescribeStateMachineCommand({ stateMachineArn }));
    expect(first).toMatchObject({
      name,
      roleArn,
      definition: HELLO,
      status: "ACTIVE",
      type: "STANDARD",
      loggingConfiguration: { level: "OFF", includeExecutionData: false },
      tracingConfiguration: { enabled: false },
    });
    const { revisionId } = await sfn().send(new UpdateStateMachineCommand({ stateMachineArn, definition: FOREVER }));
    expect(await sfn().send(new DescribeStateMachineCommand({ stateMachineArn }))).toMatchObject({ definition: FOREVER, revisionId });
    expect(revisionId).not.toBe(first.revisionId);
    expect((await sfn().send(new ListStateMachinesCommand({}))).stateMachines).toContainEqual(
      expect.objectContaining({ stateMachineArn, name }),
    );
    await sfn().send(new DeleteStateMachineCommand({ stateMachineArn }));
    await expect(sfn().send(new DescribeStateMachineCommand({ stateMachineArn }))).rejects.toMatchObject({
      name: "StateMachineDoesNotExist",
      message: `State Machine Does Not Exist: '${stateMachineArn}'`,
    });
    await sfn().send(new DeleteStateMachineCommand({ stateMachineArn }));
  });

  test("created again the same are the same, else are refused", async () => {
    const input = { name: fresh("machine"), roleArn: await role(), definition: HELLO };
    const first = await sfn().send(new CreateStateMachineCommand(input));
    expect((await sfn().send(new CreateStateMachineCommand(input))).creationDate).toEqual(first.creationDate);
    await expect(sfn().send(new CreateStateMachineCommand({ ...input, definition: FOREVER }))).rejects.toMatchObject({
      name: "StateMachineAlreadyExists",
    });
  });

  test.each([
    [
      "a broken definition",
      { definition: only({ Type: "Pass", Next: "Z", End: undefined }) },
      "InvalidDefinition",
      /MISSING_TRANSITION_TARGET: .*Z/,
    ],
    [
      "an unknown resource",
      { definition: only(task("dynamodb:getItem")) },
      "InvalidDefinition",
      /dynamodb:getItem is not provided by the local accounts.* at \/States\/S\/Resource/,
    ],
    ["an unknown operation", { definition: only(task("aws-sdk:ecr:makeCoffee")) }, "InvalidDefinition", /makeCoffee/],
    ["a pattern that the integration lacks", { definition: only(task("lambda:invoke.sync")) }, "InvalidDefinition", /has no \.sync/],
    ["a bad name", { name: "a b" }, "InvalidName", /a b/],
    [
      "a role nobody may take",
      { roleArn: `arn:aws:iam::${CICD}:role/nobody` },
      "AccessDeniedException",
      /is authorized to assume the provided role/,
    ],
    [
      "logging without a group",
      { loggingConfiguration: { level: "ALL" as const } },
      "InvalidLoggingConfiguration",
      /exactly one Log Destination/,
    ],
  ])("%s is refused", async (_, part, name, message) => {
    const input = { name: fresh("machine"), definition: HELLO, roleArn: await role(), ...part };
    await expect(sfn().send(new CreateStateMachineCommand(input))).rejects.toMatchObject({ name, message: expect.stringMatching(message) });
  });

  test("what the role lacks for waiting on builds is said when the machine is made", async () => {
    const definition = only(task("codebuild:startBuild.sync", { Parameters: { ProjectName: "p" } }));
    await expect(machine(definition)).rejects.toMatchObject({
      name: "AccessDeniedException",
      message: expect.stringContaining("is not authorized to create managed-rule."),
    });
    await machine(definition, {
      statements: [
        allow(
          ["events:PutRule", "events:PutTargets", "events:DescribeRule"],
          `arn:aws:events:${REGION}:${CICD}:rule/StepFunctionsGetEventForCodeBuildStartBuildRule`,
        ),
      ],
    });
  });

  test("EXPRESS is said to be missing", async () => {
    await expect(machine(HELLO, { type: "EXPRESS" })).rejects.toMatchObject({
      $metadata: { httpStatusCode: 501 },
      message: expect.stringContaining("EXPRESS"),
    });
    await expect(sfn().send(new StartSyncExecutionCommand({ stateMachineArn: "x" }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 501 },
    });
  });

  test("tags", async () => {
    const resourceArn = await machine(HELLO, { tags: [{ key: "a", value: "1" }] });
    await sfn().send(new TagResourceCommand({ resourceArn, tags: [{ key: "b", value: "2" }] }));
    await sfn().send(new UntagResourceCommand({ resourceArn, tagKeys: ["a"] }));
    expect((await sfn().send(new ListTagsForResourceCommand({ resourceArn }))).tags).toEqual([{ key: "b", value: "2" }]);
  });

  test("ValidateStateMachineDefinition tells all that is wrong", async () => {
    expect(await sfn().send(new ValidateStateMachineDefinitionCommand({ definition: HELLO }))).toMatchObject({
      result: "OK",
      diagnostics: [],
    });
    const wrong = await sfn().send(new ValidateStateMachineDefinitionCommand({ definition: only({ Type: "Pass", InputPath: "x" }) }));
    expect(wrong).toMatchObject({
      result: "FAIL",
      diagnostics: [{ severity: "ERROR", code: "SCHEMA_VALIDATION_FAILED", location: "/States/S/InputPath" }],
    });
  });
});
