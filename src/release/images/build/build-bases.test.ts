import { ECRClient } from "@aws-sdk/client-ecr";
import { S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { registryClient } from "../../../oci/client/registry-client.ts";
import { digestOf } from "../../../oci/digest.ts";
import { MEDIA_TYPES } from "../../../oci/media-types.ts";
import { memoryBlob, noise, pushIndex, pushSample } from "../../../oci/testing/sample-images.ts";
import type { BuildItem } from "../staging.ts";
import { type BuildLab, openBuildLab, PATIENCE_MS } from "../testing/build-lab.ts";
import { buildImageFromSource, buildInBuild } from "./build-from-s3.ts";

// What an image is built on

let lab: BuildLab;
beforeAll(async () => {
  lab = await openBuildLab();
}, PATIENCE_MS);
afterAll(() => lab?.[Symbol.asyncDispose](), PATIENCE_MS);

test(
  "E14, E23: a base's registry that throttles or is down is asked again by the state machine; one that refuses is told",
  async () => {
    await lab.push("busy/base", "busy");
    const busy = await lab.item("busy", "FROM quay.io/busy/base:1\nENV A=1\n");
    for (const status of [429, 503]) {
      lab.images.fail(({ path }) => (path.includes("busy/base") ? { kind: "answer", status } : undefined));
      await expect(buildImageFromSource(lab.workshop(), busy)).rejects.toMatchObject({ name: "RegistryBusy" });
    }
    lab.images.fail(({ path }) => (path.includes("busy/base") ? { kind: "answer", status: 403 } : undefined));
    const refused = await buildImageFromSource(lab.workshop(), busy);
    expect(refused).toMatchObject({ status: "FAILED", reason: expect.stringMatching(/quay\.io refuses access/) });
    lab.images.fail(undefined);
    const nowhere = await lab.item("nowhere", "FROM registry.invalid/base:1\nENV A=1\n");
    expect(await buildImageFromSource(lab.workshop(), nowhere)).toMatchObject({
      status: "FAILED",
      reason: expect.stringMatching(/^registry\.invalid .*, Dockerfile:1\).*nobody knows a host of that name/),
    });
    const away = { ...lab.images.accounts.config(), endpoint: "http://127.0.0.1:1" };
    const withoutS3 = { s3For: () => Promise.resolve(new S3Client(away)) };
    for (const lost of [withoutS3, { ecr: new ECRClient(away) }])
      await expect(buildImageFromSource({ ...lab.workshop(), ...lost }, busy)).rejects.toMatchObject({ name: "RegistryBusy" });
    await expect(buildInBuild({ ...lab.workshop(), ...withoutS3 }, busy, {})).rejects.toMatchObject({
      code: "ImagesFailed",
      message: expect.stringContaining("ECONNREFUSED"),
      fix: expect.stringContaining("start the execution again"),
    });
    expect(await buildImageFromSource(lab.workshop(), busy)).toMatchObject({ status: "SUCCEEDED", reason: "built" });
  },
  PATIENCE_MS,
);

test(
  "an image that is there is looked at with one request for each base, and with none for one that is pinned",
  async () => {
    const { digest } = await lab.push("counted/base", "counted");
    const [tagged, pinned] = [
      await lab.item("tagged", "FROM quay.io/counted/base:1\nENV A=1\n"),
      await lab.item("pinned", `FROM quay.io/counted/base:1@${digest}\nENV A=1\n`),
    ];
    for (const one of [tagged, pinned]) expect(await buildImageFromSource(lab.workshop(), one)).toMatchObject({ status: "SUCCEEDED" });
    const requestsOf = async (one: BuildItem) => {
      const before = lab.images.asked.length;
      expect(await buildImageFromSource(lab.workshop(), one)).toMatchObject({ status: "SKIPPED" });
      return lab.images.asked
        .slice(before)
        .filter(({ path }) => path.includes("/manifests/"))
        .map(({ method }) => method);
    };
    expect(await requestsOf(tagged)).toEqual(["HEAD"]);
    expect(await requestsOf(pinned)).toEqual([]);
    const { digest: locked = "" } = await buildImageFromSource(lab.workshop(), pinned);
    const reasonOf = async (more: object) =>
      (await buildImageFromSource(lab.workshop(), { ...pinned, locked_digest: locked, ...more })).reason;
    expect([await reasonOf({}), await reasonOf({ force: true })]).toEqual([
      "the lock's image is there, and the source is unchanged",
      "the same image is there",
    ]);
  },
  PATIENCE_MS,
);

test(
  "the base of each platform is watched, by whatever variable it is named",
  async () => {
    await lab.push("tools/amd64", "amd64");
    await lab.pushArm("tools/arm64", "arm64");
    const both = await lab.item("both", "ARG TARGETARCH\nFROM quay.io/tools/$TARGETARCH:1\nENV A=1\n", {
      platforms: ["linux/amd64", "linux/arm64"],
    });
    expect(await lab.item("twice", "FROM scratch\n", { platforms: ["linux/amd64", "linux/arm64", "linux/amd64"] })).toMatchObject({
      platforms: ["linux/amd64", "linux/arm64"],
    });
    expect(await buildImageFromSource(lab.workshop(), both)).toMatchObject({ status: "SUCCEEDED", reason: "built for 2 platforms" });
    expect(await buildImageFromSource(lab.workshop(), both)).toMatchObject({ status: "SKIPPED" });
    await lab.pushArm("tools/arm64", "moved");
    expect(await buildImageFromSource(lab.workshop(), both)).toMatchObject({
      status: "SUCCEEDED",
      reason: expect.stringContaining("its base has moved: quay.io/tools/arm64:1 is"),
    });
  },
  PATIENCE_MS,
);

