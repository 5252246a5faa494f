import { CodeCommitClient, CreateCommitCommand, CreateRepositoryCommand } from "@aws-sdk/client-codecommit";
import {
  type ActionDeclaration,
  CreatePipelineCommand,
  DeletePipelineCommand,
  DisableStageTransitionCommand,
  EnableStageTransitionCommand,
  GetPipelineStateCommand,
  type PipelineDeclaration,
  PutApprovalResultCommand,
  RetryStageExecutionCommand,
  StartPipelineExecutionCommand,
  StopPipelineExecutionCommand,
} from "@aws-sdk/client-codepipeline";
import { CreateFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { zipSync } from "fflate";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { until } from "../codebuild/testing/code-lab.ts";
import { startAccounts, type TestAccounts } from "../testing/accounts.ts";
import { approval, build, commitSource, type PipelineLab, pipelineLab, zipSource } from "./testing/pipeline-lab.ts";

// Many processes are started: a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let accounts: TestAccounts;
let lab: PipelineLab;
/** Where builds find and leave marks. */
const folder = mkdtempSync(join(tmpdir(), "omx-pipeline-"));
beforeAll(async () => {
  accounts = await startAccounts();
  lab = pipelineLab(accounts);
  await lab.s3.send(new CreateBucketCommand({ Bucket: "store" }));
  await lab.archive("sources", { "main.wdl": "version 1.1\n" });
});
afterAll(async () => {
  await accounts[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** A project of CodePipeline that runs these commands. */
const project = (name: string, commands: readonly string[], more: object = {}): Promise<void> => {
  const buildspec = { version: "0.2", env: { "exported-variables": ["SAID"] }, phases: { build: { commands } }, ...more };
  return lab.project(name, buildspec, {
    source: { type: "CODEPIPELINE", buildspec: JSON.stringify(buildspec) },
    artifacts: { type: "CODEPIPELINE" },
    actions: ["s3:GetObject", "s3:PutObject"],
  });
};
const start = async (name: string, more: object = {}): Promise<string> =>
  (await lab.codepipeline.send(new StartPipelineExecutionCommand({ name, ...more }))).pipelineExecutionId!;
const answer = (pipelineName: string, token: string, status: "Approved" | "Rejected" = "Approved") =>
  lab.codepipeline.send(
    new PutApprovalResultCommand({
      pipelineName,
      stageName: "Approve",
      actionName: "Ask",
      token,
      result: { status, summary: "looked at" },
    }),
  );
const stages = async (name: string) =>
  Object.fromEntries(
    (await lab.codepipeline.send(new GetPipelineStateCommand({ name }))).stageStates!.map((stage) => [stage.stageName!, stage]),
  );
const errorOf = async (pipeline: string, id: string, name: string) =>
  (await lab.actions(pipeline, id)).find(({ actionName }) => actionName === name)?.output?.executionResult?.errorDetails;

describe("executions", () => {
  test("QUEUED, wait for each other in the order of their start", async () => {
    const first = await lab.pipeline("queued", { Source: [zipSource("sources")], Approve: [approval()] });
    const [second, third] = [await start("queued"), await start("queued")];
    const token = await lab.token("queued", first);
    const waiting = await until(
      () => stages("queued"),
      ({ Approve }) => Approve?.inboundExecutions?.length === 2,
    );
    expect(waiting["Approve"]?.inboundExecutions?.map(({ pipelineExecutionId }) => pipelineExecutionId)).toEqual([second, third]);
    await answer("queued", token);
    expect(await lab.ended("queued", first)).toMatchObject({ status: "Succeeded" });
    await answer("queued", await lab.token("queued", second), "Rejected");
    expect(await lab.ended("queued", second)).toMatchObject({ status: "Failed" });
    await answer("queued", await lab.token("queued", third));
    expect(await lab.ended("queued", third)).toMatchObject({ status: "Succeeded" });
  });

  test("SUPERSEDED, overtake those that wait; PARALLEL, know no waiting", async () => {
    const [first] = await Promise.all([
      lab.pipeline("superseded", { Source: [zipSource("sources")], Approve: [approval()] }, { executionMode: "SUPERSEDED" }),
      lab.pipeline("parallel", { Source: [zipSource("sources")], Approve: [approval()] }, { executionMode: "PARALLEL" }),
    ]);
    await lab.token("superseded", first);
    const second = await start("superseded");
    await until(
      () => stages("superseded"),
      ({ Approve }) => Approve?.inboundExecution?.pipelineExecutionId === second,
    );
    const third = await start("superseded");
    expect(await lab.ended("superseded", second)).toMatchObject({ status: "Superseded" });
    await answer("superseded", await lab.token("superseded", first));
    await answer("superseded", await lab.token("superseded", third));
    expect(await lab.ended("superseded", third)).toMatchObject({ status: "Succeeded" });

    const another = await start("parallel");
    await until(
      () => lab.actions("parallel", another),
      (actions) => actions.some(({ actionName, status }) => actionName === "Ask" && status === "InProgress"),
    );
  });

  test("the same token is the same execution", async () => {
    await lab.pipeline("once", { Source: [zipSource("sources")], Approve: [approval()] });
    expect(await start("once", { clientRequestToken: "a" })).toBe(await start("once", { clientRequestToken: "a" }));
  });

  test("a stage lets nothing in while its transition is disabled", async () => {
    const transition = { pipelineName: "closed", stageName: "Approve", transitionType: "Inbound" as const };
    const first = await lab.pipeline("closed", { Source: [zipSource("sources")], Approve: [approval()] });
    await answer("closed", await lab.token("closed", first));
    await lab.codepipeline.send(new DisableStageTransitionCommand({ ...transition, reason: "holidays" }));
    const second = await start("closed");
    const { Approve } = await until(
      () => stages("closed"),
      (found) => found["Approve"]?.inboundExecution?.pipelineExecutionId === second,
    );
    expect(Approve?.inboundTransitionState).toMatchObject({
      enabled: false,
      disabledReason: "holidays",
      lastChangedBy: "arn:aws:iam::111122223333:user/cicd",
    });
    await lab.codepipeline.send(new EnableStageTransitionCommand(transition));
    await answer("closed", await lab.token("closed", second));
    expect(await lab.ended("closed", second)).toMatchObject({ status: "Succeeded" });
  });
});

describe("stopping and retrying", () => {
  test("a failed stage is retried from its failed actions, or from the start", async () => {
    const mark = join(folder, "retried");
    await Promise.all([project("steady", [`echo x >> ${mark}.count`]), project("moody", [`test -e ${mark}`])]);
    const both = [build("steady"), { ...build("moody"), name: "Moody", namespace: "Moody" }];
    const id = await lab.pipeline("retried", { Source: [zipSource("sources")], Build: both });
    expect(await lab.ended("retried", id)).toMatchObject({ status: "Failed" });
    const retry = (retryMode: "FAILED_ACTIONS" | "ALL_ACTIONS") =>
      lab.codepipeline.send(
        new RetryStageExecutionCommand({ pipelineName: "retried", stageName: "Build", pipelineExecutionId: id, retryMode }),
      );
    await retry("FAILED_ACTIONS");
    await lab.ended("retried", id);
    const times = async () => (await lab.actions("retried", id)).filter(({ actionName }) => actionName === "Build").length;
    expect(await times()).toBe(1);
    writeFileSync(mark, "");
    await retry("ALL_ACTIONS");
    expect(await lab.ended("retried", id)).toMatchObject({ status: "Succeeded" });
    expect(await times()).toBe(2);
    await expect(retry("FAILED_ACTIONS")).rejects.toMatchObject({ name: "StageNotRetryableException" });
  });

  test("onFailure: RETRY tries a stage once again by itself", async () => {
    const mark = join(folder, "again");
    await Promise.all([
      project("second-time", [`if test -e ${mark}; then true; else touch ${mark}; false; fi`]),
      project("never", ["false"]),
    ]);
    const pipeline = async (name: string, of: string) => {
      const roleArn = await lab.role("codepipeline", `${name}-role`, ["s3:*", "codebuild:*"]);
      await lab.codepipeline.send(
        new CreatePipelineCommand({
          pipeline: {
            name,
            roleArn,
            pipelineType: "V2",
            artifactStore: { type: "S3", location: "store" },
            stages: [
              { name: "Source", actions: [zipSource("sources")] },
              { name: "Build", actions: [build(of)], onFailure: { result: "RETRY", retryConfiguration: { retryMode: "FAILED_ACTIONS" } } },
            ],
          },
        }),
      );
      return (await lab.executions(name))[0]!;
    };
    const [good, bad] = await Promise.all([pipeline("again", "second-time"), pipeline("never", "never")]);
    expect(await lab.ended("again", good)).toMatchObject({ status: "Succeeded" });
    expect((await stages("again"))["Build"]).toMatchObject({
      retryStageMetadata: { autoStageRetryAttempt: 1, latestRetryTrigger: "AutomatedStageRetry" },
    });
    expect(await lab.ended("never", bad)).toMatchObject({ status: "Failed" });
    expect((await lab.actions("never", bad)).filter(({ actionName }) => actionName === "Build")).toHaveLength(2);
  });

  test("stopped, an execution lets its actions end, or abandons them", async () => {
    const mark = join(folder, "go");
    await project("patient", [`touch ${mark}.begun`, `until test -e ${mark}; do sleep 0.05; done`]);
    const id = await lab.pipeline("stopped", { Source: [zipSource("sources")], Build: [build("patient")], Approve: [approval()] });
    const stop = (pipelineExecutionId: string, abandon: boolean) =>
      lab.codepipeline.send(new StopPipelineExecutionCommand({ pipelineName: "stopped", pipelineExecutionId, abandon, reason: "enough" }));
    await until(
      async () => existsSync(`${mark}.begun`),
      (begun) => begun,
    );
    await stop(id, false);
    expect(await lab.execution("stopped", id)).toMatchObject({ status: "Stopping" });
    await expect(stop(id, false)).rejects.toMatchObject({ name: "PipelineExecutionNotStoppableException" });
    writeFileSync(mark, "");
    expect(await lab.ended("stopped", id)).toMatchObject({ status: "Stopped", statusSummary: "enough" });
    expect((await lab.actions("stopped", id)).map(({ actionName, status }) => [actionName, status])).toEqual([
      ["Build", "Succeeded"],
      ["Zip", "Succeeded"],
    ]);

    rmSync(mark);
    rmSync(`${mark}.begun`);
    const second = await start("stopped");
    await until(
      async () => existsSync(`${mark}.begun`),
      (begun) => begun,
    );
    await stop(second, true);
    expect(await lab.ended("stopped", second)).toMatchObject({ status: "Stopped" });
    expect((await lab.actions("stopped", second))[0]).toMatchObject({ actionName: "Build", status: "Abandoned" });
  });

  test("an approval is answered once, with the token that waits", async () => {
    const id = await lab.pipeline("asked", { Source: [zipSource("sources")], Approve: [approval()] });
    const stale = await lab.token("asked", id);
    await expect(answer("asked", crypto.randomUUID())).rejects.toMatchObject({ name: "InvalidApprovalTokenException" });
    await answer("asked", stale, "Rejected");
    expect(await lab.ended("asked", id)).toMatchObject({ status: "Failed" });
    await lab.codepipeline.send(
      new RetryStageExecutionCommand({ pipelineName: "asked", stageName: "Approve", pipelineExecutionId: id, retryMode: "FAILED_ACTIONS" }),
    );
    const token = await lab.token("asked", id);
    expect(token).not.toBe(stale);
    await expect(answer("asked", stale)).rejects.toMatchObject({ name: "ApprovalAlreadyCompletedException" });
    await answer("asked", token);
    expect(await lab.ended("asked", id)).toMatchObject({ status: "Succeeded" });
    await expect(answer("asked", token)).rejects.toMatchObject({ name: "ApprovalAlreadyCompletedException" });
  });
});

describe("variables", () => {
  const variables = [{ name: "level", defaultValue: "low" }, { name: "who" }];
  const environment = (value: string) => ({ EnvironmentVariables: JSON.stringify([{ name: "GIVEN", value, type: "PLAINTEXT" }]) });

  test("of the pipeline have defaults and are given at the start; those of actions follow", async () => {
    await project("says", ['export SAID="$GIVEN"']);
    await lab
      .pipeline(
        "spoken",
        {
          Source: [zipSource("sources")],
          Build: [build("says", environment("#{variables.level} #{variables.who} #{Zip.ObjectKey}"))],
          Approve: [approval({ CustomData: "#{Build.SAID} in #{codepipeline.PipelineExecutionId}" })],
        },
        { variables },
      )
      .catch(() => undefined);
    expect(await lab.executions("spoken")).toEqual([]);
    await expect(start("spoken")).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining("Variable who has no default"),
    });
    await expect(
      start("spoken", {
        variables: [
          { name: "who", value: "me" },
          { name: "what", value: "x" },
        ],
      }),
    ).rejects.toThrow(/what is not declared/);
    const id = await start("spoken", { variables: [{ name: "who", value: "phage" }] });
    await lab.token("spoken", id);
    expect(await lab.execution("spoken", id)).toMatchObject({
      variables: [
        { name: "level", resolvedValue: "low" },
        { name: "who", resolvedValue: "phage" },
      ],
    });
    const asked = (await lab.actions("spoken", id)).find(({ actionName }) => actionName === "Ask");
    expect(asked?.input?.resolvedConfiguration).toEqual({ CustomData: `low phage source.zip in ${id}` });
  });

  test("that nobody set fail the action by name", async () => {
    const id = await lab.pipeline("unset", {
      Source: [zipSource("sources")],
      Approve: [approval({ CustomData: "#{Nobody.Said} #{Zip.ObjectKey}" })],
    });
    expect(await lab.ended("unset", id)).toMatchObject({ status: "Failed" });
    expect(await errorOf("unset", id, "Ask")).toEqual({
      code: "ConfigurationError",
      message: "Variable references could not be resolved: #{Nobody.Said}",
    });
  });
});

describe("actions", () => {
  test("a CodeCommit source builds the branch's newest commit, or the one that the start names", async () => {
    const codecommit = new CodeCommitClient(accounts.config());
    await codecommit.send(new CreateRepositoryCommand({ repositoryName: "flow" }));
    const commit = async (text: string, parentCommitId?: string) =>
      (
        await codecommit.send(
          new CreateCommitCommand({
            repositoryName: "flow",
            branchName: "main",
            putFiles: [{ filePath: "deep/main.wdl", fileContent: Buffer.from(text) }],
            commitMessage: text,
            ...(parentCommitId && { parentCommitId }),
          }),
        )
      ).commitId!;
    const one = await commit("one");
    await commit("two", one);
    await project("reads", ["export SAID=$(cat deep/main.wdl)"]);
    const id = await lab.pipeline("flow", { Source: [commitSource("flow")], Build: [build("reads")] });
    const second = await start("flow", { sourceRevisions: [{ actionName: "Commit", revisionType: "COMMIT_ID", revisionValue: one }] });
    const said = async (execution: string) => {
      expect(await lab.ended("flow", execution)).toMatchObject({ status: "Succeeded" });
      return (await lab.actions("flow", execution)).map(
        ({ output }) => output?.outputVariables?.["SAID"] ?? output?.outputVariables?.["CommitMessage"],
      );
    };
    expect([await said(id), await said(second)]).toEqual([
      ["two", "two"],
      ["one", "one"],
    ]);
    await expect(
      start("flow", { sourceRevisions: [{ actionName: "Nobody", revisionType: "COMMIT_ID", revisionValue: one }] }),
    ).rejects.toMatchObject({ name: "ValidationException" });
  });

  test("a function answers for its job, with variables, or fails it", async () => {
    const role = await lab.role("lambda", "answering", ["codepipeline:PutJob*"]);
    const code = `const { CodePipelineClient, PutJobSuccessResultCommand, PutJobFailureResultCommand } = require("@aws-sdk/client-codepipeline");
exports.handler = async ({ "CodePipeline.job": { id, data } }) => {
  const { UserParameters } = data.actionConfiguration.configuration;
  const [{ location }] = data.inputArtifacts;
  await new CodePipelineClient().send(UserParameters === "fail" ? new PutJobFailureResultCommand({ jobId: id, failureDetails: { type: "JobFailed", message: "too small" } })
    : new PutJobSuccessResultCommand({ jobId: id, outputVariables: { Bucket: location.s3Location.bucketName, Keys: Object.keys(data.artifactCredentials).join() } }));
};`;
    await new LambdaClient(accounts.config()).send(
      new CreateFunctionCommand({
        FunctionName: "answering",
        Runtime: "nodejs22.x",
        Handler: "index.handler",
        Role: role,
        Timeout: 60,
        Code: { ZipFile: zipSync({ "index.js": Buffer.from(code) }) },
      }),
    );
    const invoke = (UserParameters: string): ActionDeclaration => ({
      name: "Call",
      actionTypeId: { category: "Invoke", owner: "AWS", provider: "Lambda", version: "1" },
      configuration: { FunctionName: "answering", UserParameters },
      inputArtifacts: [{ name: "source" }],
      namespace: "Call",
    });
    const [good, bad] = await Promise.all(
      ["pass", "fail"].map((parameters) =>
        lab.pipeline(`call-${parameters}`, { Source: [zipSource("sources")], Call: [invoke(parameters)] }),
      ),
    );
    expect(await lab.ended("call-pass", good!)).toMatchObject({ status: "Succeeded" });
    expect((await lab.actions("call-pass", good!))[0]?.output?.outputVariables).toEqual({
      Bucket: "store",
      Keys: "accessKeyId,secretAccessKey,sessionToken",
    });
    expect(await lab.ended("call-fail", bad!)).toMatchObject({ status: "Failed" });
    expect(await errorOf("call-fail", bad!, "Call")).toEqual({ code: "JobFailed", message: "too small" });
  });

  test("of a provider that is not there fail by its name", async () => {
    const mobile: ActionDeclaration = {
      name: "Phones",
      actionTypeId: { category: "Test", owner: "AWS", provider: "DeviceFarm", version: "1" },
      inputArtifacts: [{ name: "source" }],
    };
    const id = await lab.pipeline("phones", { Source: [zipSource("sources")], Test: [mobile] });
    expect(await lab.ended("phones", id)).toMatchObject({ status: "Failed" });
    expect((await errorOf("phones", id, "Phones"))?.message).toContain("DeviceFarm");
  });

  test("run under the pipeline's role alone", async () => {
    const roleArn = await lab.role("codepipeline", "weak", ["s3:GetObject"]);
    const id = await lab.pipeline("weak", { Source: [zipSource("sources")], Approve: [approval()] }, { roleArn });
    await lab.ended("weak", id);
    expect((await errorOf("weak", id, "Zip"))?.message).toMatch(/assumed-role\/weak\/.*s3:PutObject/);
  });
});

describe("a pipeline is refused", () => {
  const SOUND = { Source: [zipSource("sources")], Approve: [approval()] };
  const trigger = {
    providerType: "CodeStarSourceConnection" as const,
    gitConfiguration: { sourceActionName: "Zip", push: [{ tags: { includes: ["v*"] } }] },
  };
  const stage = (more: object) => ({
    stages: [
      { name: "Source", actions: [zipSource("sources")] },
      { name: "Approve", actions: [approval()], ...more },
    ],
  });
  let role: string;
  beforeAll(async () => void (role = await lab.role("codepipeline", "refused", ["s3:*"])));

  test.each<readonly [string, Partial<PipelineDeclaration>, string, RegExp]>([
    ["with one stage", { stages: [{ name: "Source", actions: SOUND.Source }] }, "InvalidStructureException", /minimum of 2 stages/],
    [
      "with a source that comes late",
      {
        stages: [
          { name: "A", actions: SOUND.Source },
          { name: "B", actions: [{ ...zipSource("sources"), outputArtifacts: [{ name: "other" }] }] },
        ],
      },
      "InvalidStructureException",
      /Zip can only be in the first stage/,
    ],
    [
      "with an artifact nobody makes",
      {
        stages: [
          { name: "A", actions: SOUND.Source },
          { name: "B", actions: [{ ...build("x"), inputArtifacts: [{ name: "absent" }] }] },
        ],
      },
      "InvalidStructureException",
      /absent in action Build/,
    ],
    [
      "with two stages of one name",
      {
        stages: [
          { name: "A", actions: SOUND.Source },
          { name: "A", actions: SOUND.Approve },
        ],
      },
      "InvalidStructureException",
      /Stage name A is used more than once/,
    ],
    [
      "of V1 with variables",
      { pipelineType: "V1", variables: [{ name: "x", defaultValue: "y" }] },
      "InvalidStructureException",
      /Variables need a pipeline of type V2/,
    ],
    [
      "of V1 that queues",
      { pipelineType: "V1", executionMode: "QUEUED" },
      "InvalidStructureException",
      /QUEUED needs a pipeline of type V2/,
    ],
    ["with a trigger on a bucket", { triggers: [trigger] }, "InvalidStructureException", /Zip is one of S3/],
    [
      "with a filter of tags and branches",
      {
        triggers: [
          {
            ...trigger,
            gitConfiguration: { sourceActionName: "Zip", push: [{ tags: { includes: ["v*"] }, branches: { includes: ["main"] } }] },
          },
        ],
      },
      "InvalidStructureException",
      /tags beside branches/,
    ],
    [
      "with a filter of file paths alone",
      { triggers: [{ ...trigger, gitConfiguration: { sourceActionName: "Zip", pullRequest: [{ filePaths: { includes: ["src/**"] } }] } }] },
      "InvalidStructureException",
      /neither branches nor tags/,
    ],
    ["with conditions", stage({ beforeEntry: { conditions: [{ result: "FAIL" }] } }), "NotImplemented", /beforeEntry \(stage Approve\)/],
    ["with a rollback", stage({ onFailure: { result: "ROLLBACK" } }), "NotImplemented", /ROLLBACK \(stage Approve\)/],
  ])("%s", async (_name, more, name, message) => {
    const pipeline: PipelineDeclaration = {
      name: "refused",
      roleArn: role,
      pipelineType: "V2",
      artifactStore: { type: "S3", location: "store" },
      ...stage({}),
      ...more,
    };
    await expect(lab.codepipeline.send(new CreatePipelineCommand({ pipeline }))).rejects.toMatchObject({
      name,
      message: expect.stringMatching(message),
    });
  });
});

test("a deleted pipeline runs nothing more", async () => {
  await lab.pipeline("deleted", { Source: [zipSource("sources")], Approve: [approval()] });
  await lab.codepipeline.send(new DeletePipelineCommand({ name: "deleted" }));
  await expect(start("deleted")).rejects.toMatchObject({ name: "PipelineNotFoundException" });
});
