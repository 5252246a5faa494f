import { BatchDeleteImageCommand, DescribeImagesCommand } from "@aws-sdk/client-ecr";
import { zipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CICD, PRODUCTION } from "../local/testing/accounts.ts";
import { noise, pushSample } from "../oci/testing/sample-images.ts";
import { tarGz } from "../release/images/testing/source-lab.ts";
import { type BuilderLab, openBuilderLab } from "./testing/builder-lab.ts";
import { HOME, PATIENCE_MS } from "./testing/containers.ts";

// What omx-container-builder builds of which sources, and what it refuses

const DOCKERFILE = "FROM scratch\nARG WHO=nobody\nENV WHO=$WHO\nLABEL who=$WHO\nCOPY greeting.txt /\n";

let lab: BuilderLab;
beforeAll(async () => {
  lab = await openBuilderLab();
}, PATIENCE_MS);
afterAll(() => lab?.[Symbol.asyncDispose](), PATIENCE_MS);

test(
  "E39, E40: builds from a folder, a ZIP and a tarball: the same source is the same image, and built once",
  async () => {
    const greeting = "hello\n";
    await lab.put("folder/Dockerfile", DOCKERFILE);
    const folder = (await lab.put("folder/greeting.txt", greeting)).replace("greeting.txt", "");
    const zip = await lab.put("tool.ZIP", zipSync({ Dockerfile: Buffer.from(DOCKERFILE), "greeting.txt": Buffer.from(greeting) }));
    const tar = await lab.put(
      "tool.Tar.GZ",
      await tarGz([
        { name: "Dockerfile", text: DOCKERFILE },
        { name: "greeting.txt", text: greeting },
      ]),
    );
    const item = (source_uri: string) => ({ source_uri, target_image: "built/greeting:omics" });
    const [first] = (await lab.stage.run("builder", [item(folder)])).images;
    expect(first).toMatchObject({
      status: "SUCCEEDED",
      target_image: `${HOME}/built/greeting:omics`,
      reason: "built",
      size: expect.any(Number),
    });
    for (const same of [item(zip), item(tar)])
      expect((await lab.stage.run("builder", [same])).images[0]).toMatchObject({
        status: "SKIPPED",
        digest: first!.digest,
        reason: "the source is unchanged",
        size: first!.size,
        bytes_moved: 0,
        bytes_saved: first!.size,
      });
    const [forced] = (await lab.stage.run("builder", [{ ...item(zip), force: true }])).images;
    expect(forced).toMatchObject({ digest: first!.digest, reason: "the same image is there" });
    const [changed] = (await lab.stage.run("builder", [{ ...item(zip), buildArgs: { WHO: "somebody" } }])).images;
    expect(changed).toMatchObject({ status: "SUCCEEDED", reason: "built" });
    expect(await Promise.all([first, changed].map(async (one) => (await lab.labelsOf("built/greeting", one!.digest!))?.["who"]))).toEqual([
      "nobody",
      "somebody",
    ]);
    // One build, written in two ways.
    const both = [
      { ...item(folder), buildArgs: { WHO: "two", A: "b" } },
      { ...item(folder.slice(0, -1)), buildArgs: { A: "b", WHO: "two" } },
    ];
    expect((await lab.stage.run("builder", both)).images.map(({ status }) => status)).not.toContain("FAILED");
    expect((await lab.stage.policyOf("built/greeting"))?.Statement).toHaveLength(1);
  },
  PATIENCE_MS,
);

test(
  "E38: a target is a name with or without a tag, or the whole address in the account's registry; one elsewhere is refused",
  async () => {
    const source_uri = await lab.put("targets.zip", zipSync({ Dockerfile: Buffer.from("FROM scratch\nCOPY Dockerfile /\n") }));
    const places = {
      "targets/plain": "targets/plain:latest",
      "targets/deep/er:1.0": "targets/deep/er:1.0",
      [`${HOME}/targets/full:2`]: "targets/full:2",
      [`${HOME}/targets/both`]: "targets/both:latest",
    };
    const named = `targets/digest:1@sha256:${"0".repeat(64)}`;
    const { images } = await lab.stage.run(
      "builder",
      [...Object.keys(places), `${HOME.replace(CICD, PRODUCTION)}/targets/other:1`, named].map((target_image) => ({
        source_uri,
        target_image,
      })),
    );
    expect(images.slice(0, 4).map(({ status, target_image }) => [status, target_image])).toEqual(
      Object.values(places).map((place) => ["SUCCEEDED", `${HOME}/${place}`]),
    );
    expect(images[4]).toMatchObject({ status: "FAILED", reason: expect.stringContaining(`images are built into ${HOME}`) });
    // Nobody knows a digest before there is an image.
    expect(images[5]).toMatchObject({
      status: "FAILED",
      target_image: named,
      reason: expect.stringContaining(`${named} names a digest`),
    });
  },
  PATIENCE_MS,
);

