import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateRepositoryCommand, ECRClient, ListImagesCommand } from "@aws-sdk/client-ecr";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { zipSync } from "fflate";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type Clock, systemClock } from "../../../kit/clock.ts";
import { canMount, mountSmallDisk } from "../../../local/testing/small-disk.ts";
import { registryClient } from "../../../oci/client/registry-client.ts";
import { digestOf } from "../../../oci/digest.ts";
import { MEDIA_TYPES } from "../../../oci/media-types.ts";
import { memoryBlob, noise, pushIndex, pushSample } from "../../../oci/testing/sample-images.ts";
import { encodeResult, RESULT_VARIABLE } from "../after-build.ts";
import { buildImageFromSource, buildInBuild, type BuildWorkshop } from "./build-from-s3.ts";
import type { ReleaseEnvironment } from "../../environment.ts";
import { artifactsBucket } from "../../names.ts";
import { buildFolder } from "./build.ts";
import { uploadBuildSources } from "./build-sources.ts";
import { planEachBuild } from "../manifest.ts";
import type { BuildItem } from "../staging.ts";
import { DEFAULT_REPOSITORIES } from "../repositories/repository-settings.ts";
import { hasty, type ImageLab, openImageLab, PLACE } from "../testing/image-lab.ts";

let lab: ImageLab;
beforeAll(async () => {
  lab = await openImageLab();
  await new S3Client(lab.accounts.config()).send(new CreateBucketCommand({ Bucket: "sources" }));
}, 120_000);
afterAll(() => lab[Symbol.asyncDispose](), 120_000);

const s3For = (config = lab.accounts.config()): Pick<BuildWorkshop, "s3For"> => ({ s3For: () => Promise.resolve(new S3Client(config)) });
const workshop = (): BuildWorkshop => ({ ...lab.workshop({ clock: hasty }), ...s3For() });

/** An item of the builder, its source in S3. */
async function item(name: string, dockerfile: string, more: object = {}): Promise<BuildItem> {
  await new S3Client(lab.accounts.config()).send(
    new PutObjectCommand({ Bucket: "sources", Key: `${name}.zip`, Body: zipSync({ Dockerfile: Buffer.from(dockerfile) }) }),
  );
  const [planned] = planEachBuild([{ source_uri: `s3://sources/${name}.zip`, target_image: `${name}:1`, ...more }], PLACE);
  if (!planned || !("build_args" in planned)) throw new Error(planned?.reason);
  return planned;
}
async function pushArm(name: string, seed: string): Promise<void> {
  await using clients = registryClient();
  await pushSample(clients.repository({ registry: lab.upstream.host, repository: name }), "1", {
    layers: [noise(seed, 4000)],
    platform: { os: "linux", architecture: "arm64" },
  });
}
const push = (name: string, seed: string) => lab.push(name, noise(seed, 4000));

test.runIf(canMount())("what the disk of a function has no room for is left to a build, wherever it runs out", async () => {
  const data = randomBytes(6_000_000);
  const packed = zipSync({ Dockerfile: Buffer.from("FROM scratch\nCOPY data /one\nCOPY data /two\n"), data }, { level: 0 });
  await new S3Client(lab.accounts.config()).send(new PutObjectCommand({ Bucket: "sources", Key: "large.zip", Body: packed }));
  const [large] = planEachBuild([{ source_uri: "s3://sources/large.zip", target_image: "large:1" }], PLACE) as BuildItem[];
  const disk = mkdtempSync(join(tmpdir(), "omx-small-disk-"));
  const before = process.env["TMPDIR"];
  // Of the archive, of its files, of a layer.
  for (const mib of [4, 10, 16]) {
    mountSmallDisk(disk, mib);
    process.env["TMPDIR"] = disk;
    try {
      expect([mib, await buildImageFromSource(workshop(), large!)]).toEqual([
        mib,
        expect.objectContaining({ status: "TOO_LARGE", reason: "the function's disk is full" }),
      ]);
      expect(readdirSync(disk)).toEqual([]);
    } finally {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
      execFileSync("umount", [disk]);
    }
  }
  rmSync(disk, { recursive: true });
});

