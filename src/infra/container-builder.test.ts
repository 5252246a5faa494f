import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { BatchGetBuildsCommand, CodeBuildClient } from "@aws-sdk/client-codebuild";
import { BatchDeleteImageCommand, DescribeImagesCommand } from "@aws-sdk/client-ecr";
import { LambdaClient, UpdateFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { pack } from "tar-stream";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { CICD, PRODUCTION } from "../local/testing/accounts.ts";
import { enginesHere, writeBashSource } from "../cli/testing/bash-image.ts";
import { tinyLayer } from "../cli/testing/tiny-program.ts";
import { registryClient, type RegistryClient } from "../oci/client/registry-client.ts";
import { type DockerRegistry, startDockerRegistry } from "../oci/testing/docker-registry.ts";
import { noise, pushIndex, pushSample } from "../oci/testing/sample-images.ts";
import { imageThere } from "../release/images/build/labels.ts";
import { type ContainerAccounts, HOME, PATIENCE_MS, startContainers } from "./testing/containers.ts";

let stage: ContainerAccounts;
let s3: S3Client;
let upstream: DockerRegistry;
let clients: RegistryClient;
beforeAll(async () => {
  [upstream, clients] = [await startDockerRegistry(), registryClient()];
  stage = await startContainers({ builderSources: ["s3://declared-sources/images/"] }, { "quay.io": upstream.url });
  s3 = new S3Client(stage.accounts.config());
}, PATIENCE_MS);
afterAll(async () => {
  await clients?.close();
  await stage?.[Symbol.asyncDispose]();
  await upstream?.[Symbol.asyncDispose]();
}, PATIENCE_MS);

describe("the builder", () => {
  const DOCKERFILE = "FROM scratch\nARG WHO=nobody\nENV WHO=$WHO\nLABEL who=$WHO\nCOPY greeting.txt /\n";
  const put = async (key: string, Body: Uint8Array | string): Promise<string> => {
    await s3.send(new CreateBucketCommand({ Bucket: "declared-sources" })).catch(() => undefined);
    await s3.send(new PutObjectCommand({ Bucket: "declared-sources", Key: `images/${key}`, Body }));
    return `s3://declared-sources/images/${key}`;
  };
  /** The labels of an image in the account's registry. */
  async function labelsOf(repository: string, digest: string): Promise<Readonly<Record<string, string>> | undefined> {
    const { client } = stage.registryOf("cicd");
    const there = await imageThere(client.repository({ registry: HOME, repository }), digest);
    await client.close();
    return there?.labels;
  }
  async function tarGz(
    files: readonly { readonly name: string; readonly text?: string; readonly type?: "symlink"; readonly linkname?: string }[],
  ): Promise<Buffer> {
    const tar = pack();
    for (const { name, text = "", type, linkname } of files) tar.entry({ name, ...(type && { type, linkname: linkname ?? "" }) }, text);
    tar.finalize();
    return gzipSync(await buffer(tar));
  }

  test(
    "E39, E40: builds from a folder, a ZIP and a tarball: the same source is the same image, and built once",
    async () => {
      const greeting = "hello\n";
      await put("folder/Dockerfile", DOCKERFILE);
      const folder = (await put("folder/greeting.txt", greeting)).replace("greeting.txt", "");
      const zip = await put("tool.ZIP", zipSync({ Dockerfile: Buffer.from(DOCKERFILE), "greeting.txt": Buffer.from(greeting) }));
      const tar = await put(
        "tool.Tar.GZ",
        await tarGz([
          { name: "Dockerfile", text: DOCKERFILE },
          { name: "greeting.txt", text: greeting },
        ]),
      );
      const item = (source_uri: string) => ({ source_uri, target_image: "built/greeting:omics" });
      const [first] = (await stage.run("builder", [item(folder)])).images;
      expect(first).toMatchObject({
        status: "SUCCEEDED",
        target_image: `${HOME}/built/greeting:omics`,
        reason: "built",
        size: expect.any(Number),
      });
      for (const same of [item(zip), item(tar)])
        expect((await stage.run("builder", [same])).images[0]).toMatchObject({
          status: "SKIPPED",
          digest: first!.digest,
          reason: "the source is unchanged",
          size: first!.size,
          bytes_moved: 0,
          bytes_saved: first!.size,
        });
      const [forced] = (await stage.run("builder", [{ ...item(zip), force: true }])).images;
      expect(forced).toMatchObject({ digest: first!.digest, reason: "the same image is there" });
      const [changed] = (await stage.run("builder", [{ ...item(zip), buildArgs: { WHO: "somebody" } }])).images;
      expect(changed).toMatchObject({ status: "SUCCEEDED", reason: "built" });
      expect(await Promise.all([first, changed].map(async (one) => (await labelsOf("built/greeting", one!.digest!))?.["who"]))).toEqual([
        "nobody",
        "somebody",
      ]);
      // One build, written in two ways.
      const both = [
        { ...item(folder), buildArgs: { WHO: "two", A: "b" } },
        { ...item(folder.slice(0, -1)), buildArgs: { A: "b", WHO: "two" } },
      ];
      expect((await stage.run("builder", both)).images.map(({ status }) => status)).not.toContain("FAILED");
      expect((await stage.policyOf("built/greeting"))?.Statement).toHaveLength(1);
    },
    PATIENCE_MS,
  );

  test(
    "E38: a target is a name with or without a tag, or the whole address in the account's registry; one elsewhere is refused",
    async () => {
      const source_uri = await put("targets.zip", zipSync({ Dockerfile: Buffer.from("FROM scratch\nCOPY Dockerfile /\n") }));
      const places = {
        "targets/plain": "targets/plain:latest",
        "targets/deep/er:1.0": "targets/deep/er:1.0",
        [`${HOME}/targets/full:2`]: "targets/full:2",
        [`${HOME}/targets/both`]: "targets/both:latest",
      };
      const named = `targets/digest:1@sha256:${"0".repeat(64)}`;
      const { images } = await stage.run(
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
      const source_uri = await put("stages.zip", zipSync({ Containerfile: Buffer.from(text), "greeting.txt": Buffer.from("hi") }));
      const item = { source_uri, dockerfile: "Containerfile", target: "small" };
      const { images } = await stage.run("builder", [
        { ...item, target_image: "built/stage:1" },
        { ...item, target_image: "built/both:1", platforms: ["linux/amd64", "linux/arm64"], commit: "abc123", source: "lab/tools" },
      ]);
      expect(images.map(({ status }) => status)).toEqual(["SUCCEEDED", "SUCCEEDED"]);
      expect(images[1]!.reason).toBe("built for 2 platforms");
      const { imageDetails } = await stage.ecr.send(
        new DescribeImagesCommand({ repositoryName: "built/both", imageIds: [{ imageTag: "1" }] }),
      );
      expect(imageDetails?.[0]?.imageManifestMediaType).toBe("application/vnd.oci.image.index.v1+json");
      expect(
        (await stage.run("builder", [{ ...item, target_image: "built/both:1", platforms: ["linux/amd64", "linux/arm64"] }])).images[0],
      ).toMatchObject({ status: "SKIPPED" });
    },
    PATIENCE_MS,
  );

  test(
    "E19, E40: a base that has moved upstream is a reason to build; an image that a lock names is taken as it is",
    async () => {
      const push = (seed: string) =>
        pushSample(clients.repository({ registry: upstream.host, repository: "lab/base" }), "1", { layers: [noise(seed, 3000)] });
      const before = await push("base 1");
      const item = {
        source_uri: await put("based.zip", zipSync({ Dockerfile: Buffer.from("FROM quay.io/lab/base:1\nENV A=1\n") })),
        target_image: "built/based:1",
      };
      const build = async (more: object = {}) => (await stage.run("builder", [{ ...item, ...more }])).images[0]!;
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
      const { digest } = await pushSample(clients.repository({ registry: upstream.host, repository: "lab/pulled" }), "1", {
        layers: [noise("pulled", 3000)],
      });
      await stage.run("puller", ["quay.io/lab/pulled:1"]);
      const source_uri = await put("over.zip", zipSync({ Dockerfile: Buffer.from("FROM scratch\nCOPY Dockerfile /\n") }));
      const { images } = await stage.run(
        "builder",
        ["1", "patched"].map((tag) => ({ source_uri, target_image: `${HOME}/quay/lab/pulled:${tag}` })),
      );
      expect(images.map(({ status }) => status)).toEqual(["FAILED", "SUCCEEDED"]);
      expect(images[0]!.reason).toMatch(
        /^quay\/lab\/pulled:1 holds an image of quay\.io\/lab\/pulled that omx brought in; give the build another target/,
      );
      const { client } = stage.registryOf("cicd");
      expect((await client.repository({ registry: HOME, repository: "quay/lab/pulled" }).headManifest("1"))?.digest).toBe(digest);
      await client.close();
      // Nor the other way round.
      const [built] = (await stage.run("builder", [{ source_uri, target_image: `${HOME}/quay/lab/built:1` }])).images;
      const over = await pushSample(clients.repository({ registry: upstream.host, repository: "lab/built" }), "1", {
        layers: [noise("over", 3000)],
      });
      const pulled = async () => (await stage.run("puller", ["quay.io/lab/built:1"])).images[0];
      expect(await pulled()).toMatchObject({
        status: "FAILED",
        reason: expect.stringMatching(/quay\/lab\/built:1.*holds an image that omx built, and this one is of quay\.io\/lab\/built;/),
      });
      await stage.ecr.send(new BatchDeleteImageCommand({ repositoryName: "quay/lab/built", imageIds: [{ imageDigest: built!.digest! }] }));
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
        { source_uri: await put("bomb.zip", bomb), target_image: "bad/bomb:1" },
        { source_uri: await put("slip.zip", slip), target_image: "bad/slip:1" },
        { source_uri: await put("slip.tar.gz", await tarGz([dockerfile, { name: "../evil", text: "x" }])), target_image: "bad/tar:1" },
        {
          source_uri: await put("link.tgz", await tarGz([dockerfile, { name: "etc", type: "symlink", linkname: "/etc" }])),
          target_image: "bad/link:1",
        },
        { source_uri: await put("broken.zip", "no archive"), target_image: "bad/broken:1" },
        { source_uri: await put("broken.tar.gz", "no archive"), target_image: "bad/gzip:1" },
        { source_uri: "s3://declared-sources/images/nothing/", target_image: "bad/nothing:1" },
        { source_uri: await put("one.tar.xz", "text"), target_image: "bad/one:1" },
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
          source_uri: await put("good.zip", zipSync({ Dockerfile: Buffer.from(dockerfile.text) })),
          target_image: "bad/good:1",
          dockerFile: "x",
        },
        { source_uri: await put("good.zip", zipSync({ Dockerfile: Buffer.from(dockerfile.text) })), target_image: "bad/good:1" },
      ];
      const { images } = await stage.run("builder", manifest);
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

  test(
    "what a function has no time for is built by CodeBuild, to the same digest and without an engine, and the result says what that moved",
    async () => {
      const source_uri = await put(
        "slow.zip",
        zipSync({ Dockerfile: Buffer.from("FROM scratch\nCOPY noise /\n"), noise: Buffer.from(noise("slow", 100_000)) }),
      );
      const [quick] = (await stage.run("builder", [{ source_uri, target_image: "built/quick:1" }])).images;
      const lambda = new LambdaClient(stage.accounts.config());
      const limit = (Timeout: number) => lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: "omx-build-image", Timeout }));
      // All of it is the margin in which a function answers.
      await limit(20);
      onTestFinished(async () => void (await limit(900)));
      const { images } = await stage.run("builder", [{ source_uri, target_image: "built/slow:1" }]);
      expect(images).toMatchObject([
        {
          status: "SUCCEEDED",
          digest: quick!.digest,
          reason: "built",
          build: expect.stringMatching(/^omx-image-build:/),
          bytes_moved: quick!.size,
          bytes_saved: 0,
          size: quick!.size,
        },
      ]);
      // The same again ends there too, as SKIPPED.
      expect((await stage.run("builder", [{ source_uri, target_image: "built/slow:1" }])).images).toMatchObject([
        { status: "SKIPPED", digest: quick!.digest, reason: "the source is unchanged", bytes_moved: 0 },
      ]);
    },
    PATIENCE_MS,
  );

  test.runIf(enginesHere().includes("docker"))(
    "E37: a RUN on private ECR is built by CodeBuild, on the digest that ECR has now, and its log is kept; a failed one pushes nothing",
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "omx-bash-"));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      writeBashSource(folder);
      const files = readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
      const executable = { os: 3, attrs: (0o100755 << 16) >>> 0 };
      const bash = await put(
        "bash.zip",
        zipSync(Object.fromEntries(files.map((file) => [relative(folder, file), [readFileSync(file), executable]]))),
      );
      const ran = await put(
        "ran.zip",
        zipSync({
          Dockerfile: Buffer.from(
            `FROM ${HOME}/built/bash:1\nSHELL ["/bin/bash", "-c"]\nRUN echo it ran; echo $RANDOM$RANDOM$RANDOM > /ran\n`,
          ),
        }),
      );
      const [base] = (await stage.run("builder", [{ source_uri: bash, target_image: "built/bash:1" }])).images;
      const [built] = (await stage.run("builder", [{ source_uri: ran, target_image: "built/ran:1" }])).images;
      expect([base, built]).toMatchObject([
        { status: "SUCCEEDED" },
        { status: "SUCCEEDED", reason: "built by an engine", build: expect.stringMatching(/^omx-image-build:/), size: expect.any(Number) },
      ]);
      expect(built!.bytes_moved! + built!.bytes_saved!).toBe(built!.size);
      expect(built!.bytes_moved).toBeGreaterThan(0);
      const { builds } = await new CodeBuildClient(stage.accounts.config()).send(new BatchGetBuildsCommand({ ids: [built!.build!] }));
      expect(built!.seconds! * 1000).toBeGreaterThanOrEqual(builds![0]!.endTime!.getTime() - builds![0]!.startTime!.getTime());
      expect((await labelsOf("built/ran", built!.digest!))?.["org.omx.bases"]).toBe(`${HOME}/built/bash:1@${base!.digest}`);
      expect((await stage.run("builder", [{ source_uri: ran, target_image: "built/ran:1" }])).images[0]).toMatchObject({
        status: "SKIPPED",
        digest: built!.digest,
      });
      const events = await new CloudWatchLogsClient(stage.accounts.config()).send(
        new FilterLogEventsCommand({ logGroupName: "/aws/codebuild/omx-image-build", logStreamNames: [built!.build!.split(":")[1]!] }),
      );
      expect(events.events?.map(({ message }) => message).join("\n")).toContain("RUN echo it ran; ");
      // What its RUN fetches may be another thing by now.
      const [forced] = (await stage.run("builder", [{ source_uri: ran, target_image: "built/ran:1", force: true }])).images;
      expect([forced!.status, forced!.digest === built!.digest]).toEqual(["SUCCEEDED", false]);

      // E37: the engine still has the image of the build before under the tag, which means another one in ECR by now.
      const { client } = stage.registryOf("cicd");
      const { digest: moved } = await pushSample(client.repository({ registry: HOME, repository: "built/ran" }), "1", {
        layers: [noise("moved", 3000)],
      });
      const unique = crypto.randomUUID();
      const fails = await put(
        "fails.zip",
        zipSync({
          Dockerfile: Buffer.from(`FROM ${HOME}/built/bash:1\nSHELL ["/bin/bash", "-c"]\nRUN echo no more of it ${unique}; exit 3\n`),
        }),
      );
      const failed = await stage.run("builder", [{ source_uri: fails, target_image: "built/ran:1" }]);
      expect([failed.status, failed.images[0]]).toEqual([
        "FAILED",
        expect.objectContaining({
          status: "FAILED",
          reason: expect.stringMatching(/no more of it[^]*exit 3[^]*docker build ended with exit status \d+\n/),
        }),
      ]);
      expect(execFileSync("docker", ["ps", "--all", "--no-trunc", "--format", "{{.Command}}"], { encoding: "utf8" })).not.toContain(unique);
      expect(failed.images[0]!.reason!.split("RUN echo no more of it").length).toBeLessThan(4);
      expect((await client.repository({ registry: HOME, repository: "built/ran" }).headManifest("1"))?.digest).toBe(moved);
      await client.close();
    },
    PATIENCE_MS,
  );

  test.runIf(enginesHere().includes("docker") && process.arch === "x64")(
    "a RUN for several platforms is built for each by CodeBuild; one that its machine can't run is told with what to do, and nothing is left under the tag",
    async () => {
      const repository = clients.repository({ registry: upstream.host, repository: "lab/platforms" });
      const children = await Promise.all(
        (["amd64", "386", "arm64"] as const).map(async (architecture) =>
          pushSample(repository, architecture, {
            layers: [await tinyLayer(architecture === "arm64" ? "none" : architecture)],
            platform: { os: "linux", architecture },
          }),
        ),
      );
      await pushIndex(repository, "1", children);
      const source_uri = await put("platforms.zip", zipSync({ Dockerfile: Buffer.from('FROM quay.io/lab/platforms:1\nRUN ["/make"]\n') }));
      const item = { source_uri, target_image: "built/platforms:1" };
      const foreign = (await stage.run("builder", [{ ...item, platforms: ["linux/amd64", "linux/arm64"] }])).images[0]!;
      expect(foreign).toMatchObject({
        status: "FAILED",
        reason: expect.stringMatching(
          /exec format error[^]*does not run programs for linux\/arm64: [^]*In CodeBuild there is no QEMU: build this image with omx images build/i,
        ),
      });
      const { client } = stage.registryOf("cicd");
      const target = client.repository({ registry: HOME, repository: "built/platforms" });
      expect(await target.headManifest("1")).toBeUndefined();
      const both = { ...item, platforms: ["linux/amd64", "linux/386"] };
      const built = (await stage.run("builder", [both])).images[0]!;
      expect(built).toMatchObject({
        status: "SUCCEEDED",
        reason: "built for 2 platforms",
        build: expect.stringMatching(/^omx-image-build:/),
      });
      // Of an index ECR tells the size of its largest image.
      expect(built.bytes_moved! + built.bytes_saved!).toBeGreaterThan(built.size!);
      expect((await target.headManifest("1"))?.digest).toBe(built.digest);
      await client.close();
      expect((await stage.run("builder", [both])).images[0]).toMatchObject({ status: "SKIPPED", digest: built.digest });
    },
    PATIENCE_MS,
  );

  test(
    "E37: a RUN that fails, or an engine that is not there, ends with the build's last lines",
    async () => {
      const source_uri = await put("run.zip", zipSync({ Dockerfile: Buffer.from("FROM scratch\nCOPY Dockerfile /\nRUN /nothing\n") }));
      const { images, status } = await stage.run("builder", [{ source_uri, target_image: "bad/run:1" }]);
      expect([status, images[0]!.status]).toEqual(["FAILED", "FAILED"]);
      expect(images[0]!.reason).toMatch(/the build omx-image-build:\S+ ended FAILED:\n[^]*docker/);
      expect(images[0]!.log).toMatch(/^\/aws\/codebuild\/omx-image-build:/);
    },
    PATIENCE_MS,
  );
});
