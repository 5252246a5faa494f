import { PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CICD } from "../testing/accounts.ts";
import { pythonWithBoto3 } from "./testing/boto.ts";
import { zipOf } from "./testing/omics.ts";
import { base64, MAP, openVersionLab, TEMPLATE, TWO, type VersionLab, versionSource, WDL } from "./testing/version-lab.ts";

// What CreateWorkflowVersion was sent, by boto3, seen on runs of the version.

const python = pythonWithBoto3();

const source = versionSource();
afterAll(() => source[Symbol.dispose]());
const { fromRepository } = source;

describe.skipIf(python === undefined)("a version, sent by boto3", () => {
  let versions: VersionLab;
  beforeAll(async () => {
    versions = await openVersionLab(python ?? "");
  }, 120_000);
  afterAll(() => versions[Symbol.asyncDispose]());

  test("a definition in a bucket of somebody else fails the version", async () => {
    const input = versions.request({
      definition: "none",
      sent: { definitionUri: "s3://lab-bucket/hello.zip", workflowBucketOwnerId: "444455556666" },
    });
    await versions.boto.send("create_workflow_version", input);
    const named = { workflowId: versions.workflowId, versionName: input["versionName"] };
    expect(await versions.boto.send("wait:workflow_version_active", named)).toMatchObject({ error: { code: "WaiterError" } });
    expect(await versions.boto.send("get_workflow_version", named)).toMatchObject({
      output: {
        status: "FAILED",
        statusMessage: expect.stringMatching(/^AccessDenied: .*444455556666/),
        workflowBucketOwnerId: "444455556666",
      },
    });
    expect(await versions.boto.send("start_run", { ...versions.runOf(input), parameters: {} })).toMatchObject({
      error: { code: "ConflictException" },
    });
  });

  describe("what a version says takes effect on its run", () => {
    test("main, definitionZip, parameterTemplate, storageCapacity, workflowId, versionName", { timeout: 120_000 }, async () => {
      const input = versions.request({
        sent: { definitionZip: TWO, main: "other.wdl", storageCapacity: 3000, parameterTemplate: TEMPLATE },
      });
      await versions.created(input);
      expect(await versions.boto.send("start_run", { ...versions.runOf(input), parameters: { other: 1 } })).toMatchObject({
        error: { code: "ValidationException" },
      });
      const run = await versions.ran(input, { name: "boto" });
      expect(run).toMatchObject({
        status: "COMPLETED",
        workflowId: versions.workflowId,
        storageType: "STATIC",
        storageCapacity: 4800,
        workflowVersionName: input["versionName"],
      });
      expect(JSON.parse(await versions.lab.get(`runs/${String(run["id"])}/logs/outputs.json`))).toEqual({ "Other.said": "hello boto" });
    });

    test(
      "definitionUri, engine, accelerators, storageType; not description, tags, readmeMarkdown, requestId",
      { timeout: 120_000 },
      async () => {
        await versions.lab.s3.send(
          new PutObjectCommand({
            Bucket: versions.lab.bucket,
            Key: "lenient.zip",
            Body: zipOf({ "main.wdl": WDL.replace('String name = "you"', "String name = 5") }),
          }),
        );
        const plain = { description: "greets", tags: { Team: "A" }, readmeMarkdown: "# hello", requestId: "effects" };
        const sent = {
          definitionUri: "s3://lab-bucket/lenient.zip",
          workflowBucketOwnerId: CICD,
          engine: "WDL_LENIENT",
          accelerators: "GPU",
          storageType: "DYNAMIC",
          ...plain,
        };
        const input = versions.request({ definition: "none", sent });
        await versions.created(input);
        const run = await versions.ran(input, {});
        expect(run).toMatchObject({
          status: "COMPLETED",
          accelerators: "GPU",
          storageType: "DYNAMIC",
          tags: expect.not.objectContaining({ Team: "A" }),
        });
        expect(JSON.parse(await versions.lab.get(`runs/${String(run["id"])}/logs/outputs.json`))).toEqual({ "Hello.said": "hello 5" });
        const { uuid } = await versions.lab.settledVersion(versions.workflowId, String(input["versionName"]));
        expect(run["workflowUuid"]).toBe(uuid);
      },
    );

    test("definitionRepository, parameterTemplatePath; not readmePath", { timeout: 120_000 }, async () => {
      const input = versions.request({
        definition: "none",
        sent: { definitionRepository: fromRepository, parameterTemplatePath: "template.json", readmePath: "docs.md" },
      });
      await versions.created(input);
      expect(await versions.boto.send("start_run", { ...versions.runOf(input), parameters: { other: 1 } })).toMatchObject({
        error: { code: "ValidationException" },
      });
      expect(await versions.ran(input, { name: "git" })).toMatchObject({ status: "COMPLETED" });
    });

    test.each([{ containerRegistryMap: MAP }, { containerRegistryMapUri: "s3://lab-bucket/map.json" }])(
      "%j decides where images come from; readmeUri nothing",
      { timeout: 120_000 },
      async (map) => {
        const definitionZip = base64({
          "main.wdl": WDL.replace("output { String said = read", 'runtime { docker: "quay.io/bio/none:1" } output { String said = read'),
        });
        const input = versions.request({ sent: { definitionZip, readmeUri: "s3://lab-bucket/README.md", ...map } });
        await versions.created(input);
        expect(await versions.ran(input, {})).toMatchObject({
          failureReason: "IMAGE_VERIFICATION_FAILURE",
          statusMessage: expect.stringContaining(`${CICD}.dkr.ecr.us-east-1.amazonaws.com/quay/bio/none:1 can't be found in ECR`),
        });
      },
    );
  });
});
