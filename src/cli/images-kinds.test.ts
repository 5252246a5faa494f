import { gzipSync, zstdCompressSync } from "node:zlib";
import { DescribeImagesCommand, ECRClient } from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digestOf } from "../oci/digest.ts";
import type { Descriptor } from "../oci/manifest.ts";
import { MEDIA_TYPES } from "../oci/media-types.ts";
import { noise } from "../oci/testing/sample-images.ts";
import { cliAt } from "./testing/in-process.ts";
import { AMD, type KindsLab, openKindsLab, type PulledImage } from "./testing/kinds-lab.ts";
import { project } from "./testing/project.ts";

const MS = 120_000;
const DOCKER = "application/vnd.docker.distribution.manifest";
const OCI_LAYER = "application/vnd.oci.image.layer";

let lab: KindsLab;
beforeAll(async () => {
  lab = await openKindsLab();
}, MS);
afterAll(() => lab?.[Symbol.asyncDispose](), MS);

const elsewhere = (mediaType: string): Descriptor =>
  ({ mediaType, digest: `sha256:${"1".repeat(64)}`, size: 77, urls: ["https://elsewhere.example/layer"] }) as Descriptor;

/** What each tag of quay.io/kinds/tool is. */
const KINDS: Readonly<Record<string, () => Descriptor>> = {
  "docker-list": () => {
    const parts = {
      config: { ...lab.config(), mediaType: "application/vnd.docker.container.image.v1+json" },
      layers: [lab.layer("application/vnd.docker.image.rootfs.diff.tar.gzip", gzipSync(noise("docker", 5000)))],
    };
    const child = lab.quay.manifest({ schemaVersion: 2, mediaType: `${DOCKER}.v2+json`, ...parts });
    return lab.quay.manifest(
      {
        schemaVersion: 2,
        mediaType: `${DOCKER}.list.v2+json`,
        manifests: [{ ...child, platform: AMD }],
      },
      "docker-list",
    );
  },
  zstd: () => lab.image([lab.layer(`${OCI_LAYER}.v1.tar+zstd`, zstdCompressSync(noise("zstd", 5000)))], "zstd"),
  foreign: () => lab.image([elsewhere("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"), lab.gzip("foreign")], "foreign"),
  nondistributable: () =>
    lab.image([elsewhere(`${OCI_LAYER}.nondistributable.v1.tar+gzip`), lab.gzip("nondistributable")], "nondistributable"),
  "nondistributable-without-address": () =>
    lab.image([lab.layer(`${OCI_LAYER}.nondistributable.v1.tar+gzip`, gzipSync(noise("held", 5000)))], "nondistributable-without-address"),
  "called-json": () =>
    lab.quay.manifest(
      { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config: lab.config(), layers: [lab.gzip("json")] },
      "called-json",
      "application/json; charset=utf-8",
    ),
  "empty-layer": () => lab.image([lab.layer(`${OCI_LAYER}.v1.tar`, Buffer.alloc(0)), lab.gzip("beside")], "empty-layer"),
  "no-layers": () => lab.image([], "no-layers"),
  "same-layer-twice": () => lab.image([lab.gzip("twice"), lab.gzip("twice")], "same-layer-twice"),
  sha512: () => lab.image([lab.layer(`${OCI_LAYER}.v1.tar`, noise("sha512", 5000), "sha512")], "sha512"),
  attested: () => lab.attested("attested"),
};

test.each(Object.keys(KINDS))(
  "%s arrives with its digest, and is there for a second call",
  async (kind) => {
    const { digest } = KINDS[kind]!();
    expect(await lab.pull(kind)).toMatchObject({ status: "PULLED", digest });
    const { imageDetails } = await new ECRClient(lab.accounts.config()).send(
      new DescribeImagesCommand({ repositoryName: "quay/kinds/tool", imageIds: [{ imageTag: kind }] }),
    );
    expect(imageDetails).toMatchObject([{ imageDigest: digest }]);
    expect(await lab.pull(kind)).toMatchObject({ status: "SKIPPED", digest });
  },
  MS,
);

