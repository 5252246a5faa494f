import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openPipelineLab, type OwnPipelineLab } from "./testing/own-lab.ts";
import { approval, build, zipSource } from "./testing/pipeline-lab.ts";

// Many processes are started: a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let lab: OwnPipelineLab;
beforeAll(async () => {
  lab = await openPipelineLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

describe("variables", () => {
  const variables = [{ name: "level", defaultValue: "low" }, { name: "who" }];
  const environment = (value: string) => ({ EnvironmentVariables: JSON.stringify([{ name: "GIVEN", value, type: "PLAINTEXT" }]) });

  test("of the pipeline have defaults and are given at the start; those of actions follow", async () => {
    await lab.pipelineProject("says", ['export SAID="$GIVEN"']);
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
    await expect(lab.start("spoken")).rejects.toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining("Variable who has no default"),
    });
    await expect(
      lab.start("spoken", {
        variables: [
          { name: "who", value: "me" },
          { name: "what", value: "x" },
        ],
      }),
    ).rejects.toThrow(/what is not declared/);
    const id = await lab.start("spoken", { variables: [{ name: "who", value: "phage" }] });
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
    expect(await lab.errorOf("unset", id, "Ask")).toEqual({
      code: "ConfigurationError",
      message: "Variable references could not be resolved: #{Nobody.Said}",
    });
  });
});