test("E14, E23: a base's registry that throttles or is down is asked again by the state machine; one that refuses is told", async () => {
  await push("busy/base", "busy");
  const busy = await item("busy", "FROM quay.io/busy/base:1\nENV A=1\n");
  for (const status of [429, 503]) {
    lab.fail(({ path }) => (path.includes("busy/base") ? { kind: "answer", status } : undefined));
    await expect(buildImageFromSource(workshop(), busy)).rejects.toMatchObject({ name: "RegistryBusy" });
  }
  lab.fail(({ path }) => (path.includes("busy/base") ? { kind: "answer", status: 403 } : undefined));
  const refused = await buildImageFromSource(workshop(), busy);
  expect(refused).toMatchObject({ status: "FAILED", reason: expect.stringMatching(/quay\.io refuses access/) });
  lab.fail(undefined);
  const nowhere = await item("nowhere", "FROM registry.invalid/base:1\nENV A=1\n");
  expect(await buildImageFromSource(workshop(), nowhere)).toMatchObject({
    status: "FAILED",
    reason: expect.stringMatching(/^registry\.invalid .*, Dockerfile:1\).*nobody knows a host of that name/),
  });
  const away = { ...lab.accounts.config(), endpoint: "http://127.0.0.1:1" };
  for (const lost of [s3For(away), { ecr: new ECRClient(away) }])
    await expect(buildImageFromSource({ ...workshop(), ...lost }, busy)).rejects.toMatchObject({ name: "RegistryBusy" });
  await expect(buildInBuild({ ...workshop(), ...s3For(away) }, busy, {})).rejects.toMatchObject({
    code: "ImagesFailed",
    message: expect.stringContaining("ECONNREFUSED"),
    fix: expect.stringContaining("start the execution again"),
  });
  expect(await buildImageFromSource(workshop(), busy)).toMatchObject({ status: "SUCCEEDED", reason: "built" });
}, 120_000);

test("an image that is there is looked at with one request for each base, and with none for one that is pinned", async () => {
  const { digest } = await push("counted/base", "counted");
  const [tagged, pinned] = [
    await item("tagged", "FROM quay.io/counted/base:1\nENV A=1\n"),
    await item("pinned", `FROM quay.io/counted/base:1@${digest}\nENV A=1\n`),
  ];
  for (const one of [tagged, pinned]) expect(await buildImageFromSource(workshop(), one)).toMatchObject({ status: "SUCCEEDED" });
  const requestsOf = async (one: BuildItem) => {
    const before = lab.asked.length;
    expect(await buildImageFromSource(workshop(), one)).toMatchObject({ status: "SKIPPED" });
    return lab.asked
      .slice(before)
      .filter(({ path }) => path.includes("/manifests/"))
      .map(({ method }) => method);
  };
  expect(await requestsOf(tagged)).toEqual(["HEAD"]);
  expect(await requestsOf(pinned)).toEqual([]);
  const { digest: locked = "" } = await buildImageFromSource(workshop(), pinned);
  const reasonOf = async (more: object) => (await buildImageFromSource(workshop(), { ...pinned, locked_digest: locked, ...more })).reason;
  expect([await reasonOf({}), await reasonOf({ force: true })]).toEqual([
    "the lock's image is there, and the source is unchanged",
    "the same image is there",
  ]);
}, 120_000);

test("the base of each platform is watched, by whatever variable it is named", async () => {
  await push("tools/amd64", "amd64");
  await pushArm("tools/arm64", "arm64");
  const both = await item("both", "ARG TARGETARCH\nFROM quay.io/tools/$TARGETARCH:1\nENV A=1\n", {
    platforms: ["linux/amd64", "linux/arm64"],
  });
  expect(await item("twice", "FROM scratch\n", { platforms: ["linux/amd64", "linux/arm64", "linux/amd64"] })).toMatchObject({
    platforms: ["linux/amd64", "linux/arm64"],
  });
  expect(await buildImageFromSource(workshop(), both)).toMatchObject({ status: "SUCCEEDED", reason: "built for 2 platforms" });
  expect(await buildImageFromSource(workshop(), both)).toMatchObject({ status: "SKIPPED" });
  await pushArm("tools/arm64", "moved");
  expect(await buildImageFromSource(workshop(), both)).toMatchObject({
    status: "SUCCEEDED",
    reason: expect.stringContaining("its base has moved: quay.io/tools/arm64:1 is"),
  });
}, 120_000);

