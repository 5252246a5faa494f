import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CreateWorkflowCommand,
  CreateWorkflowVersionCommand,
  GetWorkflowCommand,
  GetWorkflowVersionCommand,
  type OmicsClient,
} from "@aws-sdk/client-omics";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type AwsClients, awsClients } from "../../aws/clients.ts";
import { systemClock } from "../../kit/clock.ts";
import { createRepository, hostOf, type RegistryUser, signIn } from "../../local/ecr/testing/registry.ts";
import { CICD, REGION, startAccounts, type TestAccounts } from "../../local/testing/accounts.ts";
import { noise, pushIndex, pushReferrer, pushSample } from "../../oci/testing/sample-images.ts";
import { faultProxy } from "../../oci/testing/fault-proxy.ts";
import type { LockedImage } from "../images/lock/lock.ts";
import { artifactsBucket } from "../names.ts";
import { readProject } from "../project/project.ts";
import { checkRecord } from "../testing/checked-record.ts";
import type { BuildRecord } from "./build-record.ts";
import { packageDefinition } from "./package.ts";
import { writeBuild } from "./write-build.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const PLACE = { account: CICD, region: REGION };
const BUCKET = artifactsBucket(CICD, REGION);
const ARM = { os: "linux", architecture: "arm64", variant: "v8" };

let accounts: TestAccounts;
let cicd: RegistryUser;
let clients: AwsClients;
let folder: string;
let output: string;
beforeAll(async () => {
  accounts = await startAccounts();
  [cicd, clients] = [await signIn(accounts), awsClients(accounts.config())];
  await clients.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  [folder, output] = [mkdtempSync(join(tmpdir(), "omx-build-source-")), mkdtempSync(join(tmpdir(), "omx-build-record-"))];
  writeFileSync(join(folder, "omx.yaml"), 'name: sized\nversion: "1.0"\n');
  writeFileSync(join(folder, "main.wdl"), "version 1.1\nworkflow sized {\n  input { Int depth }\n}\n");
});
afterAll(async () => {
  for (const each of [folder, output]) rmSync(each, { recursive: true, force: true });
  await cicd[Symbol.asyncDispose]();
  await accounts[Symbol.asyncDispose]();
});

const locked = (name: string, digest: string): LockedImage => ({
  image: `quay.io/${name}:1`,
  source: `quay.io/${name}:1`,
  target: `${hostOf(CICD)}/${name}@${digest}`,
  digest,
});

/** A workflow with these versions, each as `omx ci build` makes it. */
async function workflowWith(...versions: readonly string[]): Promise<string> {
  const omics: OmicsClient = clients.omics;
  const definition = {
    definitionZip: packageDefinition(readProject(folder)).zip,
    engine: "WDL" as const,
    parameterTemplate: { depth: { optional: false } },
  };
  const { id: workflowId = "" } = await omics.send(
    new CreateWorkflowCommand({ name: "sized", ...definition, requestId: crypto.randomUUID() }),
  );
  await vi.waitFor(async () => expect((await omics.send(new GetWorkflowCommand({ id: workflowId }))).status).toBe("ACTIVE"), {
    timeout: 60_000,
  });
  for (const versionName of versions)
    await omics.send(new CreateWorkflowVersionCommand({ workflowId, versionName, ...definition, requestId: crypto.randomUUID() }));
  for (const versionName of versions)
    await vi.waitFor(
      async () => expect((await omics.send(new GetWorkflowVersionCommand({ workflowId, versionName }))).status).toBe("ACTIVE"),
      { timeout: 60_000 },
    );
  return workflowId;
}

async function built(
  workflowId: string,
  versionName: string,
  images: readonly LockedImage[],
  endpoint = accounts.url,
): Promise<BuildRecord> {
  const project = readProject(folder);
  const notes: string[] = [];
  const record = await writeBuild({
    env: {
      clients,
      cicd: PLACE,
      clock: systemClock,
      target: { region: REGION, endpoint },
      emit: (event) => void (event.type === "note" && notes.push(event.text)),
    },
    identity: { workflow: "sized", commit: "c", branch: "main", pipelineExecutionId: "p", startedBy: "a push" },
    project,
    lock: { version: 1, images },
    packed: packageDefinition(project),
    version: { workflowId, versionName, arn: "a" },
    tests: { tests: [] } as never,
    outputDir: output,
  });
  expect(notes).toEqual([]);
  checkRecord("build.schema.json", readFileSync(join(output, "build.json"), "utf8"));
  checkRecord("containers.lock.schema.json", readFileSync(join(output, "containers.lock.json"), "utf8"));
  return record;
}

/** What a promotion writes beside the build's record. */
const promoted = (version: string, status: "ACTIVE" | "FAILED") =>
  clients.s3.send(
    new PutObjectCommand({
      Bucket: BUCKET,
      Key: `evidence/sized/${version}/release.json`,
      Body: JSON.stringify({ version, results: [{ status }] }),
    }),
  );

