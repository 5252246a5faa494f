import { CodeCommitClient, CreateCommitCommand, CreateRepositoryCommand } from "@aws-sdk/client-codecommit";
import type { ActionDeclaration } from "@aws-sdk/client-codepipeline";
import { CreateFunctionCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openPipelineLab, type OwnPipelineLab } from "./testing/own-lab.ts";
import { approval, build, commitSource, zipSource } from "./testing/pipeline-lab.ts";

// Many processes are started: a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let lab: OwnPipelineLab;
beforeAll(async () => {
  lab = await openPipelineLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

describe("actions", () => {
  test("a CodeCommit source builds the branch's newest commit, or the one that the start names", async () => {
    const codecommit = new CodeCommitClient(lab.accounts.config());
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
    await lab.pipelineProject("reads", ["export SAID=$(cat deep/main.wdl)"]);
    const id = await lab.pipeline("flow", { Source: [commitSource("flow")], Build: [build("reads")] });
    const second = await lab.start("flow", { sourceRevisions: [{ actionName: "Commit", revisionType: "COMMIT_ID", revisionValue: one }] });
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
      lab.start("flow", { sourceRevisions: [{ actionName: "Nobody", revisionType: "COMMIT_ID", revisionValue: one }] }),
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
    await new LambdaClient(lab.accounts.config()).send(
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
    expect(await lab.errorOf("call-fail", bad!, "Call")).toEqual({ code: "JobFailed", message: "too small" });
  });

  test("of a provider that is not there fail by its name", async () => {
    const mobile: ActionDeclaration = {
      name: "Phones",
      actionTypeId: { category: "Test", owner: "AWS", provider: "DeviceFarm", version: "1" },
      inputArtifacts: [{ name: "source" }],
    };
    const id = await lab.pipeline("phones", { Source: [zipSource("sources")], Test: [mobile] });
    expect(await lab.ended("phones", id)).toMatchObject({ status: "Failed" });
    expect((await lab.errorOf("phones", id, "Phones"))?.message).toContain("DeviceFarm");
  });

  test("run under the pipeline's role alone", async () => {
    const roleArn = await lab.role("codepipeline", "weak", ["s3:GetObject"]);
    const id = await lab.pipeline("weak", { Source: [zipSource("sources")], Approve: [approval()] }, { roleArn });
    await lab.ended("weak", id);
    expect((await lab.errorOf("weak", id, "Zip"))?.message).toMatch(/assumed-role\/weak\/.*s3:PutObject/);
  });
});