test(
  "an image on a base for another platform says so, and is for that one; no index is made of such",
  async () => {
    await lab.push("arm/base", "arm");
    const asked = await lab.item("asked", "FROM quay.io/arm/base:1\nENV A=1\n", { platforms: ["linux/arm64/v8"] });
    const remark = "it is for linux/amd64 as its base is, and not for linux/arm64/v8";
    expect(await buildImageFromSource(lab.workshop(), asked)).toMatchObject({
      status: "SUCCEEDED",
      platform: "linux/amd64",
      reason: `built; ${remark}`,
    });
    expect(await buildImageFromSource(lab.workshop(), asked)).toMatchObject({
      status: "SKIPPED",
      platform: "linux/amd64",
      reason: `the source is unchanged; ${remark}`,
    });
    // Of an index nothing else is taken.
    await using clients = registryClient();
    const repository = clients.repository({ registry: lab.images.upstream.host, repository: "arm/index" });
    await pushIndex(repository, "1", [
      await pushSample(repository, "arm64", { layers: [noise("index", 4000)], platform: { os: "linux", architecture: "arm64" } }),
    ]);
    expect(await buildImageFromSource(lab.workshop(), await lab.item("indexed", "# x\nFROM quay.io/arm/index:1\nENV A=1\n"))).toMatchObject(
      {
        status: "FAILED",
        reason: expect.stringMatching(/^Dockerfile:2: quay\.io\/arm\/index\S+ is not offered for linux\/amd64, only for linux\/arm64$/),
      },
    );
    const several = await lab.item("several", "FROM quay.io/arm/base:1\nENV A=1\n", { platforms: ["linux/amd64", "linux/arm64"] });
    expect(await buildImageFromSource(lab.workshop(), several)).toMatchObject({
      status: "FAILED",
      reason: "Dockerfile:1: its base is for linux/amd64 alone: nothing can be built for linux/arm64",
    });
  },
  PATIENCE_MS,
);

test(
  "the image is built on the digest that was looked at: the base's tag is not read a second time",
  async () => {
    await lab.push("racing/base", "racing");
    const racing = await lab.item("racing", "FROM quay.io/racing/base:1\nENV A=1\n");
    lab.images.fail(({ method, path }) =>
      method === "GET" && path.endsWith("/racing/base/manifests/1") ? { kind: "answer", status: 404 } : undefined,
    );
    expect(await buildImageFromSource(lab.workshop(), racing)).toMatchObject({ status: "SUCCEEDED" });
    lab.images.fail(undefined);
  },
  PATIENCE_MS,
);

test(
  "what a FROM or COPY --from can't be found by is told with its line",
  async () => {
    const reason = async (name: string, dockerfile: string) =>
      (await buildImageFromSource(lab.workshop(), await lab.item(name, dockerfile))).reason;
    expect(await reason("no-base", "# x\nFROM quay.io/not/there:1\n")).toMatch(
      /^quay\.io does not have it \(read quay\.io\/not\/there:1 at http:\/\/127\.0\.0\.1:\d+, Dockerfile:2\)/,
    );
    expect(await reason("no-value", "ARG V\nFROM quay.io/tools/x:$V\n")).toMatch(
      /^Dockerfile:2: "quay\.io\/tools\/x:" .*; it is written quay\.io\/tools\/x:\$V: give its variables values/,
    );
    expect(await reason("elsewhere", "FROM scratch\nCOPY --from=quay.io/not/there:2 / /\n")).toContain(", Dockerfile:2)");
    const later = await lab.item("later", "FROM scratch AS first\nCOPY --from=second / /\nFROM scratch AS second\nENV A=1\n", {
      target: "first",
    });
    expect((await buildImageFromSource({ ...lab.workshop(), upstreams: { "docker.io": lab.images.upstream.url } }, later)).reason).toMatch(
      /, Dockerfile:2\): .*; or is the stage second meant, which is not there before line 2$/,
    );
  },
  PATIENCE_MS,
);

test(
  "a base whose layer is no archive, or that is no image, is that image's reason",
  async () => {
    await using clients = registryClient();
    const repository = clients.repository({ registry: lab.images.upstream.host, repository: "chart/base" });
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
    expect(await buildImageFromSource(lab.workshop(), await lab.item("chart", "FROM quay.io/chart/base:1\nENV A=1\n"))).toMatchObject({
      status: "FAILED",
      reason: expect.stringMatching(/^Dockerfile:1: quay\.io\/chart\/base\S+ is no container image/),
    });
    await lab.push("broken/base", "broken");
    expect(
      await buildImageFromSource(lab.workshop(), await lab.item("broken", "FROM quay.io/broken/base:1\nWORKDIR /new\n")),
    ).toMatchObject({
      status: "FAILED",
      reason: expect.stringMatching(/^Dockerfile:2: the layer sha256:\w+ of a base can't be unpacked/),
    });
  },
  PATIENCE_MS,
);
