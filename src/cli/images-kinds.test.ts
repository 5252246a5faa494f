import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync, zstdCompressSync } from "node:zlib";
import {
  CreateRepositoryCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  GetRepositoryPolicyCommand,
  PutImageTagMutabilityCommand,
} from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { startAccounts, type TestAccounts } from "../local/testing/accounts.ts";
import { digestOf } from "../oci/digest.ts";
import type { Descriptor } from "../oci/manifest.ts";
import { MEDIA_TYPES } from "../oci/media-types.ts";
import { noise } from "../oci/testing/sample-images.ts";
import { type StaticRegistry, staticRegistry } from "../oci/testing/static-registry.ts";
import { cliAt } from "./testing/in-process.ts";

const MS = 120_000;
const DOCKER = "application/vnd.docker.distribution.manifest";
const OCI_LAYER = "application/vnd.oci.image.layer";

let accounts: TestAccounts;
let quay: StaticRegistry;
beforeAll(async () => {
  [accounts, quay] = [await startAccounts(), await staticRegistry()];
}, MS);
afterAll(async () => {
  await quay?.[Symbol.asyncDispose]();
  await accounts?.[Symbol.asyncDispose]();
}, MS);

const layer = (mediaType: string, bytes: Buffer, algorithm?: "sha512"): Descriptor => ({ mediaType, ...quay.blob(bytes, algorithm) });
const config = (about: object = { os: "linux", architecture: "amd64" }): Descriptor => ({
  mediaType: MEDIA_TYPES.ociConfig,
  ...quay.blob(Buffer.from(JSON.stringify(about))),
});
const image = (layers: readonly Descriptor[], tag?: string, about?: object): Descriptor =>
  quay.manifest({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config: config(about), layers }, tag);
const elsewhere = (mediaType: string): Descriptor =>
  ({ mediaType, digest: `sha256:${"1".repeat(64)}`, size: 77, urls: ["https://elsewhere.example/layer"] }) as Descriptor;
const gzip = (seed: string): Descriptor => layer(`${OCI_LAYER}.v1.tar+gzip`, gzipSync(noise(seed, 5000)));

/** An image with what BuildKit says of how it was made. */
function attested(tag: string): Descriptor {
  const tool = { ...image([gzip(tag)]), platform: { os: "linux", architecture: "amd64" } };
  const statement = {
    ...image([gzip(`statement of ${tag}`)], undefined, {}),
    platform: { os: "unknown", architecture: "unknown" },
    annotations: { "vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": tool.digest },
  };
  return quay.manifest({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [tool, statement] }, tag);
}

/** What each tag of quay.io/kinds/tool is. */
const KINDS: Readonly<Record<string, () => Descriptor>> = {
  "docker-list": () => {
    const parts = {
      config: { ...config(), mediaType: "application/vnd.docker.container.image.v1+json" },
      layers: [layer("application/vnd.docker.image.rootfs.diff.tar.gzip", gzipSync(noise("docker", 5000)))],
    };
    const child = quay.manifest({ schemaVersion: 2, mediaType: `${DOCKER}.v2+json`, ...parts });
    return quay.manifest(
      {
        schemaVersion: 2,
        mediaType: `${DOCKER}.list.v2+json`,
        manifests: [{ ...child, platform: { os: "linux", architecture: "amd64" } }],
      },
      "docker-list",
    );
  },
  zstd: () => image([layer(`${OCI_LAYER}.v1.tar+zstd`, zstdCompressSync(noise("zstd", 5000)))], "zstd"),
  foreign: () => image([elsewhere("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"), gzip("foreign")], "foreign"),
  nondistributable: () => image([elsewhere(`${OCI_LAYER}.nondistributable.v1.tar+gzip`), gzip("nondistributable")], "nondistributable"),
  "nondistributable-without-address": () =>
    image([layer(`${OCI_LAYER}.nondistributable.v1.tar+gzip`, gzipSync(noise("held", 5000)))], "nondistributable-without-address"),
  "called-json": () =>
    quay.manifest(
      { schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config: config(), layers: [gzip("json")] },
      "called-json",
      "application/json; charset=utf-8",
    ),
  "empty-layer": () => image([layer(`${OCI_LAYER}.v1.tar`, Buffer.alloc(0)), gzip("beside")], "empty-layer"),
  "no-layers": () => image([], "no-layers"),
  "same-layer-twice": () => image([gzip("twice"), gzip("twice")], "same-layer-twice"),
  sha512: () => image([layer(`${OCI_LAYER}.v1.tar`, noise("sha512", 5000), "sha512")], "sha512"),
  attested: () => attested("attested"),
};

