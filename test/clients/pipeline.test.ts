import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { approval, build, type PipelineLab, pipelineLab, zipSource } from "../../src/local/codepipeline/testing/pipeline-lab.ts";
import { awsCli, openShell, PATIENCE_MS, type Shell } from "./aws-cli.ts";

let shell: Shell;
let lab: PipelineLab;
beforeAll(async () => {
  shell = await openShell();
  lab = pipelineLab(shell.accounts);
});
afterAll(() => shell[Symbol.asyncDispose]());

interface Stage {
  readonly stageName: string;
  readonly latestExecution?: { readonly status: string; readonly pipelineExecutionId: string };
  readonly actionStates: readonly {
    readonly latestExecution?: { readonly token?: string; readonly errorDetails?: { readonly message: string } };
  }[];
}

const stageOf = async (name: string): Promise<Stage | undefined> =>
  (
    await shell.aws<{ stageStates: readonly Stage[] }>("approver", "codepipeline", "get-pipeline-state", "--name", "checked")
  ).stageStates.find(({ stageName }) => stageName === name);

const answer = (token: string, status: "Approved" | "Rejected") =>
  [
    "codepipeline",
    "put-approval-result",
    "--pipeline-name",
    "checked",
    "--stage-name",
    "Approve",
    "--action-name",
    "Ask",
    "--token",
    token,
    "--result",
    `summary=looked at it,status=${status}`,
  ] as const;

const start = async (): Promise<string> =>
  (await shell.aws<{ pipelineExecutionId: string }>("cicd", "codepipeline", "start-pipeline-execution", "--name", "checked"))
    .pipelineExecutionId;

/** A pipeline of a ZIP in S3, a build that fails until the file `open` is in the shell's folder, and an approval. */
async function createPipeline(): Promise<string> {
  await lab.s3.send(new CreateBucketCommand({ Bucket: "store" }));
  await lab.archive("source-of-pipeline", { "main.wdl": "version 1.1\n" });
  const buildspec = { version: "0.2", phases: { build: { commands: ["test -s main.wdl", `test -e ${join(shell.folder, "open")}`] } } };
  await lab.project("check", buildspec, {
    source: { type: "CODEPIPELINE", buildspec: JSON.stringify(buildspec) },
    artifacts: { type: "CODEPIPELINE" },
    actions: ["s3:GetObject"],
  });
  return lab.pipeline("checked", {
    Source: [zipSource("source-of-pipeline")],
    Build: [build("check")],
    Approve: [approval({ CustomData: "is it good?" })],
  });
}

test.runIf(awsCli)(
  "aws codepipeline starts, retries, approves, rejects and stops executions",
  async () => {
    const first = await createPipeline();
    expect(await lab.ended("checked", first)).toMatchObject({ status: "Failed" });
    const failed = await stageOf("Build");
    expect(failed).toMatchObject({ latestExecution: { status: "Failed", pipelineExecutionId: first } });
    expect(failed?.actionStates[0]?.latestExecution?.errorDetails?.message).toContain("Phase: BUILD");

    writeFileSync(join(shell.folder, "open"), "");
    await shell.aws(
      "cicd",
      "codepipeline",
      "retry-stage-execution",
      "--pipeline-name",
      "checked",
      "--stage-name",
      "Build",
      "--pipeline-execution-id",
      first,
      "--retry-mode",
      "FAILED_ACTIONS",
    );
    const token = await lab.token("checked", first);
    expect((await stageOf("Approve"))?.actionStates[0]?.latestExecution?.token).toBe(token);
    expect(await shell.refused("developer", ...answer(token, "Approved"))).toContain("AccessDeniedException");
    await shell.aws("approver", ...answer(token, "Approved"));
    expect(await lab.ended("checked", first)).toMatchObject({ status: "Succeeded" });

    const second = await start();
    expect(await lab.token("checked", second)).not.toBe(token);
    expect(await shell.refused("approver", ...answer(token, "Approved"))).toMatch(/InvalidApprovalToken|ApprovalAlreadyCompleted/);
    await shell.aws(
      "cicd",
      "codepipeline",
      "stop-pipeline-execution",
      "--pipeline-name",
      "checked",
      "--pipeline-execution-id",
      second,
      "--abandon",
      "--reason",
      "not today",
    );
    expect(await lab.ended("checked", second)).toMatchObject({ status: "Stopped" });

    const third = await start();
    await shell.aws("approver", ...answer(await lab.token("checked", third), "Rejected"));
    expect(await lab.ended("checked", third)).toMatchObject({ status: "Failed" });
  },
  PATIENCE_MS,
);