test("a build records the platforms and the compressed bytes of its images, and what became of each since the last version that was released", async () => {
  const [tool, many, next] = await Promise.all(
    ["sized/tool", "sized/many", "sized/next"].map(async (name) => {
      await createRepository(cicd.ecr, name);
      return cicd.repository(name);
    }),
  );
  const one = await pushSample(tool!, "1", { layers: [noise("one", 30_000), noise("two", 12_345)] });
  const other = await pushSample(tool!, "2", { layers: [noise("one", 30_000)] });
  const amd = await pushSample(many!, "amd64", { layers: [noise("amd", 40_000)] });
  const arm = await pushSample(many!, "arm64", { layers: [noise("arm", 50_000), noise("arm", 50_000)], platform: ARM });
  const attestation = await pushReferrer(many!, amd, {
    artifactType: "application/vnd.in-toto+json",
    content: noise("attestation", 90_000),
  });
  const index = await pushIndex(many!, "1", [amd, arm, { ...attestation, platform: { os: "unknown", architecture: "unknown" } }]);
  const added = await pushSample(next!, "1", { layers: [noise("next", 1000)] });
  const configBytes = async (repository: typeof tool, digest: string) =>
    (JSON.parse((await repository!.getManifest(digest))!.bytes.toString()) as { config: { size: number } }).config.size;

  const workflowId = await workflowWith("1.0.0", "1.0.1", "1.0.2", "1.0.3");
  const first = await built(workflowId, "1.0.0", [locked("sized/tool", one.digest), locked("sized/many", index.digest)]);
  expect(first.differences).toEqual({ parameters: [], images: [], files: [] });
  expect(first.images.map(({ image, platforms, bytes }) => ({ image, platforms, bytes }))).toEqual([
    { image: "quay.io/sized/tool:1", platforms: ["linux/amd64"], bytes: 42_345 + (await configBytes(tool, one.digest)) },
    { image: "quay.io/sized/many:1", platforms: ["linux/amd64", "linux/arm64/v8"], bytes: 50_000 + (await configBytes(many, arm.digest)) },
  ]);
  // The files of the bundle are those of before: the same sources are the same bytes.
  expect(JSON.parse(readFileSync(join(output, "containers.lock.json"), "utf8"))).toEqual({
    version: 1,
    images: [locked("sized/tool", one.digest), locked("sized/many", index.digest)].map((image) => ({ ...image, platform: "all" })),
  });

  const changed = [locked("sized/tool", other.digest), locked("sized/next", added.digest)];
  expect((await built(workflowId, "1.0.1", changed)).differences).toMatchObject({ since: "1.0.0", isSinceUnreleased: true });
  await promoted("1.0.0", "ACTIVE");
  await promoted("1.0.1", "FAILED");
  // 1.0.1 has reached nobody: an approver of 1.0.2 has not seen what it changed.
  const { differences } = await built(workflowId, "1.0.2", changed);
  expect(differences).toMatchObject({ since: "1.0.0", parameters: [], files: [] });
  expect(differences).not.toHaveProperty("isSinceUnreleased");
  expect(differences.images).toEqual([
    { name: "quay.io/sized/many:1", change: "removed", before: index.digest, bytesBefore: first.images[1]!.bytes },
    { name: "quay.io/sized/next:1", change: "added", after: added.digest },
    { name: "quay.io/sized/tool:1", change: "changed", before: one.digest, after: other.digest, bytesBefore: first.images[0]!.bytes },
  ]);
});

test("platform and size of an image are read from its registry, where that answers and with its patience", async () => {
  await createRepository(cicd.ecr, "sized/asked");
  const pushed = await pushSample(cicd.repository("sized/asked"), "1", { layers: [noise("asked", 1000)] });
  // The first answer for each layer or configuration is lost.
  await using registry = await faultProxy(accounts.url, ({ path }, before) =>
    path.includes("/blobs/") && before === 0 ? { kind: "reset" } : undefined,
  );
  const { images } = await built(await workflowWith("4.0.0"), "4.0.0", [locked("sized/asked", pushed.digest)], registry.url);
  expect(images).toMatchObject([{ platforms: ["linux/amd64"], bytes: expect.any(Number) }]);
  expect(registry.count("GET", "/sized/asked/manifests/")).toBe(1);
  expect(registry.count("GET", "/sized/asked/blobs/")).toBeGreaterThan(1);
});

test("of a version without a record of its images it says so, and not that they are the same", async () => {
  const workflowId = await workflowWith("3.0.0", "3.0.1");
  expect((await built(workflowId, "3.0.1", [])).differences).toMatchObject({
    since: "3.0.0",
    isSinceUnreleased: true,
    images: [],
    areImagesUnknown: true,
  });
});