interface Pulled {
  readonly images: readonly { readonly status: string; readonly digest?: string; readonly reason: string }[];
}

async function pull(tag: string, ...flags: readonly string[]) {
  using cli = cliAt(accounts);
  return (
    await cli.run(
      "images",
      "pull",
      `quay.io/kinds/tool:${tag}`,
      "--profile",
      "cicd",
      "--upstream",
      `quay.io=${quay.url}`,
      "--json",
      ...flags,
    )
  ).json<Pulled>().images[0];
}

test.each(Object.keys(KINDS))(
  "%s arrives with its digest, and is there for a second call",
  async (kind) => {
    const { digest } = KINDS[kind]!();
    expect(await pull(kind)).toMatchObject({ status: "PULLED", digest });
    const { imageDetails } = await new ECRClient(accounts.config()).send(
      new DescribeImagesCommand({ repositoryName: "quay/kinds/tool", imageIds: [{ imageTag: kind }] }),
    );
    expect(imageDetails).toMatchObject([{ imageDigest: digest }]);
    expect(await pull(kind)).toMatchObject({ status: "SKIPPED", digest });
  },
  MS,
);

test(
  "one platform: of an index its child, of an image that is for another one a refusal, of what has none itself",
  async () => {
    const index = quay.manifest(
      {
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.ociIndex,
        manifests: [
          {
            ...image([gzip("arm")], undefined, { os: "linux", architecture: "arm64" }),
            platform: { os: "linux", architecture: "arm64", variant: "v8" },
          },
        ],
      },
      "arm-index",
    );
    expect(await pull("arm-index", "--platform", "linux/amd64")).toMatchObject({
      status: "FAILED",
      reason: "quay.io/kinds/tool:arm-index is not offered for linux/amd64, only for linux/arm64/v8",
    });
    expect((await pull("arm-index", "--platform", "linux/arm64"))?.digest).not.toBe(index.digest);
    image([gzip("alone")], "alone");
    expect(await pull("alone", "--platform", "linux/arm64")).toMatchObject({
      status: "FAILED",
      reason: "quay.io/kinds/tool:alone is not offered for linux/arm64, only for linux/amd64",
    });
    expect(await pull("alone", "--platform", "linux/amd64")).toMatchObject({ status: "PULLED" });
    image([gzip("chart")], "chart", { name: "a chart, and no image" });
    expect(await pull("chart", "--platform", "linux/amd64")).toMatchObject({ status: "PULLED" });
    quay.manifest({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [] }, "empty-index");
    expect(await pull("empty-index", "--platform", "linux/amd64")).toMatchObject({
      status: "FAILED",
      reason: expect.stringContaining("nor for any other platform"),
    });
  },
  MS,
);

test(
  "one platform of an index whose entries name none, and of an index in an index",
  async () => {
    const [tool, arm] = [image([gzip("unnamed")]), image([gzip("unnamed arm")], undefined, { os: "linux", architecture: "arm64" })];
    const inner = quay.manifest({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [arm, tool] }, "unnamed");
    quay.manifest({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [inner] }, "nested");
    expect(await pull("unnamed", "--platform", "linux/amd64")).toMatchObject({ status: "PULLED", digest: tool.digest });
    expect(await pull("nested", "--platform", "linux/arm64")).toMatchObject({ status: "PULLED", digest: arm.digest });
    expect(await pull("nested", "--platform", "linux/s390x")).toMatchObject({
      status: "FAILED",
      reason: "quay.io/kinds/tool:nested is not offered for linux/s390x, only for linux/arm64, linux/amd64",
    });
  },
  MS,
);

