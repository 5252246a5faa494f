import { CreateRepositoryCommand, ECRClient } from "@aws-sdk/client-ecr";
import { GetRunTaskCommand, ListRunTasksCommand } from "@aws-sdk/client-omics";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CICD, PRODUCTION } from "../testing/accounts.ts";
import { hasDocker } from "../engines/testing/docker.ts";
import { hasNextflow } from "../engines/testing/nextflow.ts";
import { LET_OMICS_READ, letAccountRead, pushEmptyImage, pushHostImage, setPolicy } from "./testing/images.ts";
import { furnish, openLab, type OmicsLab } from "./testing/omics.ts";

const wdl = (image: string, command = "echo hi", outputs = "") => ({
  "main.wdl": `version 1.1\nworkflow W { call t output { String? said = ${outputs ? "t.said" : '""'} } }\ntask t { command <<< ${command} >>> output { ${outputs} } runtime { docker: "${image}" memory: "512 MiB" } }`,
});

const MAP = { registryMappings: [{ upstreamRegistryUrl: "quay.io", ecrRepositoryPrefix: "quay" }] };

describe("images on the host", () => {
  let lab: OmicsLab;
  let image: { readonly uri: string; readonly digest: string };
  beforeAll(async () => {
    lab = await openLab();
    image = await pushHostImage(lab.config, "quay/bio/bash", [LET_OMICS_READ]);
  }, 120_000);
  afterAll(() => lab[Symbol.asyncDispose]());

  const run = async (files: Readonly<Record<string, string>>, more = {}) =>
    lab.ended(await lab.start({ workflowId: await lab.workflow(files, more) }));

  test("a mapped image is read from ECR, and the task tells which and by which digest", async () => {
    const ended = await run(wdl("quay.io/bio/bash:1"), { containerRegistryMap: MAP });
    expect(ended).toMatchObject({ status: "COMPLETED" });
    const { items = [] } = await lab.omics.send(new ListRunTasksCommand({ id: ended.id }));
    expect(await lab.omics.send(new GetRunTaskCommand({ id: ended.id, taskId: items[0]!.taskId }))).toMatchObject({
      imageDetails: { image: image.uri, imageDigest: image.digest, sourceImage: "quay.io/bio/bash:1" },
    });
  });

  test("without the service in the repository's policy the run fails: ECR_PERMISSION_ERROR", async () => {
    await setPolicy(lab.config, "quay/bio/bash", [letAccountRead(CICD)]);
    expect(await run(wdl(image.uri))).toMatchObject({
      status: "FAILED",
      failureReason: "ECR_PERMISSION_ERROR",
      statusMessage: expect.stringContaining("omics.amazonaws.com"),
    });
    await setPolicy(lab.config, "quay/bio/bash", [LET_OMICS_READ]);
    expect(await run(wdl(image.uri))).toMatchObject({ status: "COMPLETED" });
  });

  test("a tag or a repository that is not there: IMAGE_VERIFICATION_FAILURE", async () => {
    expect(await run(wdl(image.uri.replace(/:1$/, ":2")))).toMatchObject({ status: "FAILED", failureReason: "IMAGE_VERIFICATION_FAILURE" });
    expect(await run(wdl(image.uri.replace("bash:1", "zsh:1")))).toMatchObject({
      status: "FAILED",
      failureReason: "IMAGE_VERIFICATION_FAILURE",
    });
  });

  test("a run in production reads cicd's ECR, if its policy says so", { timeout: 60_000 }, async () => {
    const production = await furnish(
      { config: () => lab.productionConfig, [Symbol.asyncDispose]: () => Promise.resolve() },
      { bucket: "production-bucket", account: PRODUCTION },
    );
    const workflowId = await production.workflow(wdl(image.uri));
    expect(await production.ended(await production.start({ workflowId }))).toMatchObject({
      status: "FAILED",
      failureReason: "ECR_PERMISSION_ERROR",
    });
    await setPolicy(lab.config, "quay/bio/bash", [LET_OMICS_READ, letAccountRead(PRODUCTION)]);
    expect(await production.ended(await production.start({ workflowId }))).toMatchObject({ status: "COMPLETED" });
  });
});

describe.skipIf(!hasDocker())("images in Docker", () => {
  let lab: OmicsLab;
  beforeAll(async () => {
    lab = await openLab({ containers: "docker" });
  }, 120_000);
  afterAll(() => lab[Symbol.asyncDispose]());

  test("a task runs in the container that local ECR holds", { timeout: 120_000 }, async () => {
    const { uri } = await pushHostImage(lab.config, "bash", [LET_OMICS_READ]);
    const workflowId = await lab.workflow(
      wdl(
        uri,
        'echo "$AWS_WORKFLOW_RUN_ID in $(ls /sys/class/net) of $(ls /mnt/workflow/main.wdl)"',
        "String said = read_string(stdout())",
      ),
    );
    const id = await lab.start({ workflowId });
    expect(await lab.ended(id)).toMatchObject({ status: "COMPLETED" });
    expect(JSON.parse(await lab.get(`runs/${id}/logs/outputs.json`))).toEqual({ "W.said": `${id} in lo of /mnt/workflow/main.wdl` });
  });

  test("a task that names no image runs in the service's own", { timeout: 120_000 }, async () => {
    const files = {
      "main.wdl":
        "version 1.1\nworkflow W { call t output { String said = t.said } }\ntask t { command <<< ls /sys/class/net; ps | head -0 >>> output { String said = read_string(stdout()) } }",
    };
    const id = await lab.start({ workflowId: await lab.workflow(files) });
    expect(await lab.ended(id)).toMatchObject({ status: "COMPLETED" });
    expect(JSON.parse(await lab.get(`runs/${id}/logs/outputs.json`))).toEqual({ "W.said": "lo" });
  });

  test("a Nextflow process runs in its container, and publishes", { timeout: 180_000 }, async (context) => {
    if (!hasNextflow()) return context.skip();
    const { uri } = await pushHostImage(lab.config, "nf", [LET_OMICS_READ]);
    const main = `process P { container '${uri}'; publishDir '/mnt/workflow/pubdir'; output: path 'said.txt'; script: 'ls /sys/class/net > said.txt' }\nworkflow { P() }`;
    const id = await lab.start({ workflowId: await lab.workflow({ "main.nf": main }) });
    const ended = await lab.ended(id);
    expect([ended.status, ended.statusMessage]).toEqual(["COMPLETED", undefined]);
    expect(await lab.get(`runs/${id}/pubdir/said.txt`)).toBe("lo\n");
  });

  test("an image without a shell can't be started: CANNOT_START_CONTAINER_ERROR", { timeout: 120_000 }, async () => {
    const { uri } = await pushEmptyImage(lab.config, "nothing", [LET_OMICS_READ]);
    const id = await lab.start({ workflowId: await lab.workflow(wdl(uri)) });
    expect(await lab.ended(id)).toMatchObject({ status: "FAILED", failureReason: "CANNOT_START_CONTAINER_ERROR" });
  });

  test("an empty repository has no image to run", async () => {
    const { repository } = await new ECRClient(lab.config).send(new CreateRepositoryCommand({ repositoryName: "empty" }));
    await setPolicy(lab.config, "empty", [LET_OMICS_READ]);
    const id = await lab.start({ workflowId: await lab.workflow(wdl(`${repository?.repositoryUri}:latest`)) });
    expect(await lab.ended(id)).toMatchObject({ status: "FAILED", failureReason: "IMAGE_VERIFICATION_FAILURE" });
  });
});
