import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateRepositoryCommand, ListImagesCommand } from "@aws-sdk/client-ecr";
import { CreateBucketCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { ReleaseEnvironment } from "../../environment.ts";
import { artifactsBucket } from "../../names.ts";
import { DEFAULT_REPOSITORIES } from "../repositories/repository-settings.ts";
import { type BuildLab, openBuildLab, PATIENCE_MS } from "../testing/build-lab.ts";
import { PLACE } from "../testing/image-lab.ts";
import { buildFolder } from "./build.ts";
import { buildImageFromSource } from "./build-from-s3.ts";
import { uploadBuildSources } from "./build-sources.ts";

let lab: BuildLab;
beforeAll(async () => {
  lab = await openBuildLab();
}, PATIENCE_MS);
afterAll(() => lab?.[Symbol.asyncDispose](), PATIENCE_MS);

test(
  "the tag of an image for several platforms means nothing but their index, so that one that can't be moved serves",
  async () => {
    const fixed = { ...lab.workshop(), repositories: { ...DEFAULT_REPOSITORIES, immutableTags: true } };
    expect(
      await buildImageFromSource(
        fixed,
        await lab.item("fixed", "FROM scratch\nARG TARGETARCH\nENV FOR=$TARGETARCH\n", { platforms: ["linux/amd64", "linux/arm64"] }),
      ),
    ).toMatchObject({ status: "SUCCEEDED", reason: "built for 2 platforms" });
  },
  PATIENCE_MS,
);

test(
  "an image of more layers than Docker runs is refused, as Docker itself would",
  async () => {
    const copies = (count: number) => `FROM scratch\n${"COPY Dockerfile /\n".repeat(count)}`;
    expect(await buildImageFromSource(lab.workshop(), await lab.item("deep", copies(126)))).toMatchObject({
      status: "FAILED",
      reason: expect.stringContaining("an image of 126 layers, and Docker runs those of up to 125"),
    });
    expect(await buildImageFromSource(lab.workshop(), await lab.item("deep", copies(125)))).toMatchObject({ status: "SUCCEEDED" });
  },
  PATIENCE_MS,
);

test(
  "an argument that no ARG asks for is told",
  async () => {
    const named = async (buildArgs: object) =>
      buildImageFromSource(
        lab.workshop(),
        await lab.item("named", "ARG BASE=scratch\nFROM $BASE\nARG VERSION=1 NAME\nENV V=$VERSION\n", { buildArgs }),
      );
    expect(await named({ VERSION: "2", NAME: "x", BASE: "scratch", HTTPS_PROXY: "http://proxy" })).toMatchObject({
      status: "SUCCEEDED",
      reason: "built",
    });
    expect(await named({ VERSIN: "3", VERSION: "3" })).toMatchObject({
      status: "SUCCEEDED",
      reason: "built; Dockerfile has no ARG VERSIN",
    });
  },
  PATIENCE_MS,
);

test(
  "a release packs what the build may read: data beside it stays where it is, and what is too much is told with what to do",
  async () => {
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
    const { s3 } = lab;
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
    const built = await buildImageFromSource(lab.workshop(), packed);
    expect(built).toMatchObject({ status: "SUCCEEDED" });
    // As from the folder itself.
    expect(await buildFolder(lab.workshop(), packed, { context: folder, work: join(root, "work") })).toMatchObject({
      status: "SKIPPED",
      digest: built.digest,
    });
    expect(await buildFolder(lab.workshop(), { ...packed, force: true }, { context: folder, work: join(root, "work") })).toMatchObject({
      digest: built.digest,
      reason: "the same image is there",
    });
    rmSync(join(folder, ".dockerignore"));
    await expect(upload()).rejects.toMatchObject({
      message: expect.stringMatching(/the source tools of an image has 3\.2 GB in 2 files, and may have 2 GiB or 100,000 files/),
      fix: expect.stringContaining("tools/.dockerignore"),
    });
  },
  PATIENCE_MS,
);

test(
  "nothing is written into a repository of somebody else that HealthOmics may not read, and no engine is asked to",
  async () => {
    const ecr = lab.workshop().ecr;
    for (const name of ["theirs", "theirs-run"]) await ecr.send(new CreateRepositoryCommand({ repositoryName: name }));
    for (const one of [await lab.item("theirs", "FROM scratch\nENV A=1\n"), await lab.item("theirs-run", "FROM scratch\nRUN true\n")])
      expect(await buildImageFromSource(lab.workshop(), one)).toMatchObject({
        status: "FAILED",
        reason: expect.stringContaining("it is not omx's"),
      });
    for (const repositoryName of ["theirs", "theirs-run"])
      expect(await ecr.send(new ListImagesCommand({ repositoryName }))).toMatchObject({ imageIds: [] });
  },
  PATIENCE_MS,
);