test(
  "an index in an index in an index is planned and brought; what is deeper, or names what is not there, is refused by both",
  async () => {
    const tool = image([gzip("deep")]);
    let below = tool;
    for (let depth = 1; depth <= 4; depth += 1)
      below = quay.manifest({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [below] }, `depth-${depth}`);
    using cli = cliAt(accounts);
    const planned = async (tag: string) =>
      (
        await cli.run("images", "plan", `quay.io/kinds/tool:${tag}`, "--profile", "cicd", "--upstream", `quay.io=${quay.url}`, "--json")
      ).json<Pulled>().images[0];
    const absent = digestOf(Buffer.from("offered by nobody"));
    quay.manifest({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [tool, { ...tool, digest: absent }] }, "gap");
    const gap = {
      status: "FAILED",
      reason: `quay.io does not have it (read quay.io/kinds/tool:gap at ${quay.url}): the index names ${absent}, which is not there`,
    };
    expect([await planned("gap"), await pull("gap")]).toMatchObject([gap, gap]);
    const refused = { status: "FAILED", reason: "quay.io/kinds/tool:depth-4 is an index of indexes, more than 3 deep" };
    expect([await planned("depth-3"), await planned("depth-4")]).toMatchObject([{ status: "PULL" }, refused]);
    expect([await pull("depth-3"), await pull("depth-4")]).toMatchObject([{ status: "PULLED" }, refused]);
  },
  MS,
);

test(
  "a lock stays with the platform for which it was made, and is not written anew for nothing",
  async () => {
    const [tool, arm] = [image([gzip("of two")]), image([gzip("of two arm")], undefined, { os: "linux", architecture: "arm64" })];
    quay.manifest(
      {
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.ociIndex,
        manifests: [
          { ...tool, platform: { os: "linux", architecture: "amd64" } },
          { ...arm, platform: { os: "linux", architecture: "arm64" } },
        ],
      },
      "of-two",
    );
    await pull("of-two", "--platform", "linux/amd64");
    using cli = cliAt(accounts);
    writeFileSync(
      join(cli.folder, "main.wdl"),
      'version 1.0\ntask t {\n  command <<< echo >>>\n  runtime { docker: "quay.io/kinds/tool:of-two" }\n}\nworkflow w { call t }\n',
    );
    writeFileSync(join(cli.folder, "omx.yaml"), 'name: platforms\nversion: "1.0"\n');
    const lock = async (...flags: readonly string[]) => {
      const ran = await cli.run("images", "lock", cli.folder, "--profile", "cicd", "--upstream", `quay.io=${quay.url}`, "--json", ...flags);
      return { code: ran.code, ...ran.json<object>() };
    };
    expect(await lock("--platform", "linux/amd64")).toMatchObject({
      code: 0,
      written: true,
      images: [{ status: "NEW", digest: tool.digest }],
    });
    expect(await lock()).toMatchObject({ code: 0, written: false, images: [{ status: "SAME", digest: tool.digest }] });
    expect(await lock("--check", "--platform", "all")).toMatchObject({ code: 1, images: [{ status: "NOT_STAGED", before: tool.digest }] });
  },
  MS,
);

