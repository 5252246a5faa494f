import { CreatePipelineCommand, type PipelineDeclaration } from "@aws-sdk/client-codepipeline";
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
  beforeAll(async () => {
    role = await lab.role("codepipeline", "refused", ["s3:*"]);
  });

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