test(
  "E40: a stage, another Dockerfile and platforms can be asked for",
  async () => {
    const text = "FROM scratch AS small\nCOPY greeting.txt /\nFROM small\nCOPY Containerfile /\n";
    const source_uri = await lab.put("stages.zip", zipSync({ Containerfile: Buffer.from(text), "greeting.txt": Buffer.from("hi") }));
    const item = { source_uri, dockerfile: "Containerfile", target: "small" };
    const { images } = await lab.stage.run("builder", [
      { ...item, target_image: "built/stage:1" },
      { ...item, target_image: "built/both:1", platforms: ["linux/amd64", "linux/arm64"], commit: "abc123", source: "lab/tools" },
    ]);
    expect(images.map(({ status }) => status)).toEqual(["SUCCEEDED", "SUCCEEDED"]);
    expect(images[1]!.reason).toBe("built for 2 platforms");
    const { imageDetails } = await lab.stage.ecr.send(
      new DescribeImagesCommand({ repositoryName: "built/both", imageIds: [{ imageTag: "1" }] }),
    );
    expect(imageDetails?.[0]?.imageManifestMediaType).toBe("application/vnd.oci.image.index.v1+json");
    expect(
      (await lab.stage.run("builder", [{ ...item, target_image: "built/both:1", platforms: ["linux/amd64", "linux/arm64"] }])).images[0],
    ).toMatchObject({ status: "SKIPPED" });
  },
  PATIENCE_MS,
);

test(
  "E19, E40: a base that has moved upstream is a reason to build; an image that a lock names is taken as it is",
  async () => {
    const push = (seed: string) => pushSample(lab.quay("lab/base"), "1", { layers: [noise(seed, 3000)] });
    const before = await push("base 1");
    const item = {
      source_uri: await lab.put("based.zip", zipSync({ Dockerfile: Buffer.from("FROM quay.io/lab/base:1\nENV A=1\n") })),
      target_image: "built/based:1",
    };
    const build = async (more: object = {}) => (await lab.stage.run("builder", [{ ...item, ...more }])).images[0]!;
    const first = await build();
    expect(first).toMatchObject({ status: "SUCCEEDED", platform: "linux/amd64" });
    expect(await build()).toMatchObject({ status: "SKIPPED", digest: first.digest });
    const after = await push("base 2");
    expect(await build({ locked_digest: first.digest })).toMatchObject({
      status: "SKIPPED",
      digest: first.digest,
      reason: "the lock's image is there, and the source is unchanged",
    });
    const second = await build();
    expect(second).toMatchObject({
      status: "SUCCEEDED",
      reason: `built; its base has moved: quay.io/lab/base:1 is ${after.digest}, and was ${before.digest} when the image was built`,
    });
    expect(await build({ locked_digest: first.digest })).toMatchObject({ status: "SKIPPED", digest: first.digest });
    expect(await build({ locked_digest: first.digest, buildArgs: { B: "2" } })).toMatchObject({
      status: "SUCCEEDED",
      reason: expect.stringContaining(`containers.lock.json says ${first.digest}`),
    });
  },
  PATIENCE_MS,
);

test(
  "a build takes no tag from an image that was brought in from a registry; beside it is room",
  async () => {
    const { digest } = await pushSample(lab.quay("lab/pulled"), "1", {
      layers: [noise("pulled", 3000)],
    });
    await lab.stage.run("puller", ["quay.io/lab/pulled:1"]);
    const source_uri = await lab.put("over.zip", zipSync({ Dockerfile: Buffer.from("FROM scratch\nCOPY Dockerfile /\n") }));
    const { images } = await lab.stage.run(
      "builder",
      ["1", "patched"].map((tag) => ({ source_uri, target_image: `${HOME}/quay/lab/pulled:${tag}` })),
    );
    expect(images.map(({ status }) => status)).toEqual(["FAILED", "SUCCEEDED"]);
    expect(images[0]!.reason).toMatch(
      /^quay\/lab\/pulled:1 holds an image of quay\.io\/lab\/pulled that omx brought in; give the build another target/,
    );
    const { client } = lab.stage.registryOf("cicd");
    expect((await client.repository({ registry: HOME, repository: "quay/lab/pulled" }).headManifest("1"))?.digest).toBe(digest);
    await client.close();
    // Nor the other way round.
    const [built] = (await lab.stage.run("builder", [{ source_uri, target_image: `${HOME}/quay/lab/built:1` }])).images;
    const over = await pushSample(lab.quay("lab/built"), "1", {
      layers: [noise("over", 3000)],
    });
    const pulled = async () => (await lab.stage.run("puller", ["quay.io/lab/built:1"])).images[0];
    expect(await pulled()).toMatchObject({
      status: "FAILED",
      reason: expect.stringMatching(/quay\/lab\/built:1.*holds an image that omx built, and this one is of quay\.io\/lab\/built;/),
    });
    await lab.stage.ecr.send(
      new BatchDeleteImageCommand({ repositoryName: "quay/lab/built", imageIds: [{ imageDigest: built!.digest! }] }),
    );
    expect(await pulled()).toMatchObject({ status: "SUCCEEDED", digest: over.digest });
  },
  PATIENCE_MS,
);