test(
  "an image whose registry names it by sha512 has one name in ECR, and is not taken for another at the next call",
  async () => {
    const document = (seed: string) => ({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociManifest, config: config(), layers: [gzip(seed)] });
    const named = (seed: string) => quay.manifest(document(seed), "by-sha512", undefined, "sha512").digest;
    const inEcr = (seed: string) => digestOf(Buffer.from(JSON.stringify(document(seed))));
    using cli = cliAt(accounts);
    writeFileSync(
      join(cli.folder, "main.wdl"),
      'version 1.0\ntask t {\n  command <<< echo >>>\n  runtime { docker: "quay.io/kinds/tool:by-sha512" }\n}\nworkflow w { call t }\n',
    );
    writeFileSync(join(cli.folder, "omx.yaml"), 'name: named\nversion: "1.0"\n');
    const at = ["--profile", "cicd", "--upstream", `quay.io=${quay.url}`, "--json"] as const;
    const ask = async (...args: readonly string[]) =>
      (await cli.run("images", ...args, ...at)).json<{ images: readonly object[] }>().images;
    for (const [seed, status, locked] of [
      ["named", "PULL", "NEW"],
      ["named anew", "MOVED", "MOVED"],
    ] as const) {
      const digest = named(seed);
      expect(await ask("plan", "quay.io/kinds/tool:by-sha512")).toMatchObject([{ status, digest }]);
      expect(await ask("lock", cli.folder)).toMatchObject([{ status: "NOT_STAGED", digest }]);
      expect(await pull("by-sha512")).toMatchObject({ status: "PULLED", digest: inEcr(seed) });
      expect(await pull("by-sha512")).toMatchObject({ status: "SKIPPED", digest: inEcr(seed) });
      expect(await ask("plan", "quay.io/kinds/tool:by-sha512")).toMatchObject([
        { status: "SKIP", digest: inEcr(seed), present: inEcr(seed) },
      ]);
      expect(await ask("lock", cli.folder)).toMatchObject([{ status: locked, digest: inEcr(seed) }]);
      expect(await ask("lock", cli.folder)).toMatchObject([{ status: "SAME" }]);
      expect(await ask("plan", "--project", cli.folder)).toMatchObject([{ status: "SKIP", digest: inEcr(seed) }]);
      expect((await cli.run("images", "verify", cli.folder, "--profile", "cicd")).code).toBe(0);
    }
  },
  MS,
);

test(
  "what is no container image is brought, and told as none",
  async () => {
    const sif = { ...config({}), mediaType: "application/vnd.sylabs.sif.config.v1+json" };
    quay.manifest(
      {
        schemaVersion: 2,
        mediaType: MEDIA_TYPES.ociManifest,
        config: sif,
        layers: [layer("application/vnd.sylabs.sif.layer.v1.sif", noise("sif", 100))],
      },
      "singularity",
    );
    const says = "no task can run in it: it is no container image but application/vnd.sylabs.sif.config.v1+json";
    expect(await pull("singularity")).toMatchObject({ status: "PULLED", reason: `the target did not have it; ${says}` });
    expect(await pull("singularity")).toMatchObject({ status: "SKIPPED", reason: `the target has the same digest; ${says}` });
  },
  MS,
);

test(
  "an image without the platform that HealthOmics runs is brought, and plan and pull say what it means",
  async () => {
    const arm = {
      ...image([gzip("arm only")], undefined, { os: "linux", architecture: "arm64" }),
      platform: { os: "linux", architecture: "arm64" },
    };
    const says = "HealthOmics runs tasks on linux/amd64, for which this image is not offered, only for linux/arm64";
    quay.manifest({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [arm] }, "arm-only");
    using cli = cliAt(accounts);
    expect(
      (await cli.run("images", "plan", "quay.io/kinds/tool:arm-only", "--profile", "cicd", "--upstream", `quay.io=${quay.url}`)).stdout,
    ).toContain(`; ${says})`);
    expect(await pull("arm-only")).toMatchObject({ status: "PULLED", reason: `the target did not have it; ${says}` });
    expect(await pull("arm-only")).toMatchObject({ status: "SKIPPED", reason: `the target has the same digest; ${says}` });
    image([gzip("built on a laptop")], "laptop", { os: "linux", architecture: "arm64" });
    expect(
      (await cli.run("images", "plan", "quay.io/kinds/tool:laptop", "--profile", "cicd", "--upstream", `quay.io=${quay.url}`)).stdout,
    ).toContain(`; ${says})`);
    expect(await pull("laptop")).toMatchObject({ status: "PULLED", reason: `the target did not have it; ${says}` });
    attested("attested-tool");
    expect((await pull("attested-tool"))?.reason).not.toContain("HealthOmics");
  },
  MS,
);

