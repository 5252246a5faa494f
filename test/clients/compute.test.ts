import { CloudWatchLogsClient, CreateLogGroupCommand, CreateLogStreamCommand, PutLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { strToU8, zipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { awsCli, awsCli2, openShell, PATIENCE_MS, roleFor, type Shell, until } from "./aws-cli.ts";

let shell: Shell;
beforeAll(async () => void (shell = await openShell()));
afterAll(() => shell[Symbol.asyncDispose]());

const there = (name: string, run: () => Promise<void>): void => test.runIf(awsCli).concurrent(name, run, PATIENCE_MS);

there("a state machine runs to its end and tells its history", async () => {
  const role = await roleFor(shell, "states", { name: "machine", actions: ["logs:*"] });
  const definition = JSON.stringify({
    StartAt: "Name",
    States: {
      Name: { Type: "Pass", Parameters: { "greeting.$": "States.Format('hello {}', $.who)" }, Next: "Done" },
      Done: { Type: "Succeed" },
    },
  });
  const { stateMachineArn } = await shell.aws<{ stateMachineArn: string }>(
    "cicd",
    "stepfunctions",
    "create-state-machine",
    "--name",
    "greeter",
    "--role-arn",
    role,
    "--definition",
    definition,
  );
  const { executionArn } = await shell.aws<{ executionArn: string }>(
    "cicd",
    "stepfunctions",
    "start-execution",
    "--state-machine-arn",
    stateMachineArn,
    "--name",
    "first",
    "--input",
    '{"who":"phage"}',
  );
  const execution = await until(
    () => shell.aws("cicd", "stepfunctions", "describe-execution", "--execution-arn", executionArn),
    ({ status }) => status !== "RUNNING",
  );
  expect(execution).toMatchObject({
    status: "SUCCEEDED",
    output: '{"greeting":"hello phage"}',
    executionArn: "arn:aws:states:us-east-1:111122223333:execution:greeter:first",
  });
  const { events } = await shell.aws<{ events: readonly { type: string }[] }>(
    "cicd",
    "stepfunctions",
    "get-execution-history",
    "--execution-arn",
    executionArn,
  );
  expect(events.map(({ type }) => type)).toEqual([
    "ExecutionStarted",
    "PassStateEntered",
    "PassStateExited",
    "SucceedStateEntered",
    "SucceedStateExited",
    "ExecutionSucceeded",
  ]);
});

there("a function takes its payload and its log can be asked for", async () => {
  const role = await roleFor(shell, "lambda", { name: "function", actions: ["logs:*"] });
  const zip = shell.file(
    "function.zip",
    zipSync({
      "index.mjs": strToU8("export const handler = async ({ who }) => { console.log('asked'); return { said: `hello ${who}` }; };"),
    }),
  );
  await shell.aws(
    "cicd",
    "lambda",
    "create-function",
    "--function-name",
    "greet",
    "--runtime",
    "nodejs22.x",
    "--handler",
    "index.handler",
    "--role",
    role,
    "--timeout",
    "30",
    "--zip-file",
    `fileb://${zip}`,
  );
  await shell.text("cicd", "lambda", "wait", "function-active-v2", "--function-name", "greet");
  const payload = shell.file("payload.json", '{"who":"phage"}');
  const answer = await shell.aws<{ StatusCode: number; LogResult: string }>(
    "cicd",
    "lambda",
    "invoke",
    "--function-name",
    "greet",
    "--log-type",
    "Tail",
    "--payload",
    `fileb://${payload}`,
    "answer.json",
  );
  expect(answer.StatusCode).toBe(200);
  expect(Buffer.from(answer.LogResult, "base64").toString()).toContain("asked");
  expect(JSON.parse(readFileSync(join(shell.folder, "answer.json"), "utf8"))).toEqual({ said: "hello phage" });
});

there("a build runs its buildspec and writes a log that can be read and followed", async () => {
  const role = await roleFor(shell, "codebuild", {
    name: "builder",
    actions: ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
  });
  const buildspec = JSON.stringify({ version: "0.2", phases: { build: { commands: ["echo hello $WHO", 'test "$WHO" = phage'] } } });
  await shell.aws(
    "cicd",
    "codebuild",
    "create-project",
    "--cli-input-json",
    JSON.stringify({
      name: "greet",
      source: { type: "NO_SOURCE", buildspec },
      artifacts: { type: "NO_ARTIFACTS" },
      serviceRole: role,
      environment: { type: "LINUX_CONTAINER", image: "aws/codebuild/standard:7.0", computeType: "BUILD_GENERAL1_SMALL" },
    }),
  );
  const { build } = await shell.aws<{ build: { id: string } }>(
    "cicd",
    "codebuild",
    "start-build",
    "--project-name",
    "greet",
    "--environment-variables-override",
    "name=WHO,value=phage",
  );
  const ended = await until(
    () =>
      shell.aws<{ builds: readonly { buildStatus: string; logs: { groupName: string; streamName: string } }[] }>(
        "cicd",
        "codebuild",
        "batch-get-builds",
        "--ids",
        build.id,
      ),
    ({ builds }) => builds[0]?.buildStatus !== "IN_PROGRESS",
  );
  const [group = "", stream = ""] = [ended.builds[0]?.logs.groupName, ended.builds[0]?.logs.streamName];
  const [streams, events, filtered] = await Promise.all([
    shell.aws("cicd", "logs", "describe-log-streams", "--log-group-name", group),
    shell.aws<{ events: readonly { message: string }[] }>(
      "cicd",
      "logs",
      "get-log-events",
      "--log-group-name",
      group,
      "--log-stream-name",
      stream,
      "--start-from-head",
    ),
    shell.aws<{ events: readonly { message: string }[] }>(
      "cicd",
      "logs",
      "filter-log-events",
      "--log-group-name",
      group,
      "--filter-pattern",
      '"hello phage"',
      "--interleaved",
    ),
  ]);
  expect(ended.builds[0]?.buildStatus, events.events.map(({ message }) => message).join("")).toBe("SUCCEEDED");
  expect(streams).toMatchObject({ logStreams: [{ logStreamName: stream }] });
  expect(events.events.map(({ message }) => message.trim())).toContain("hello phage");
  expect(filtered.events.length).toBeGreaterThan(0);
});

/** `logs tail` came with version 2 of the CLI, and only its newer ones read `endpoint_url` of a profile. */
test.runIf(awsCli2)(
  "aws logs tail follows a group",
  async () => {
    const logs = new CloudWatchLogsClient(shell.accounts.config());
    await logs.send(new CreateLogGroupCommand({ logGroupName: "/lab/tailed" }));
    await logs.send(new CreateLogStreamCommand({ logGroupName: "/lab/tailed", logStreamName: "one" }));
    await logs.send(
      new PutLogEventsCommand({
        logGroupName: "/lab/tailed",
        logStreamName: "one",
        logEvents: [{ timestamp: Date.now(), message: "hello phage" }],
      }),
    );
    const said = await shell.must(awsCli2 ?? "aws", [
      "--profile",
      "cicd",
      "--endpoint-url",
      shell.accounts.url,
      "logs",
      "tail",
      "/lab/tailed",
      "--format",
      "short",
    ]);
    expect(said).toMatch(/^\S+ hello phage$/m);
  },
  PATIENCE_MS,
);