test(
  "E36: a source that would leave its folder, has links, is empty or no archive is refused; the others are built",
  async () => {
    const dockerfile = { name: "Dockerfile", text: "FROM scratch\nCOPY Dockerfile /\n" };
    const slip = zipSync({ Dockerfile: Buffer.from(dockerfile.text), "../../evil": Buffer.from("x") });
    const bomb = Buffer.from(zipSync({ Dockerfile: Buffer.from(dockerfile.text) }));
    // The unpacked size of the first entry, in the archive's directory: 3 GiB.
    bomb.writeUInt32LE(0xc0000000, bomb.indexOf(Buffer.from([0x50, 0x4b, 0x01, 0x02])) + 24);
    const manifest = [
      { source_uri: await lab.put("bomb.zip", bomb), target_image: "bad/bomb:1" },
      { source_uri: await lab.put("slip.zip", slip), target_image: "bad/slip:1" },
      { source_uri: await lab.put("slip.tar.gz", await tarGz([dockerfile, { name: "../evil", text: "x" }])), target_image: "bad/tar:1" },
      {
        source_uri: await lab.put("link.tgz", await tarGz([dockerfile, { name: "etc", type: "symlink", linkname: "/etc" }])),
        target_image: "bad/link:1",
      },
      { source_uri: await lab.put("broken.zip", "no archive"), target_image: "bad/broken:1" },
      { source_uri: await lab.put("broken.tar.gz", "no archive"), target_image: "bad/gzip:1" },
      { source_uri: "s3://declared-sources/images/nothing/", target_image: "bad/nothing:1" },
      { source_uri: await lab.put("one.tar.xz", "text"), target_image: "bad/one:1" },
      { source_uri: "https://example.com/x.zip", target_image: "bad/uri:1" },
      ...["one", "two"].map((stage) => ({
        source_uri: "s3://declared-sources/images/good.zip",
        target_image: "bad/clash:1",
        target: stage,
      })),
      ...["../../../proc/self/environ", "/proc/self/environ"].map((dockerfile) => ({
        source_uri: "s3://declared-sources/images/good.zip",
        target_image: `bad/outside:${dockerfile.length}`,
        dockerfile,
      })),
      { source_uri: "s3://declared-sources/images/good.zip", target_image: "quay.io/bad/registry:1" },
      { source_uri: "s3://declared-sources/images/good.zip", target_image: "quay/bad/short:1" },
      {
        source_uri: await lab.put("good.zip", zipSync({ Dockerfile: Buffer.from(dockerfile.text) })),
        target_image: "bad/good:1",
        dockerFile: "x",
      },
      { source_uri: await lab.put("good.zip", zipSync({ Dockerfile: Buffer.from(dockerfile.text) })), target_image: "bad/good:1" },
    ];
    const { images } = await lab.stage.run("builder", manifest);
    expect(images.map(({ status }) => status)).toEqual([...Array.from({ length: 16 }, () => "FAILED"), "SUCCEEDED"]);
    const reasons = images.map(({ reason }) => reason);
    const expected = [
      /more than 2 GiB/,
      /evil|relative path/,
      /would leave the folder/,
      /etc is a link that leads out/,
      /can't be built/,
      /can't be built/,
      /nothing lies there/,
      /one\.tar\.xz can't be built: it is one object, and no \.zip, \.tar\.gz or \.tgz/,
      /s3:\/\/bucket\/prefix/,
      /2 different builds are for .*bad\/clash:1/,
      /2 different builds/,
      /^dockerfile: the Dockerfile has to lie in the source/,
      /^dockerfile: the Dockerfile has to lie in the source/,
      /and quay\.io\/bad\/registry:1 means one of quay\.io; write it without quay\.io/,
      /and quay\/bad\/short:1 means one of quay\.io; write \d{12}\.dkr\.ecr\.\S+\/quay\/bad\/short:1$/,
      /dockerFile/,
    ];
    expected.forEach((pattern, index) => expect(reasons[index]).toMatch(pattern));
  },
  PATIENCE_MS,
);