test(
  "E34: a tag that is immutable in ECR stays what it means, and what upstream means now is there by its digest",
  async () => {
    const ecr = new ECRClient(accounts.config());
    const before = image([gzip("immutable before")], "immutable");
    expect(await pull("immutable")).toMatchObject({ status: "PULLED" });
    await ecr.send(new PutImageTagMutabilityCommand({ repositoryName: "quay/kinds/tool", imageTagMutability: "IMMUTABLE" }));
    onTestFinished(
      async () =>
        void (await ecr.send(new PutImageTagMutabilityCommand({ repositoryName: "quay/kinds/tool", imageTagMutability: "MUTABLE" }))),
    );
    const { digest } = image([gzip("immutable after")], "immutable");
    const reason = `the tag is immutable in the target and stays with ${before.digest}: name the image by its digest, under which it is there`;
    expect(await pull("immutable")).toMatchObject({ status: "PULLED", digest, reason });
    expect(await pull("immutable")).toMatchObject({ status: "SKIPPED", digest, reason, bytesMoved: 0 });
    const { imageDetails } = await ecr.send(
      new DescribeImagesCommand({ repositoryName: "quay/kinds/tool", imageIds: [{ imageDigest: digest }, { imageTag: "immutable" }] }),
    );
    expect(imageDetails?.map(({ imageDigest }) => imageDigest).toSorted()).toEqual([before.digest, digest].toSorted());
  },
  MS,
);

test(
  "E34: a repository that its owner made with a key and immutable tags, and marked as omx's, serves",
  async () => {
    const ecr = new ECRClient(accounts.config());
    const encryptionConfiguration = { encryptionType: "KMS" } as const;
    await ecr.send(
      new CreateRepositoryCommand({
        repositoryName: "quay/kinds/owned",
        imageTagMutability: "IMMUTABLE",
        encryptionConfiguration,
        tags: [{ Key: "createdBy", Value: "omx-ecr-helper" }],
      }),
    );
    const { digest } = image([gzip("owned")], "owned");
    using cli = cliAt(accounts);
    const pulled = await cli.run(
      "images",
      "pull",
      "quay.io/kinds/owned:owned",
      "--profile",
      "cicd",
      "--upstream",
      `quay.io=${quay.url}`,
      "--json",
    );
    expect(pulled.json<Pulled>().images).toMatchObject([{ status: "PULLED", digest }]);
    const { repositories } = await ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ["quay/kinds/owned"] }));
    expect(repositories).toMatchObject([{ imageTagMutability: "IMMUTABLE", encryptionConfiguration }]);
    expect((await ecr.send(new GetRepositoryPolicyCommand({ repositoryName: "quay/kinds/owned" }))).policyText).toContain(
      "omics.amazonaws.com",
    );
  },
  MS,
);

test(
  "plan says the same of platforms, and a word that is none is wrong usage",
  async () => {
    using cli = cliAt(accounts);
    image([gzip("planned")], "planned");
    const at = ["quay.io/kinds/tool:planned", "--profile", "cicd", "--upstream", `quay.io=${quay.url}`] as const;
    expect((await cli.run("images", "plan", ...at, "--platform", "linux/arm64")).stdout).toContain(
      "not offered for linux/arm64, only for linux/amd64",
    );
    for (const command of ["plan", "pull"]) {
      const { code, stderr } = await cli.run("images", command, ...at, "--platform", "amd64");
      expect([code, stderr]).toEqual([
        2,
        expect.stringContaining('"amd64" is not a platform: write it as linux/amd64 or linux/arm64/v8, or all.'),
      ]);
    }
  },
  MS,
);
