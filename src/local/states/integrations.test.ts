import { CreateProjectCommand, CodeBuildClient } from "@aws-sdk/client-codebuild";
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { ListExecutionsCommand, DescribeExecutionCommand, StopExecutionCommand } from "@aws-sdk/client-sfn";
import { CreateTopicCommand, SNSClient } from "@aws-sdk/client-sns";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { startAccounts, type TestAccounts } from "../testing/accounts.ts";
import { allow, document, Door, fresh, only, task } from "./testing/door.ts";

let accounts: TestAccounts;
beforeAll(async () => {
  accounts = await startAccounts();
});
afterAll(() => accounts[Symbol.asyncDispose]());
const { ended, history, machine, role, run, sfn, start, types } = new Door(() => accounts);

/** A build project that runs these commands. */
async function project(...commands: readonly string[]): Promise<string> {
  const iam = new IAMClient(accounts.config());
  const RoleName = fresh("build-role");
  const { Role } = await iam.send(
    new CreateRoleCommand({
      RoleName,
      AssumeRolePolicyDocument: document({ Effect: "Allow", Principal: { Service: "codebuild.amazonaws.com" }, Action: "sts:AssumeRole" }),
    }),
  );
  await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: "p", PolicyDocument: document(allow("logs:*")) }));
  const name = fresh("project");
  const buildspec = JSON.stringify({ version: "0.2", phases: { build: { commands } } });
  await new CodeBuildClient(accounts.config()).send(
    new CreateProjectCommand({
      name,
      serviceRole: Role!.Arn,
      source: { type: "NO_SOURCE", buildspec },
      artifacts: { type: "NO_ARTIFACTS" },
      environment: { type: "LINUX_CONTAINER", image: "aws/codebuild/standard:7.0", computeType: "BUILD_GENERAL1_SMALL" },
    }),
  );
  return name;
}

describe("codebuild:startBuild.sync", () => {
  const statements = [allow(["codebuild:StartBuild", "codebuild:BatchGetBuilds", "codebuild:StopBuild", "events:*"])];
  const building = (ProjectName: string, more: object = {}) =>
    machine(only(task("codebuild:startBuild.sync", { Parameters: { ProjectName, ...more } })), { statements });
  test("waits for the build and gives it in PascalCase", async () => {
    const EnvironmentVariablesOverride = [{ Name: "WORD", Value: "hello", Type: "PLAINTEXT" }];
    const arn = await start(await building(await project('test "$WORD" = hello'), { EnvironmentVariablesOverride }));
    const { status, output, cause } = await ended(arn);
    expect({ status, cause }).toEqual({ status: "SUCCEEDED", cause: undefined });
    expect(JSON.parse(output!)).toMatchObject({
      Build: { BuildStatus: "SUCCEEDED", BuildComplete: true, Id: expect.stringMatching(/^project-\d+:/), StartTime: expect.any(Number) },
    });
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
  }, 240_000);
  test("a failed build is States.TaskFailed with the build as cause", async () => {
    const described = await run(await building(await project("exit 3")));
    expect(described).toMatchObject({ status: "FAILED", error: "States.TaskFailed" });
    expect(JSON.parse(described.cause!)).toMatchObject({
      Build: { BuildStatus: "FAILED", Logs: expect.objectContaining({ CloudWatchLogsArn: expect.any(String) }) },
    });
  }, 240_000);
  test("a project that is not there", async () => {
    const arn = await start(await building("none"));
    expect(await ended(arn)).toMatchObject({ error: "CodeBuild.ResourceNotFoundException" });
    expect(await types(arn)).toContain("TaskSubmitFailed");
  });
  test("is stopped with the execution", async () => {
    const arn = await start(await building(await project("sleep 600")));
    const id = await vi.waitFor(
      async () => {
        const submitted = (await history(arn)).find(({ type }) => type === "TaskSubmitted")!;
        return (JSON.parse(submitted.taskSubmittedEventDetails!.output!) as { Build: { Id: string } }).Build.Id;
      },
      { timeout: 90_000 },
    );
    await sfn().send(new StopExecutionCommand({ executionArn: arn }));
    const asked = await machine(
      only(task("codebuild:batchGetBuilds", { Parameters: { Ids: [id] }, ResultSelector: { "status.$": "$.Builds[0].BuildStatus" } })),
      { statements },
    );
    await vi.waitFor(async () => expect(JSON.parse((await run(asked)).output!)).toEqual({ status: "STOPPED" }), {
      timeout: 90_000,
      interval: 300,
    });
  }, 240_000);
});