test("an image on a base for another platform says so, and is for that one; no index is made of such", async () => {
  await push("arm/base", "arm");
  const asked = await item("asked", "FROM quay.io/arm/base:1\nENV A=1\n", { platforms: ["linux/arm64/v8"] });
  const remark = "it is for linux/amd64 as its base is, and not for linux/arm64/v8";
  expect(await buildImageFromSource(workshop(), asked)).toMatchObject({
    status: "SUCCEEDED",
    platform: "linux/amd64",
    reason: `built; ${remark}`,
  });
  expect(await buildImageFromSource(workshop(), asked)).toMatchObject({
    status: "SKIPPED",
    platform: "linux/amd64",
    reason: `the source is unchanged; ${remark}`,
  });
  // Of an index nothing else is taken.
  await using clients = registryClient();
  const repository = clients.repository({ registry: lab.upstream.host, repository: "arm/index" });
  await pushIndex(repository, "1", [
    await pushSample(repository, "arm64", { layers: [noise("index", 4000)], platform: { os: "linux", architecture: "arm64" } }),
  ]);
  expect(await buildImageFromSource(workshop(), await item("indexed", "# x\nFROM quay.io/arm/index:1\nENV A=1\n"))).toMatchObject({
    status: "FAILED",
    reason: expect.stringMatching(/^Dockerfile:2: quay\.io\/arm\/index\S+ is not offered for linux\/amd64, only for linux\/arm64$/),
  });
  const several = await item("several", "FROM quay.io/arm/base:1\nENV A=1\n", { platforms: ["linux/amd64", "linux/arm64"] });
  expect(await buildImageFromSource(workshop(), several)).toMatchObject({
    status: "FAILED",
    reason: "Dockerfile:1: its base is for linux/amd64 alone: nothing can be built for linux/arm64",
  });
}, 120_000);

test("the tag of an image for several platforms means nothing but their index, so that one that can't be moved serves", async () => {
  const fixed = { ...workshop(), repositories: { ...DEFAULT_REPOSITORIES, immutableTags: true } };
  expect(
    await buildImageFromSource(
      fixed,
      await item("fixed", "FROM scratch\nARG TARGETARCH\nENV FOR=$TARGETARCH\n", { platforms: ["linux/amd64", "linux/arm64"] }),
    ),
  ).toMatchObject({ status: "SUCCEEDED", reason: "built for 2 platforms" });
}, 120_000);

test("an image of more layers than Docker runs is refused, as Docker itself would", async () => {
  const copies = (count: number) => `FROM scratch\n${"COPY Dockerfile /\n".repeat(count)}`;
  expect(await buildImageFromSource(workshop(), await item("deep", copies(126)))).toMatchObject({
    status: "FAILED",
    reason: expect.stringContaining("an image of 126 layers, and Docker runs those of up to 125"),
  });
  expect(await buildImageFromSource(workshop(), await item("deep", copies(125)))).toMatchObject({ status: "SUCCEEDED" });
}, 120_000);

test("an argument that no ARG asks for is told", async () => {
  const named = async (buildArgs: object) =>
    buildImageFromSource(
      workshop(),
      await item("named", "ARG BASE=scratch\nFROM $BASE\nARG VERSION=1 NAME\nENV V=$VERSION\n", { buildArgs }),
    );
  expect(await named({ VERSION: "2", NAME: "x", BASE: "scratch", HTTPS_PROXY: "http://proxy" })).toMatchObject({
    status: "SUCCEEDED",
    reason: "built",
  });
  expect(await named({ VERSIN: "3", VERSION: "3" })).toMatchObject({ status: "SUCCEEDED", reason: "built; Dockerfile has no ARG VERSIN" });
}, 120_000);

test("the image is built on the digest that was looked at: the base's tag is not read a second time", async () => {
  await push("racing/base", "racing");
  const racing = await item("racing", "FROM quay.io/racing/base:1\nENV A=1\n");
  lab.fail(({ method, path }) =>
    method === "GET" && path.endsWith("/racing/base/manifests/1") ? { kind: "answer", status: 404 } : undefined,
  );
  expect(await buildImageFromSource(workshop(), racing)).toMatchObject({ status: "SUCCEEDED" });
  lab.fail(undefined);
}, 120_000);

