import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { ECRClient, ListImagesCommand } from "@aws-sdk/client-ecr";
import { extract } from "tar-stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatPlatform, readManifest } from "../oci/manifest.ts";
import { pushIndex, pushSample } from "../oci/testing/sample-images.ts";
import { enginesHere } from "./testing/bash-image.ts";
import { type BuildLab, type Built, openBuildLab } from "./testing/build-lab.ts";
import { cliAt, type InProcess } from "./testing/in-process.ts";
import { pathWith } from "./testing/only-engine.ts";
import { fileLayer, tinyLayer } from "./testing/tiny-program.ts";

const MS = 300_000;
const BOTH = ["--platform", "linux/386", "--platform", "linux/amd64"];
/** An x86 kernel runs both. */
const ENGINES = process.arch === "x64" ? enginesHere() : [];

let lab: BuildLab;
beforeAll(async () => void (lab = await openBuildLab()), MS);
afterAll(() => lab?.[Symbol.asyncDispose](), MS);

/** A base for three platforms; what it holds for arm64 is no program, whatever emulates what here. */
async function pushBase(name: string, ...more: readonly Buffer[]): Promise<string> {
  const repository = lab.quay(name);
  const children = await Promise.all(
    (["amd64", "386", "arm64"] as const).map(async (architecture) => {
      const layers = [await tinyLayer(architecture === "arm64" ? "none" : architecture), ...more];
      return pushSample(repository, architecture, {
        layers,
        platform: { os: "linux", architecture },
        history: layers.map(() => ({ created_by: "sample" })),
      });
    }),
  );
  return (await pushIndex(repository, "1", children)).digest;
}

// What earlier runs left in an engine is no cache for this one.
const ONCE = crypto.randomUUID();
const DOCKERFILE = `ARG BASE
FROM --platform=$BUILDPLATFORM quay.io/$BASE:1 AS here
ARG TARGETARCH
ENV FOR=$TARGETARCH
RUN ["/make"]
FROM quay.io/$BASE:1 AS there
RUN ["/make"]
FROM scratch
ENV ONCE=${ONCE}
ARG TARGETARCH
ENV FOR=$TARGETARCH
COPY --from=here /made /here
COPY --from=there /make /
RUN ["/make"]
COPY file /
`;

async function build(
  cli: InProcess,
  { base, image }: { readonly base: string; readonly image: string },
  ...flags: readonly string[]
): Promise<Built> {
  return await lab.build(cli, join(cli.folder, "source"), image, "--build-arg", `BASE=${base}`, ...flags);
}

function writeSource(cli: InProcess, file: string): void {
  mkdirSync(join(cli.folder, "source"), { recursive: true });
  writeFileSync(join(cli.folder, "source", "Dockerfile"), DOCKERFILE);
  writeFileSync(join(cli.folder, "source", "file"), file);
}

interface Inside {
  readonly env: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
}

/** What the images of an index say of themselves, and what their files hold. */
async function inside(repository: string, digest: string): Promise<Readonly<Record<string, Inside>>> {
  const from = lab.inEcr(repository);
  const index = readManifest((await from.getManifest(digest))!.bytes);
  if (index.kind !== "index") throw new Error("no index");
  return Object.fromEntries(
    await Promise.all(
      index.manifests.map(async (child) => {
        const manifest = readManifest((await from.getManifest(child.digest))!.bytes);
        if (manifest.kind !== "image") throw new Error("no image");
        const { os, architecture, config } = JSON.parse((await buffer(from.blob(manifest.config).read())).toString("utf8"));
        expect(formatPlatform({ os, architecture })).toBe(formatPlatform(child.platform!));
        const layers = await Promise.all(manifest.layers.map(async (layer) => filesOf(await buffer(from.blob(layer).read()))));
        return [formatPlatform(child.platform!), { env: config.Env, labels: config.Labels, files: Object.assign({}, ...layers) }];
      }),
    ),
  );
}

async function filesOf(layer: Buffer): Promise<Readonly<Record<string, string>>> {
  const tar = extract();
  tar.end(layer[0] === 0x1f ? gunzipSync(layer) : layer);
  const files: Record<string, string> = {};
  for await (const entry of tar) files[entry.header.name] = (await buffer(entry as unknown as Readable)).toString("latin1");
  return files;
}