test(
  "an index in an index in an index is planned and brought; what is deeper, or names what is not there, is refused by both",
  async () => {
    const tool = lab.image([lab.gzip("deep")]);
    let below = tool;
    for (let depth = 1; depth <= 4; depth += 1) below = lab.index([below], `depth-${depth}`);
    using cli = cliAt(lab.accounts);
    const planned = async (tag: string) =>
      (await cli.run("images", "plan", `quay.io/kinds/tool:${tag}`, ...lab.at, "--json")).json<{ images: readonly PulledImage[] }>()
        .images[0];
    const absent = digestOf(Buffer.from("offered by nobody"));
    lab.index([tool, { ...tool, digest: absent }], "gap");
    const gap = {
      status: "FAILED",
      reason: `quay.io does not have it (read quay.io/kinds/tool:gap at ${lab.quay.url}): the index names ${absent}, which is not there`,
    };
    expect([await planned("gap"), await lab.pull("gap")]).toMatchObject([gap, gap]);
    const refused = { status: "FAILED", reason: "quay.io/kinds/tool:depth-4 is an index of indexes, more than 3 deep" };
    expect([await planned("depth-3"), await planned("depth-4")]).toMatchObject([{ status: "PULL" }, refused]);
    expect([await lab.pull("depth-3"), await lab.pull("depth-4")]).toMatchObject([{ status: "PULLED" }, refused]);
  },
  MS,
);

test(
  "an image whose registry names it by sha512 has one name in ECR, and is not taken for another at the next call",
  async () => {
    const document = (seed: string) => ({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: lab.config(),
      layers: [lab.gzip(seed)],
    });
    const named = (seed: string) => lab.quay.manifest(document(seed), "by-sha512", undefined, "sha512").digest;
    const inEcr = (seed: string) => digestOf(Buffer.from(JSON.stringify(document(seed))));
    using cli = cliAt(lab.accounts);
    const folder = project(cli, "named", ["quay.io/kinds/tool:by-sha512"]);
    const ask = async (...args: readonly string[]) =>
      (await cli.run("images", ...args, ...lab.at, "--json")).json<{ images: readonly object[] }>().images;
    for (const [seed, status, locked] of [
      ["named", "PULL", "NEW"],
      ["named anew", "MOVED", "MOVED"],
    ] as const) {
      const digest = named(seed);
      expect(await ask("plan", "quay.io/kinds/tool:by-sha512")).toMatchObject([{ status, digest }]);
      expect(await ask("lock", folder)).toMatchObject([{ status: "NOT_STAGED", digest }]);
      expect(await lab.pull("by-sha512")).toMatchObject({ status: "PULLED", digest: inEcr(seed) });
      expect(await lab.pull("by-sha512")).toMatchObject({ status: "SKIPPED", digest: inEcr(seed) });
      expect(await ask("plan", "quay.io/kinds/tool:by-sha512")).toMatchObject([
        { status: "SKIP", digest: inEcr(seed), present: inEcr(seed) },
      ]);
      expect(await ask("lock", folder)).toMatchObject([{ status: locked, digest: inEcr(seed) }]);
      expect(await ask("lock", folder)).toMatchObject([{ status: "SAME" }]);
      expect(await ask("plan", "--project", folder)).toMatchObject([{ status: "SKIP", digest: inEcr(seed) }]);
      expect((await cli.run("images", "verify", folder, "--profile", "cicd")).code).toBe(0);
    }
  },
  MS,
);

test(
  "what is no container image is brought, and told as none",
  async () => {
    const sif = { ...lab.config({}), mediaType: "application/vnd.sylabs.sif.config.v1+json" };
    lab.quay.manifest(
      {
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.ociManifest,
        config: sif,
        layers: [lab.layer("application/vnd.sylabs.sif.layer.v1.sif", noise("sif", 100))],
      },
      "singularity",
    );
    const says = "no task can run in it: it is no container image but application/vnd.sylabs.sif.config.v1+json";
    expect(await lab.pull("singularity")).toMatchObject({ status: "PULLED", reason: `the target did not have it; ${says}` });
    expect(await lab.pull("singularity")).toMatchObject({ status: "SKIPPED", reason: `the target has the same digest; ${says}` });
  },
  MS,
);
