import { DeletePipelineCommand, DisableStageTransitionCommand, EnableStageTransitionCommand } from "@aws-sdk/client-codepipeline";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { until } from "../codebuild/testing/code-lab.ts";
import { openPipelineLab, type OwnPipelineLab } from "./testing/own-lab.ts";
import { approval, zipSource } from "./testing/pipeline-lab.ts";

// Many processes are started: a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let lab: OwnPipelineLab;
beforeAll(async () => {
  lab = await openPipelineLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

describe("executions", () => {
  test("QUEUED, wait for each other in the order of their start", async () => {
    const first = await lab.pipeline("queued", { Source: [zipSource("sources")], Approve: [approval()] });
    const [second, third] = [await lab.start("queued"), await lab.start("queued")];
    const token = await lab.token("queued", first);
    const waiting = await until(
      () => lab.stages("queued"),
      ({ Approve }) => Approve?.inboundExecutions?.length === 2,
    );
    expect(waiting["Approve"]?.inboundExecutions?.map(({ pipelineExecutionId }) => pipelineExecutionId)).toEqual([second, third]);
    await lab.answer("queued", token);
    expect(await lab.ended("queued", first)).toMatchObject({ status: "Succeeded" });
    await lab.answer("queued", await lab.token("queued", second), "Rejected");
    expect(await lab.ended("queued", second)).toMatchObject({ status: "Failed" });
    await lab.answer("queued", await lab.token("queued", third));
    expect(await lab.ended("queued", third)).toMatchObject({ status: "Succeeded" });
  });

  test("SUPERSEDED, overtake those that wait; PARALLEL, know no waiting", async () => {
    const [first] = await Promise.all([
      lab.pipeline("superseded", { Source: [zipSource("sources")], Approve: [approval()] }, { executionMode: "SUPERSEDED" }),
      lab.pipeline("parallel", { Source: [zipSource("sources")], Approve: [approval()] }, { executionMode: "PARALLEL" }),
    ]);
    await lab.token("superseded", first);
    const second = await lab.start("superseded");
    await until(
      () => lab.stages("superseded"),
      ({ Approve }) => Approve?.inboundExecution?.pipelineExecutionId === second,
    );
    const third = await lab.start("superseded");
    expect(await lab.ended("superseded", second)).toMatchObject({ status: "Superseded" });
    await lab.answer("superseded", await lab.token("superseded", first));
    await lab.answer("superseded", await lab.token("superseded", third));
    expect(await lab.ended("superseded", third)).toMatchObject({ status: "Succeeded" });

    const another = await lab.start("parallel");
    await until(
      () => lab.actions("parallel", another),
      (actions) => actions.some(({ actionName, status }) => actionName === "Ask" && status === "InProgress"),
    );
  });

  test("the same token is the same execution", async () => {
    await lab.pipeline("once", { Source: [zipSource("sources")], Approve: [approval()] });
    expect(await lab.start("once", { clientRequestToken: "a" })).toBe(await lab.start("once", { clientRequestToken: "a" }));
  });

  test("a stage lets nothing in while its transition is disabled", async () => {
    const transition = { pipelineName: "closed", stageName: "Approve", transitionType: "Inbound" as const };
    const first = await lab.pipeline("closed", { Source: [zipSource("sources")], Approve: [approval()] });
    await lab.answer("closed", await lab.token("closed", first));
    await lab.codepipeline.send(new DisableStageTransitionCommand({ ...transition, reason: "holidays" }));
    const second = await lab.start("closed");
    const { Approve } = await until(
      () => lab.stages("closed"),
      (found) => found["Approve"]?.inboundExecution?.pipelineExecutionId === second,
    );
    expect(Approve?.inboundTransitionState).toMatchObject({
      enabled: false,
      disabledReason: "holidays",
      lastChangedBy: "arn:aws:iam::111122223333:user/cicd",
    });
    await lab.codepipeline.send(new EnableStageTransitionCommand(transition));
    await lab.answer("closed", await lab.token("closed", second));
    expect(await lab.ended("closed", second)).toMatchObject({ status: "Succeeded" });
  });
});

test("a deleted pipeline runs nothing more", async () => {
  await lab.pipeline("deleted", { Source: [zipSource("sources")], Approve: [approval()] });
  await lab.codepipeline.send(new DeletePipelineCommand({ name: "deleted" }));
  await expect(lab.start("deleted")).rejects.toMatchObject({ name: "PipelineNotFoundException" });
});
