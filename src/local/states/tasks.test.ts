import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateBucketCommand, GetObjectCommand, S3Client } from "@aws-sdk/client-s3";
import {
  ListExecutionsCommand,
  SendTaskFailureCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  StopExecutionCommand,
} from "@aws-sdk/client-sfn";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CICD, startAccounts, type TestAccounts } from "../testing/accounts.ts";
import { Door, allow, document, FOREVER, fresh, HELLO, only, task } from "./testing/door.ts";

let accounts: TestAccounts;
beforeAll(async () => {
  accounts = await startAccounts();
});
afterAll(() => accounts[Symbol.asyncDispose]());
const { sfn, machine, start, ended, run, types, tokenOf } = new Door(() => accounts);

describe("tasks act as the machine's role", () => {
  test("an SDK integration takes and gives PascalCase", async () => {
    const Bucket = fresh("sdk-bucket");
    const arn = await machine(
      JSON.stringify({
        StartAt: "Make",
        States: {
          Make: task("aws-sdk:s3:createBucket", { Parameters: { "Bucket.$": "$.bucket" }, ResultPath: null, Next: "Put" }),
          Put: task("aws-sdk:s3:putObject", {
            Parameters: { "Bucket.$": "$.bucket", Key: "a.json", Body: { n: 1 }, ContentType: "application/json" },
            ResultPath: "$.put",
            Next: "List",
          }),
          List: task("aws-sdk:s3:listObjectsV2", {
            Parameters: { "Bucket.$": "$.bucket" },
            ResultSelector: { "keys.$": "$.Contents[*].Key", "when.$": "$.Contents[0].LastModified" },
            End: true,
          }),
        },
      }),
      { statements: [allow("s3:*")] },
    );
    const { output, cause } = await run(arn, { bucket: Bucket });
    expect(JSON.parse(output ?? cause ?? "")).toEqual({ keys: ["a.json"], when: expect.stringMatching(/^\d{4}-.*Z$/) });
    const { Body } = await new S3Client(accounts.config()).send(new GetObjectCommand({ Bucket, Key: "a.json" }));
    expect(await Body!.transformToString()).toBe('{"n":1}');
  });

  test("IAM decides, and the denial is the cause", async () => {
    const arn = await machine(only(task("aws-sdk:s3:createBucket", { Parameters: { Bucket: "not-allowed" } })), {
      statements: [allow("s3:GetObject")],
    });
    expect(await run(arn)).toMatchObject({
      status: "FAILED",
      error: "S3.S3Exception",
      cause: expect.stringMatching(/is not authorized to perform: s3:CreateBucket .*\(Service: S3, Status Code: 403, Request ID: /),
    });
  });

  test("errors have the names that Catch compares", async () => {
    const Bucket = fresh("taken");
    await new S3Client(accounts.config()).send(new CreateBucketCommand({ Bucket }));
    const state = task("aws-sdk:iam:getRole", {
      Parameters: { RoleName: "none" },
      Catch: [{ ErrorEquals: ["Iam.NoSuchEntityException"], Next: "Caught" }],
      End: undefined,
      Next: "Caught",
    });
    const arn = await machine(JSON.stringify({ StartAt: "S", States: { S: state, Caught: { Type: "Succeed" } } }), {
      statements: [allow("iam:GetRole")],
    });
    const { output } = await run(arn);
    expect(JSON.parse(output!)).toMatchObject({ Error: "Iam.NoSuchEntityException", Cause: expect.stringContaining("none") });
  });

  test("a parameter that the operation does not have fails the execution", async () => {
    const arn = await machine(only(task("aws-sdk:s3:createBucket", { Parameters: { bucket: "x" } })), { statements: [allow("s3:*")] });
    expect(await run(arn)).toMatchObject({
      status: "FAILED",
      error: "States.Runtime",
      cause: expect.stringContaining('The field "bucket" is not supported by Step Functions'),
    });
  });

  test("Credentials take another role by way of the machine's", async () => {
    const iam = new IAMClient(accounts.config());
    const RoleName = fresh("other");
    const { Role } = await iam.send(
      new CreateRoleCommand({
        RoleName,
        AssumeRolePolicyDocument: document({ Effect: "Allow", Principal: { AWS: CICD }, Action: "sts:AssumeRole" }),
      }),
    );
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument: document(allow("s3:*")) }));
    const definition = only(
      task("aws-sdk:s3:createBucket", { Parameters: { Bucket: fresh("credentials") }, Credentials: { RoleArn: Role!.Arn } }),
    );
    expect(await run(await machine(definition, { statements: [allow("sts:AssumeRole")] }))).toMatchObject({ status: "SUCCEEDED" });
    expect(await run(await machine(definition))).toMatchObject({ status: "FAILED", error: "States.Permissions" });
  });
});

