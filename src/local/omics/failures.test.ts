import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CreateWorkflowCommand, GetRunCommand, ListRunsCommand, ListRunTasksCommand, ListWorkflowsCommand } from "@aws-sdk/client-omics";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startAccounts } from "../testing/accounts.ts";
import { furnish, makeRole, openLab, RUN_ROLE, zipOf, type OmicsLab } from "./testing/omics.ts";

let lab: OmicsLab;
beforeAll(async () => {
  lab = await openLab();
}, 120_000);
afterAll(() => lab[Symbol.asyncDispose]());

const task = (command: string, runtime = "", rest = "") => ({
  "main.wdl": `version 1.1\nworkflow W { call t }\ntask t { command <<< ${command} >>> runtime { ${runtime} } ${rest} }`,
});
const READER = {
  "main.wdl":
    "version 1.1\nworkflow W { input { File f } call t { input: f = f } }\ntask t { input { File f } command <<< cat ~{f}; sleep 1 >>> }",
};

const run = async (files: Readonly<Record<string, string>>, more = {}) =>
  lab.ended(await lab.start({ workflowId: await lab.workflow(files), ...more }));
const failed = (failureReason: string, statusMessage: RegExp) => ({
  status: "FAILED",
  failureReason,
  statusMessage: expect.stringMatching(statusMessage),
});

describe("each failure reason has what provokes it", () => {
  test("INVALID_ECR_IMAGE_URI: a public image without a mapping", async () => {
    expect(await run(task("true", 'docker: "quay.io/biocontainers/bwa:1"'))).toMatchObject(
      failed("INVALID_ECR_IMAGE_URI", /quay\.io\/biocontainers\/bwa:1 is not in a private ECR registry/),
    );
  });

  test("INVALID_TASK_RESOURCE_VALUE: more CPUs than any instance has", async () => {
    expect(await run(task("true", "cpu: 500"))).toMatchObject(failed("INVALID_TASK_RESOURCE_VALUE", /500 CPUs/));
  });

  test("UNSUPPORTED_GPU_INSTANCE_TYPE: an accelerator nobody has", async () => {
    expect(await run(task("true", 'acceleratorType: "abacus" acceleratorCount: 1'))).toMatchObject(
      failed("UNSUPPORTED_GPU_INSTANCE_TYPE", /abacus/),
    );
  });

  test("OUT_OF_MEMORY_ERROR: a task over its memory", { timeout: 60_000 }, async () => {
    const files = task(`python3 -c "b = bytearray(300 * 1024 * 1024); import time; time.sleep(5)"`, 'memory: "64 MiB"');
    expect(await run(files)).toMatchObject(failed("OUT_OF_MEMORY_ERROR", /^Task t \(\d+\): Task ran out of memory$/));
  });

  test("TASK_TIMED_OUT: a task over its time", { timeout: 60_000 }, async () => {
    const tool =
      "{ cwlVersion: v1.2, class: CommandLineTool, requirements: { ToolTimeLimit: { timelimit: 1 } }, baseCommand: [sleep, '60'], inputs: {}, outputs: {} }";
    expect(await run({ "main.cwl": tool })).toMatchObject(failed("TASK_TIMED_OUT", /timed out/));
  });

  test("IMPORT_FAILED: the role may not read the input", async () => {
    const roleArn = await makeRole(
      lab.iam,
      "blind",
      RUN_ROLE.map((part) => ({ ...part, Action: [part.Action].flat().filter((action) => action !== "s3:GetObject") })),
    );
    expect(await run(READER, { roleArn, parameters: { f: await lab.put("blind.txt", "x") } })).toMatchObject(
      failed("IMPORT_FAILED", /blind\.txt can't be read with the run's role/),
    );
  });

  test("INVALID_URI_INPUT: a folder where a file is needed", async () => {
    expect(await run(READER, { parameters: { f: `s3://${lab.bucket}/folder/` } })).toMatchObject(
      failed("INVALID_URI_INPUT", /s3:\/\/lab-bucket\/folder\//),
    );
  });

  test.each(["/etc/hostname", "file:///etc/hostname", "https://example.org/x"])("INVALID_URI_INPUT: %s, which is not in S3", async (f) => {
    expect(await run(READER, { parameters: { f } })).toMatchObject(failed("INVALID_URI_INPUT", /is not an s3:\/\/ or omics:\/\/ URI/));
  });

  test("INVALID_URI_INPUT: a file of this machine for a CWL tool", { timeout: 60_000 }, async () => {
    const tool =
      "{ cwlVersion: v1.2, class: CommandLineTool, baseCommand: cat, inputs: { f: { type: File, inputBinding: {} } }, outputs: {} }";
    for (const place of [{ path: "/etc/hostname" }, { location: "file:///etc/hostname" }])
      expect(await run({ "main.cwl": tool }, { parameters: { f: { class: "File", ...place } } })).toMatchObject(
        failed("INVALID_URI_INPUT", /etc\/hostname is not/),
      );
    expect(await run({ "main.cwl": tool }, { parameters: { f: { class: "File", basename: "x.txt", contents: "x" } } })).toMatchObject({
      status: "COMPLETED",
    });
  });

  test("MODIFIED_INPUT_RESOURCE: an input that changes while the run uses it", async () => {
    const f = await lab.put("changing.txt", "one");
    const id = await lab.start({ workflowId: await lab.workflow(READER), parameters: { f } });
    for (let status; status !== "RUNNING";) status = (await lab.omics.send(new ListRunTasksCommand({ id }))).items?.[0]?.status;
    await lab.put("changing.txt", "two");
    expect(await lab.ended(id)).toMatchObject(failed("MODIFIED_INPUT_RESOURCE", /changing\.txt was changed/));
  });

  test("WORKFLOW_RUN_FAILED: the engine can't evaluate an output", async () => {
    const files = {
      "main.wdl": "version 1.1\nworkflow W { call t }\ntask t { command <<< echo x >>> output { Int n = read_int(stdout()) } }",
    };
    expect(await run(files)).toMatchObject(failed("WORKFLOW_RUN_FAILED", /invalid literal for int/));
  });

  test("a session policy narrows the role", async () => {
    const sessionPolicy = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: ["logs:*", "s3:GetObject"], Resource: "*" }],
    });
    expect(await run(task("true"), { sessionPolicy })).toMatchObject({ status: "COMPLETED" });
  });
});