test("a function whose time is over while it builds stops there and hands over; a build goes on, and says to the function what is there", async () => {
  await lab.push("late/base", Buffer.alloc(1024));
  const late = await item("late", "FROM quay.io/late/base:1\nWORKDIR /new\n");
  let timeIsOver: (() => void) | undefined;
  const clock: Clock = { now: () => systemClock.now(), sleep: () => new Promise<void>((resolve) => void (timeIsOver = resolve)) };
  lab.fail(({ method, path }) => void (method === "GET" && path.includes("/late/base/blobs/") && timeIsOver?.()));
  const handedOver = await buildImageFromSource({ ...workshop(), clock, deadline: new Date(systemClock.now().getTime() + 600_000) }, late);
  expect(handedOver).toEqual({ ...late, status: "TOO_LARGE", reason: "the function's time was over", started: expect.any(Number) });
  await expect(workshop().ecr.send(new ListImagesCommand({ repositoryName: "late" }))).rejects.toMatchObject({
    name: "RepositoryNotFoundException",
  });
  lab.fail(undefined);
  const built = await buildInBuild(workshop(), late, {});
  await expect(buildInBuild(workshop(), { ...late, source_uri: "s3://sources/absent.zip" }, {})).rejects.toMatchObject({
    code: "ImagesFailed",
    message: expect.stringMatching(/^NoSuchKey: s3:\/\/sources\/absent\.zip: /),
  });
  const ended = (exported: object) =>
    buildImageFromSource(workshop(), {
      ...late,
      status: "BUILD_ENDED",
      build: "omx-image-build:1",
      started: 1,
      exported: [{ Name: RESULT_VARIABLE, Value: encodeResult(exported) }],
    });
  expect(await ended(built)).toMatchObject({
    status: "SUCCEEDED",
    digest: built.digest,
    size: built.size,
    bytes_moved: built.bytes_moved,
    reason: "built",
    build: "omx-image-build:1",
  });
  expect(await ended({ ...built, source_hash: "another" })).toMatchObject({
    status: "FAILED",
    reason: expect.stringContaining("is not what it should have built"),
  });
  const later = await buildInBuild(
    workshop(),
    { ...(await item("later", "FROM quay.io/late/base:1\nWORKDIR /later\n")), target_image: late.target_image },
    {},
  );
  expect(later.digest).not.toBe(built.digest);
  expect(await ended(built)).toMatchObject({ status: "SUCCEEDED", digest: built.digest });
  expect(await ended({ status: "SUCCEEDED" })).toMatchObject({
    status: "FAILED",
    reason: "the build omx-image-build:1 ended, and does not say what it built",
  });
  // Where there is no engine, the line that wants one is what to change.
  const failed = {
    ...late,
    status: "BUILD_FAILED",
    reason: "Dockerfile:2: RUN needs an engine",
    cause: "States.TaskFailed: no build was started",
  } as const;
  expect(await buildImageFromSource(workshop(), failed)).toMatchObject({
    status: "FAILED",
    reason: "Dockerfile:2: RUN needs an engine\nStates.TaskFailed: no build was started",
  });
}, 120_000);

test("what a FROM or COPY --from can't be found by is told with its line", async () => {
  const reason = async (name: string, dockerfile: string) => (await buildImageFromSource(workshop(), await item(name, dockerfile))).reason;
  expect(await reason("no-base", "# x\nFROM quay.io/not/there:1\n")).toMatch(
    /^quay\.io does not have it \(read quay\.io\/not\/there:1 at http:\/\/127\.0\.0\.1:\d+, Dockerfile:2\)/,
  );
  expect(await reason("no-value", "ARG V\nFROM quay.io/tools/x:$V\n")).toMatch(
    /^Dockerfile:2: "quay\.io\/tools\/x:" .*; it is written quay\.io\/tools\/x:\$V: give its variables values/,
  );
  expect(await reason("elsewhere", "FROM scratch\nCOPY --from=quay.io/not/there:2 / /\n")).toContain(", Dockerfile:2)");
  const later = await item("later", "FROM scratch AS first\nCOPY --from=second / /\nFROM scratch AS second\nENV A=1\n", {
    target: "first",
  });
  expect((await buildImageFromSource({ ...workshop(), upstreams: { "docker.io": lab.upstream.url } }, later)).reason).toMatch(
    /, Dockerfile:2\): .*; or is the stage second meant, which is not there before line 2$/,
  );
}, 120_000);