describe("nested executions", () => {
  const nested = (resource: string, StateMachineArn: string) =>
    only(task(`states:startExecution${resource}`, { Parameters: { StateMachineArn, Input: { "name.$": "$.name" } } }));
  const statements = [allow(["states:*", "events:*"])];
  test.each([
    [".sync", '{"hello":"x"}'],
    [".sync:2", { hello: "x" }],
  ])("%s waits and gives the output", async (pattern, Output) => {
    const { output, cause } = await run(await machine(nested(pattern, await machine(HELLO)), { statements }), { name: "x" });
    expect(JSON.parse(output ?? cause!)).toMatchObject({ Status: "SUCCEEDED", Output, StopDate: expect.any(Number) });
  });
  test("without waiting", async () => {
    const { output } = await run(await machine(nested("", await machine(FOREVER)), { statements }), { name: "x" });
    expect(JSON.parse(output!)).toMatchObject({
      ExecutionArn: expect.stringContaining(":execution:"),
      SdkHttpMetadata: { HttpStatusCode: 200 },
    });
  });
  test("a failed one is States.TaskFailed with its description as cause", async () => {
    const child = await machine(JSON.stringify({ StartAt: "F", States: { F: { Type: "Fail", Error: "Inner", Cause: "c" } } }));
    const described = await run(await machine(nested(".sync:2", child), { statements }), { name: "x" });
    expect(described).toMatchObject({ status: "FAILED", error: "States.TaskFailed" });
    expect(JSON.parse(described.cause!)).toMatchObject({ Error: "Inner", Cause: "c", Status: "FAILED" });
  });
  test("is stopped with the one that waits for it", async () => {
    const child = await machine(FOREVER);
    const parent = await start(await machine(nested(".sync:2", child), { statements }), { name: "x" });
    const inner = await vi.waitFor(
      async () => (await sfn().send(new ListExecutionsCommand({ stateMachineArn: child }))).executions![0]!.executionArn!,
    );
    await vi.waitFor(async () => expect(await types(parent)).toContain("TaskSubmitted"));
    await sfn().send(new StopExecutionCommand({ executionArn: parent }));
    expect(await ended(inner)).toMatchObject({ status: "ABORTED" });
  });
});

describe("task tokens", () => {
  const waiting = async (fields: object = {}) => {
    const Parameters = { StateMachineArn: await machine(HELLO), Input: { "t.$": "$$.Task.Token", name: "n" } };
    return start(
      await machine(only(task("states:startExecution.waitForTaskToken", { Parameters, ...fields })), {
        statements: [allow("states:StartExecution")],
      }),
    );
  };
  test("success", async () => {
    const arn = await waiting();
    await sfn().send(new SendTaskSuccessCommand({ taskToken: await tokenOf(arn), output: '{"answer":42}' }));
    expect(await ended(arn)).toMatchObject({ status: "SUCCEEDED", output: '{"answer":42}' });
    expect(await types(arn)).toEqual([
      "ExecutionStarted",
      "TaskStateEntered",
      "TaskScheduled",
      "TaskStarted",
      "TaskSubmitted",
      "TaskSucceeded",
      "TaskStateExited",
      "ExecutionSucceeded",
    ]);
  });
  test("failure", async () => {
    const arn = await waiting();
    await sfn().send(new SendTaskFailureCommand({ taskToken: await tokenOf(arn), error: "Rejected", cause: "not good" }));
    expect(await ended(arn)).toMatchObject({ status: "FAILED", error: "Rejected", cause: "not good" });
  });
  test("answers that come late, or to nobody", async () => {
    const arn = await waiting({ TimeoutSeconds: 1 });
    const taskToken = await tokenOf(arn);
    await sfn().send(new SendTaskHeartbeatCommand({ taskToken }));
    expect(await ended(arn)).toMatchObject({ status: "FAILED", error: "States.Timeout" });
    await expect(sfn().send(new SendTaskSuccessCommand({ taskToken, output: "{}" }))).rejects.toMatchObject({ name: "TaskTimedOut" });
    await expect(sfn().send(new SendTaskSuccessCommand({ taskToken: "nothing", output: "{}" }))).rejects.toMatchObject({
      name: "InvalidToken",
    });
  });
  test("a developer may not answer", async () => {
    const taskToken = await tokenOf(await waiting());
    await expect(sfn("developer").send(new SendTaskSuccessCommand({ taskToken, output: "{}" }))).rejects.toMatchObject({
      name: "AccessDeniedException",
    });
  });
});