describe("configuration", () => {
  const configured = async (settings: object) => {
    const accounts = await startAccounts();
    writeFileSync(join(accounts.dataDir, "healthomics.json"), JSON.stringify(settings));
    await accounts.restart();
    return furnish(accounts);
  };

  test("quotas come from healthomics.json: RUN_TIMED_OUT, and 402", { timeout: 60_000 }, async () => {
    await using other = await configured({ quotas: { workflows: 1, runSeconds: 1 } });
    const workflowId = await other.workflow(task("sleep 60"));
    await expect(other.omics.send(new CreateWorkflowCommand({ definitionZip: zipOf(task("true")) }))).rejects.toMatchObject({
      name: "ServiceQuotaExceededException",
      $metadata: { httpStatusCode: 402 },
    });
    const ended = await other.ended(await other.start({ workflowId }));
    expect(ended).toMatchObject({ status: "FAILED", failureReason: "RUN_TIMED_OUT" });
    const { items = [] } = await other.omics.send(new ListRunTasksCommand({ id: ended.id }));
    expect(items.filter(({ status }) => status !== "CANCELLED")).toEqual([]);
  });

  test("at the quota of stored runs the oldest that may go makes room; where all stay, 402", { timeout: 120_000 }, async () => {
    await using other = await configured({ quotas: { storedRuns: 2 } });
    const workflowId = await other.workflow({ "main.wdl": "version 1.1\nworkflow W {}" });
    const ended = async (retentionMode: "REMOVE" | "RETAIN") => (await other.ended(await other.start({ workflowId, retentionMode }))).id;
    const [first, second] = [await ended("REMOVE"), await ended("RETAIN")];
    const third = await ended("RETAIN");
    expect((await other.omics.send(new ListRunsCommand({}))).items?.map(({ id }) => id)).toEqual([third, second]);
    await expect(other.omics.send(new GetRunCommand({ id: first }))).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    await expect(other.start({ workflowId })).rejects.toMatchObject({
      name: "ServiceQuotaExceededException",
      $metadata: { httpStatusCode: 402 },
    });
  });

  test("throttling is switched on there", async () => {
    await using other = await configured({ throttling: true });
    const answers = await Promise.allSettled(Array.from({ length: 30 }, () => other.omics.send(new ListWorkflowsCommand({}))));
    const refused = answers.flatMap((answer) => (answer.status === "rejected" ? [answer.reason as unknown] : []));
    expect(refused.length).toBeGreaterThan(10);
    expect(refused[0]).toMatchObject({ name: "ThrottlingException", $metadata: { httpStatusCode: 429 } });
  });

  test("an unknown setting is an error by its name", async () => {
    const accounts = await startAccounts();
    writeFileSync(join(accounts.dataDir, "healthomics.json"), JSON.stringify({ quotas: { flows: 1 } }));
    await expect(accounts.restart()).rejects.toThrow(/healthomics\.json.*\n?.*flows/);
  });
});