describe.each(ENGINES)("%s", (engine) => {
  test(
    "builds for each platform in turn, each on its own base, and one index has them all",
    async () => {
      using setup = cliAt(lab.accounts);
      using cli = cliAt(lab.accounts, { path: pathWith(setup, engine) });
      const [name, base] = [`platforms/${engine}`, `platforms/${engine}-base`];
      const of = { base, image: `${name}:1` };
      writeSource(cli, "one");
      const first = await pushBase(base);
      const built = await build(cli, of, ...BOTH);
      expect(built).toMatchObject({ status: "BUILT", engine, reason: "built for 2 platforms" });
      expect(built.bytesMoved! + built.bytesSaved!).toBe(built.bytes);
      const images = await inside(name, built.digest);
      expect(Object.keys(images)).toEqual(["linux/386", "linux/amd64"]);
      for (const architecture of ["386", "amd64"]) {
        const { env, labels, files } = images[`linux/${architecture}`]!;
        expect(env).toContain(`FOR=${architecture}`);
        expect(labels["org.omx.bases"]).toBe(`quay.io/${base}:1@${first}`);
        // What ran on the machine that builds, and what ran for the platform.
        expect([files["here"], files["made"], files["file"]]).toEqual(["amd64\n", `${architecture}\n`, "one"]);
      }
      expect(
        (await new ECRClient(lab.accounts.config()).send(new ListImagesCommand({ repositoryName: name }))).imageIds?.filter(
          ({ imageTag }) => imageTag,
        ),
      ).toEqual([{ imageDigest: built.digest, imageTag: "1" }]);
      expect(await build(cli, of, ...BOTH)).toMatchObject({ status: "SKIPPED", digest: built.digest, reason: "the source is unchanged" });
      // One platform afterwards is that of the machine, whatever the engine still has.
      const one = await build(cli, { base, image: `${name}-one:1` });
      expect(one).toMatchObject({ status: "BUILT", reason: "built by an engine" });
    },
    MS,
  );

  test(
    "a platform whose programs the machine can't run is told with what to install, and no index is left",
    async () => {
      using setup = cliAt(lab.accounts);
      using cli = cliAt(lab.accounts, { path: pathWith(setup, engine) });
      const [name, base] = [`foreign/${engine}`, `foreign/${engine}-base`];
      const of = { base, image: `${name}:1` };
      writeSource(cli, "one");
      await pushBase(base);
      const failed = await build(cli, of, "--platform", "linux/amd64", "--platform", "linux/arm64");
      expect(failed).toMatchObject({
        status: "FAILED",
        reason: expect.stringMatching(
          /exec format error[^]*this machine does not run programs for linux\/arm64: install QEMU [^]*qemu-user-static/i,
        ),
      });
      expect(await lab.inEcr(name).headManifest("1")).toBeUndefined();
      const absent = await build(cli, of, "--platform", "linux/amd64", "--platform", "linux/s390x");
      expect(absent).toMatchObject({
        status: "FAILED",
        reason: expect.stringMatching(/is not offered for linux\/s390x, only for linux\/amd64, linux\/386, linux\/arm64/),
      });
      expect(await lab.inEcr(name).headManifest("1")).toBeUndefined();
    },
    MS,
  );
});

test.runIf(ENGINES.includes("docker"))(
  "what is in ECR is not sent again for any platform, and a moved base is a reason for all of them",
  async () => {
    using setup = cliAt(lab.accounts);
    using cli = cliAt(lab.accounts, { path: pathWith(setup, "docker") });
    const of = { base: "moved/base", image: "moved/tool:1" };
    await pushBase(of.base);
    writeSource(cli, "one");
    const first = await build(cli, of, ...BOTH);
    writeSource(cli, "two");
    const changed = await build(cli, of, ...BOTH);
    expect([first.status, changed.status]).toEqual(["BUILT", "BUILT"]);
    expect(changed.bytesSaved).toBeGreaterThan(0);
    await pushBase(of.base, await fileLayer("moved", Buffer.from("moved")));
    expect(await build(cli, of, ...BOTH)).toMatchObject({ status: "BUILT" });
  },
  MS,
);
