import { CreatePipelineCommand, RetryStageExecutionCommand, StopPipelineExecutionCommand } from "@aws-sdk/client-codepipeline";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { until } from "../codebuild/testing/code-lab.ts";
import { openPipelineLab, type OwnPipelineLab } from "./testing/own-lab.ts";
import { approval, build, zipSource } from "./testing/pipeline-lab.ts";

// Many processes are started: a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let lab: OwnPipelineLab;
beforeAll(async () => {
  lab = await openPipelineLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

describe("stopping and retrying", () => {
  test("a failed stage is retried from its failed actions, or from the start", async () => {
    const mark = join(lab.folder, "retried");
    await Promise.all([lab.pipelineProject("steady", [`echo x >> ${mark}.count`]), lab.pipelineProject("moody", [`test -e ${mark}`])]);
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
    const mark = join(lab.folder, "again");
    await Promise.all([
      lab.pipelineProject("second-time", [`if test -e ${mark}; then true; else touch ${mark}; false; fi`]),
      lab.pipelineProject("never", ["false"]),
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
    expect((await lab.stages("again"))["Build"]).toMatchObject({
      retryStageMetadata: { autoStageRetryAttempt: 1, latestRetryTrigger: "AutomatedStageRetry" },
    });
    expect(await lab.ended("never", bad)).toMatchObject({ status: "Failed" });
    expect((await lab.actions("never", bad)).filter(({ actionName }) => actionName === "Build")).toHaveLength(2);
  });

  test("stopped, an execution lets its actions end, or abandons them", async () => {
    const mark = join(lab.folder, "go");
    await lab.pipelineProject("patient", [`touch ${mark}.begun`, `until test -e ${mark}; do sleep 0.05; done`]);
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
    const second = await lab.start("stopped");
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
    await expect(lab.answer("asked", crypto.randomUUID())).rejects.toMatchObject({ name: "InvalidApprovalTokenException" });
    await lab.answer("asked", stale, "Rejected");
    expect(await lab.ended("asked", id)).toMatchObject({ status: "Failed" });
    await lab.codepipeline.send(
      new RetryStageExecutionCommand({ pipelineName: "asked", stageName: "Approve", pipelineExecutionId: id, retryMode: "FAILED_ACTIONS" }),
    );
    const token = await lab.token("asked", id);
    expect(token).not.toBe(stale);
    await expect(lab.answer("asked", stale)).rejects.toMatchObject({ name: "ApprovalAlreadyCompletedException" });
    await lab.answer("asked", token);
    expect(await lab.ended("asked", id)).toMatchObject({ status: "Succeeded" });
    await expect(lab.answer("asked", token)).rejects.toMatchObject({ name: "ApprovalAlreadyCompletedException" });
  });
});