test("a base whose layer is no archive, or that is no image, is that image's reason", async () => {
  await using clients = registryClient();
  const repository = clients.repository({ registry: lab.upstream.host, repository: "chart/base" });
  const config = Buffer.from('{"name":"chart"}');
  await repository.uploadBlob(memoryBlob(config));
  const [digest, mediaType] = [digestOf(config), MEDIA_TYPES.ociManifest];
  await repository.putManifest("1", {
    mediaType,
    bytes: Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType,
        config: { mediaType: "application/vnd.cncf.helm.config.v1+json", digest, size: config.length },
        layers: [],
      }),
    ),
  });
  expect(await buildImageFromSource(workshop(), await item("chart", "FROM quay.io/chart/base:1\nENV A=1\n"))).toMatchObject({
    status: "FAILED",
    reason: expect.stringMatching(/^Dockerfile:1: quay\.io\/chart\/base\S+ is no container image/),
  });
  await push("broken/base", "broken");
  expect(await buildImageFromSource(workshop(), await item("broken", "FROM quay.io/broken/base:1\nWORKDIR /new\n"))).toMatchObject({
    status: "FAILED",
    reason: expect.stringMatching(/^Dockerfile:2: the layer sha256:\w+ of a base can't be unpacked/),
  });
}, 120_000);

test("a release packs what the build may read: data beside it stays where it is, and what is too much is told with what to do", async () => {
  const root = mkdtempSync(join(tmpdir(), "omx-packed-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, "tools");
  mkdirSync(join(folder, "data"), { recursive: true });
  writeFileSync(join(folder, "Dockerfile"), "FROM scratch\nCOPY . /all\nCOPY data /data\n");
  writeFileSync(join(folder, ".dockerignore"), "data/*\n");
  for (const name of ["empty/inner", ".git"]) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, ".git", "HEAD"), "of this clone");
  writeFileSync(join(folder, "data", "reads.fastq"), "");
  truncateSync(join(folder, "data", "reads.fastq"), 3 * 1024 ** 3);
  const s3 = new S3Client(lab.accounts.config());
  await s3.send(new CreateBucketCommand({ Bucket: artifactsBucket(PLACE.account, PLACE.region) }));
  const upload = () =>
    uploadBuildSources({ clients: { s3 }, cicd: PLACE } as unknown as ReleaseEnvironment, {
      workflow: "wf",
      root,
      builds: [{ source: "tools", dockerfile: "Dockerfile", target: "packed:1", args: {} }],
    });
  const [{ source_uri } = { source_uri: "" }] = await upload();
  const packed = {
    source_uri,
    target_image: `${PLACE.account}.dkr.ecr.${PLACE.region}.amazonaws.com/packed:1`,
    dockerfile: "Dockerfile",
    build_args: {},
  };
  const built = await buildImageFromSource(workshop(), packed);
  expect(built).toMatchObject({ status: "SUCCEEDED" });
  // As from the folder itself.
  expect(await buildFolder(workshop(), packed, { context: folder, work: join(root, "work") })).toMatchObject({
    status: "SKIPPED",
    digest: built.digest,
  });
  expect(await buildFolder(workshop(), { ...packed, force: true }, { context: folder, work: join(root, "work") })).toMatchObject({
    digest: built.digest,
    reason: "the same image is there",
  });
  rmSync(join(folder, ".dockerignore"));
  await expect(upload()).rejects.toMatchObject({
    message: expect.stringMatching(/the source tools of an image has 3\.2 GB in 2 files, and may have 2 GiB or 100,000 files/),
    fix: expect.stringContaining("tools/.dockerignore"),
  });
}, 120_000);

test("nothing is written into a repository of somebody else that HealthOmics may not read, and no engine is asked to", async () => {
  const ecr = workshop().ecr;
  for (const name of ["theirs", "theirs-run"]) await ecr.send(new CreateRepositoryCommand({ repositoryName: name }));
  for (const one of [await item("theirs", "FROM scratch\nENV A=1\n"), await item("theirs-run", "FROM scratch\nRUN true\n")])
    expect(await buildImageFromSource(workshop(), one)).toMatchObject({
      status: "FAILED",
      reason: expect.stringContaining("it is not omx's"),
    });
  for (const repositoryName of ["theirs", "theirs-run"])
    expect(await ecr.send(new ListImagesCommand({ repositoryName }))).toMatchObject({ imageIds: [] });
}, 120_000);