test("events:putEvents sends detail as JSON, with the execution among the resources", async () => {
  const events = new EventBridgeClient(accounts.config());
  const [Name, source] = [fresh("rule"), fresh("source")];
  const watcher = await machine(only({ Type: "Pass" }));
  await events.send(new PutRuleCommand({ Name, EventPattern: JSON.stringify({ source: [source] }) }));
  await events.send(
    new PutTargetsCommand({ Rule: Name, Targets: [{ Id: "t", Arn: watcher, RoleArn: await role(allow("states:StartExecution")) }] }),
  );
  const Parameters = { Entries: [{ Source: source, DetailType: "Told", Detail: { "n.$": "$.n" } }] };
  const arn = await start(await machine(only(task("events:putEvents", { Parameters })), { statements: [allow("events:PutEvents")] }), {
    n: 5,
  });
  expect(JSON.parse((await ended(arn)).output!)).toMatchObject({ FailedEntryCount: 0, Entries: [{ EventId: expect.any(String) }] });
  const seen = await vi.waitFor(async () => {
    const { executions } = await sfn().send(new ListExecutionsCommand({ stateMachineArn: watcher }));
    return JSON.parse((await sfn().send(new DescribeExecutionCommand({ executionArn: executions![0]!.executionArn }))).input!) as Record<
      string,
      unknown
    >;
  });
  expect(seen).toMatchObject({ source, "detail-type": "Told", detail: { n: 5 }, resources: expect.arrayContaining([arn]) });
});

test("sns:publish", async () => {
  const { TopicArn } = await new SNSClient(accounts.config()).send(new CreateTopicCommand({ Name: fresh("topic") }));
  const publish = (statements: object[]) =>
    machine(only(task("sns:publish", { Parameters: { TopicArn, "Message.$": "$", Subject: "s" } })), { statements });
  expect(JSON.parse((await run(await publish([allow("sns:Publish", TopicArn)]), { a: 1 })).output!)).toMatchObject({
    MessageId: expect.any(String),
  });
  expect(await run(await publish([allow("s3:GetObject")]))).toMatchObject({ status: "FAILED", error: expect.stringMatching(/^SNS\./) });
});

describe("aws-sdk", () => {
  test("omics, whose members are in camelCase", async () => {
    const statements = [allow("omics:*")];
    expect(
      JSON.parse(
        (
          await run(
            await machine(only(task("aws-sdk:omics:listWorkflows", { Parameters: { MaxResults: 5, Type: "PRIVATE" } })), { statements }),
          )
        ).output!,
      ),
    ).toEqual({ Items: [] });
    const described = await run(await machine(only(task("aws-sdk:omics:getRun", { Parameters: { Id: "1234567" } })), { statements }));
    expect(described).toMatchObject({
      error: "Omics.ResourceNotFoundException",
      cause: expect.stringContaining("(Service: Omics, Status Code: 404, Request ID: "),
    });
  });
  test("ecr: a repository is made, found, and missed by its error", async () => {
    const definition = JSON.stringify({
      StartAt: "Find",
      States: {
        Find: task("aws-sdk:ecr:describeRepositories", {
          Parameters: { "RepositoryNames.$": "States.Array($.name)" },
          ResultSelector: { "uri.$": "$.Repositories[0].RepositoryUri" },
          Catch: [{ ErrorEquals: ["Ecr.RepositoryNotFoundException"], ResultPath: "$.missing", Next: "Make" }],
          End: true,
        }),
        Make: task("aws-sdk:ecr:createRepository", {
          Parameters: { "RepositoryName.$": "$.name", Tags: [{ Key: "createdBy", Value: "omx-ecr-helper" }] },
          ResultPath: null,
          Next: "Find",
        }),
      },
    });
    const { output, cause } = await run(await machine(definition, { statements: [allow("ecr:*")] }), { name: "quay/org/tool" });
    expect(JSON.parse(output ?? cause!)).toEqual({ uri: "111122223333.dkr.ecr.us-east-1.amazonaws.com/quay/org/tool" });
  });
});
