import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { DescribeRepositoriesCommand, ECRClient } from "@aws-sdk/client-ecr";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../kit/clock.ts";
import { CICD } from "../local/testing/accounts.ts";
import { readManifest } from "../oci/manifest.ts";
import { noise, pushSample } from "../oci/testing/sample-images.ts";
import { enginesHere, writeBashSource } from "./testing/bash-image.ts";
import { type BuildLab, openBuildLab } from "./testing/build-lab.ts";
import { cliAt, type InProcess } from "./testing/in-process.ts";
import { pathWith } from "./testing/only-engine.ts";

const HOME = `${CICD}.dkr.ecr.us-east-1.amazonaws.com`;
const MS = 300_000;

let lab: BuildLab;
beforeAll(async () => void (lab = await openBuildLab()), MS);
afterAll(() => lab?.[Symbol.asyncDispose](), MS);

const build: BuildLab["build"] = (...of) => lab.build(...of);

/** A folder with a Dockerfile. */
function source(cli: InProcess, name: string, dockerfile: string): string {
  const folder = join(cli.folder, name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "Dockerfile"), dockerfile);
  return folder;
}

/** Labels and layers of an image in the local ECR. */
async function inside(
  image: string,
  digest: string,
): Promise<{ readonly labels: Readonly<Record<string, string>>; readonly diffIds: readonly string[] }> {
  const repository = lab.inEcr(image);
  const stored = (await repository.getManifest(digest))!;
  const manifest = readManifest(stored.bytes, stored.mediaType);
  if (manifest.kind !== "image") throw new Error("an index");
  const { config, rootfs } = JSON.parse((await buffer(repository.blob(manifest.config).read())).toString("utf8"));
  return { labels: config.Labels, diffIds: rootfs.diff_ids };
}

test("what is wrong with a Dockerfile alone is told before its base is asked for", async () => {
  using cli = cliAt(lab.accounts);
  const told = async (dockerfile: string, ...options: readonly string[]) =>
    (await build(cli, source(cli, "wrong", dockerfile), "wrong/tool:1", ...options)).reason;
  const base = "FROM quay.io/nobody/has-this:1 AS tools\n";
  expect(await told(base)).toContain("quay.io/nobody/has-this:1");
  expect(await told(base, "--target", "nope")).toBe('Dockerfile:1: there is no stage "nope"; stages are tools');
  expect(await told(`${base}COPY nothing /\n`)).toBe("Dockerfile:2: nothing is not in the build context");
  expect(await told(`${base}COPY nothing /\nFROM tools AS other\nFROM quay.io/nobody/has-this:1 AS last\n`, "--target", "other")).toBe(
    "Dockerfile:2: nothing is not in the build context",
  );
});

test(
  "an image whose base has moved upstream is built again; one whose bases are the same is not",
  async () => {
    using cli = cliAt(lab.accounts);
    const first = await pushSample(lab.quay("moved/base"), "1", { layers: [noise("base 1", 4000)] });
    await pushSample(lab.quay("moved/unused"), "1", { layers: [noise("unused 1", 4000)] });
    const folder = source(cli, "tool", "ARG TAG=1\nFROM quay.io/moved/unused:1 AS unused\nFROM quay.io/moved/base:$TAG\nENV A=1\n");
    const built = await build(cli, folder, "moved/tool:1");
    expect(built).toMatchObject({ status: "BUILT", reason: "built" });
    expect((await inside("moved/tool", built.digest)).labels["org.omx.bases"]).toBe(`quay.io/moved/base:1@${first.digest}`);
    expect(await build(cli, folder, "moved/tool:1")).toMatchObject({
      status: "SKIPPED",
      digest: built.digest,
      reason: "the source is unchanged",
    });
    await pushSample(lab.quay("moved/unused"), "1", { layers: [noise("unused 2", 4000)] });
    expect(await build(cli, folder, "moved/tool:1")).toMatchObject({ status: "SKIPPED" });
    const second = await pushSample(lab.quay("moved/base"), "1", { layers: [noise("base 2", 4000)] });
    const again = await build(cli, folder, "moved/tool:1");
    expect(again).toMatchObject({
      status: "BUILT",
      reason: `built; its base has moved: quay.io/moved/base:1 is ${second.digest}, and was ${first.digest} when the image was built`,
    });
    expect(again.digest).not.toBe(built.digest);
    expect(await build(cli, folder, "moved/tool:1")).toMatchObject({ status: "SKIPPED", digest: again.digest });
    // A base that is pinned never moves, and nobody is asked for it.
    const pinned = source(cli, "pinned", `FROM quay.io/moved/base:1@${first.digest}\nENV A=1\n`);
    const kept = await build(cli, pinned, "moved/pinned:1");
    expect(kept).toMatchObject({ status: "BUILT" });
    expect(await build(cli, pinned, "moved/pinned:1", "--upstream", "quay.io=http://127.0.0.1:1")).toMatchObject({
      status: "SKIPPED",
      digest: kept.digest,
    });
    expect(await build(cli, source(cli, "gone", "FROM quay.io/moved/base:gone\n"), "moved/gone:1")).toMatchObject({
      status: "FAILED",
      reason: expect.stringContaining("quay.io/moved/base:gone"),
    });
  },
  MS,
);

test(
  "a source in a bucket of another region is fetched there",
  async () => {
    using cli = cliAt(lab.accounts);
    const abroad = new S3Client({ ...lab.accounts.config(), region: "eu-west-1" });
    await abroad.send(new CreateBucketCommand({ Bucket: "sources-abroad" }));
    for (const name of ["a", "b", "c", "d", "e"])
      await abroad.send(new PutObjectCommand({ Bucket: "sources-abroad", Key: `tool/${name}`, Body: name }));
    await abroad.send(new PutObjectCommand({ Bucket: "sources-abroad", Key: "tool/Dockerfile", Body: "FROM scratch\nCOPY . /tool/\n" }));
    expect(await build(cli, "s3://sources-abroad/tool/", "abroad/tool:1")).toMatchObject({ status: "BUILT" });
  },
  MS,
);

test(
  "a lock holds what is built as well: folder, digest, target and platform; a changed source has to be built before it is locked",
  async () => {
    using cli = cliAt(lab.accounts);
    const folder = source(cli, "locked/tool", "FROM scratch\nCOPY Dockerfile /\n");
    const root = join(cli.folder, "locked");
    writeFileSync(
      join(root, "main.wdl"),
      'version 1.0\nworkflow w {\n  call t\n}\ntask t {\n  command <<< echo >>>\n  runtime { docker: "locked/tool:1" }\n}\n',
    );
    writeFileSync(join(root, "omx.yaml"), 'name: locked\nversion: "1.0"\nimages: { build: [{ source: tool, target: "locked/tool:1" }] }\n');
    const lock = async () => {
      const ran = await cli.run("images", "lock", root, "--profile", "cicd", "--json");
      return { code: ran.code, images: ran.json<{ images: readonly object[] }>().images };
    };
    const planned = async () =>
      (await cli.run("images", "plan", "--project", root, "--profile", "cicd", "--json")).json<{ images: readonly object[] }>().images;
    expect(await planned()).toEqual([{ source: "tool", target: `${HOME}/locked/tool:1`, status: "BUILD", reason: "it is not in ECR" }]);
    expect(await lock()).toMatchObject({
      code: 1,
      images: [{ status: "NOT_STAGED", reason: expect.stringContaining("omx images build") }],
    });
    expect(await cli.run("images", "pull", "--project", root, "--profile", "cicd")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^0 images, /),
      stderr: expect.stringContaining("left to `omx images build`: locked/tool:1"),
    });
    const { digest } = await build(cli, folder, "locked/tool:1");
    expect(await lock()).toMatchObject({ code: 0, images: [{ status: "NEW", digest, source: "tool" }] });
    expect(JSON.parse(readFileSync(join(root, "containers.lock.json"), "utf8")).images).toEqual([
      { image: "locked/tool:1", source: "tool", target: `${HOME}/locked/tool@${digest}`, digest, platform: "linux/amd64" },
    ]);
    expect((await cli.run("images", "verify", root, "--deep", "--profile", "cicd")).code).toBe(0);
    expect(await planned()).toMatchObject([{ status: "SKIP", digest, reason: "the lock's image is there, and the source is unchanged" }]);
    writeFileSync(join(folder, "more.txt"), "more");
    expect(await planned()).toMatchObject([{ status: "BUILD", present: digest, reason: "its source has changed" }]);
    expect(await lock()).toMatchObject({
      code: 1,
      images: [{ status: "NOT_STAGED", before: digest, reason: expect.stringContaining("built from another source") }],
    });
    await build(cli, folder, "locked/tool:1");
    expect(await lock()).toMatchObject({ code: 0, images: [{ status: "MOVED", before: digest }] });
  },
  MS,
);

test(
  "two builds of one image at once both end right; so do two sources for one tag, each with its own digest",
  async () => {
    using cli = cliAt(lab.accounts);
    const [one, two] = ["one", "two"].map((name) => {
      const folder = source(cli, name, "FROM scratch\nCOPY . /\n");
      writeFileSync(join(folder, "noise"), noise(name, 3_000_000));
      return folder;
    }) as [string, string];
    const same = await Promise.all([build(cli, one, "twice/tool:1"), build(cli, one, "twice/tool:1")]);
    expect(new Set(same.map(({ digest }) => digest)).size).toBe(1);
    expect(same.filter(({ status }) => status !== "BUILT" && status !== "SKIPPED")).toEqual([]);
    const different = await Promise.all([build(cli, one, "raced/tool:1"), build(cli, two, "raced/tool:1")]);
    expect(different.map(({ status }) => status)).toEqual(["BUILT", "BUILT"]);
    const digests = different.map(({ digest }) => digest);
    const repository = lab.inEcr("raced/tool");
    expect(digests).toContain((await repository.headManifest("1"))?.digest);
    for (const digest of digests) expect((await inside("raced/tool", digest)).labels["org.omx.source-hash"]).toMatch(/^[0-9a-f]{64}$/);
  },
  MS,
);

test(
  "a build that is killed while it pushes leaves nothing wrong, and the next one completes",
  async () => {
    using cli = cliAt(lab.accounts);
    const folder = source(cli, "killed", "FROM scratch\nCOPY . /\n");
    for (const name of ["a", "b", "c"]) writeFileSync(join(folder, name), noise(`killed ${name}`, 3_000_000));
    const client = new ECRClient(lab.accounts.config());
    const isBegun = () =>
      client.send(new DescribeRepositoriesCommand({ repositoryNames: ["killed/tool"] })).then(
        () => true,
        () => false,
      );
    const child = spawn(join(import.meta.dirname, "../../bin/omx"), ["images", "build", folder, "killed/tool:1", "--profile", "cicd"], {
      env: {
        PATH: process.env["PATH"],
        HOME: cli.folder,
        AWS_CONFIG_FILE: lab.accounts.configFile,
        OMX_DATA: dirname(lab.accounts.configFile),
      },
      stdio: "ignore",
      detached: true,
    });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    while (child.exitCode === null && !(await isBegun())) await systemClock.sleep(5);
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
    await ended;
    expect(await isBegun()).toBe(true);
    const built = await build(cli, folder, "killed/tool:1");
    expect(["BUILT", "SKIPPED"]).toContain(built.status);
    expect((await build(cli, folder, "killed/other:1")).digest).toBe(built.digest);
    const lock = join(cli.folder, "containers.lock.json");
    writeFileSync(
      lock,
      JSON.stringify({
        version: 1,
        images: [{ image: "killed/tool:1", source: "killed", target: `${HOME}/killed/tool@${built.digest}`, digest: built.digest }],
      }),
    );
    expect((await cli.run("images", "verify", lock, "--deep", "--profile", "cicd")).code).toBe(0);
  },
  MS,
);

test(
  "a source that is a file, and a Dockerfile that lies elsewhere, are told before anything is built",
  async () => {
    using cli = cliAt(lab.accounts);
    const file = join(source(cli, "file", "FROM scratch\nENV A=1\n"), "Dockerfile");
    const said = async (...args: readonly string[]) =>
      (await cli.run("images", "build", ...args, "wrong/tool:1", "--profile", "cicd")).stderr;
    expect(await said(file)).toMatch(/Dockerfile is no folder\n.*--dockerfile/);
    expect(await said(dirname(file), "--dockerfile", "../file/Dockerfile")).toContain("the Dockerfile has to lie in the source");
  },
  MS,
);

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)(
  "a build that is ended by %s leaves no layers and no logins behind",
  async (signal, expected) => {
    using cli = cliAt(lab.accounts);
    const [folder, work] = [source(cli, "ended", "FROM quay.io/silent/base:1\n"), join(cli.folder, "work")];
    mkdirSync(work);
    // A registry that takes the call and never answers.
    const silent = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void silent.close());
    await once(silent, "listening");
    const called = once(silent, "connection");
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const child = spawn(
      join(import.meta.dirname, "../../bin/omx"),
      ["images", "build", folder, "ended/tool:1", "--profile", "cicd", "--upstream", `quay.io=${url}`],
      {
        env: {
          PATH: process.env["PATH"],
          HOME: cli.folder,
          TMPDIR: work,
          AWS_CONFIG_FILE: lab.accounts.configFile,
          OMX_DATA: dirname(lab.accounts.configFile),
        },
        stdio: "ignore",
        detached: true,
      },
    );
    const ended = once(child, "exit");
    const [socket] = (await called) as [Socket];
    onTestFinished(() => void socket.destroy());
    expect(readdirSync(work).filter((name) => name.startsWith("omx-build-"))).toHaveLength(1);
    process.kill(-child.pid!, signal);
    expect((await ended)[0]).toBe(expected);
    expect(readdirSync(work).filter((name) => name.startsWith("omx-build-"))).toEqual([]);
  },
  MS,
);

test.runIf(enginesHere().includes("docker"))(
  "the layers of what is in ECR are a cache: unchanged instructions are not run again on a machine that has never seen the image",
  async () => {
    using setup = cliAt(lab.accounts);
    using cli = cliAt(lab.accounts, { path: pathWith(setup, "docker") });
    const own = join(cli.folder, "own");
    writeBashSource(own);
    await build(cli, own, "cached/base:1");
    const folder = source(
      cli,
      "ran",
      `FROM ${HOME}/cached/base:1\nSHELL ["/bin/bash", "-c"]\nRUN echo $RANDOM$RANDOM$RANDOM > /random\nCOPY file /\n`,
    );
    writeFileSync(join(folder, "file"), "one");
    const first = await build(cli, folder, "cached/ran:1");
    expect(first.status).toBe("BUILT");
    execFileSync("docker", ["image", "rm", "--force", `${new URL(lab.accounts.url).host}/${CICD}/us-east-1/cached/ran:1`], {
      stdio: "ignore",
    });
    writeFileSync(join(folder, "file"), "two");
    const second = await build(cli, folder, "cached/ran:1");
    expect(second.status).toBe("BUILT");
    // Two of its layers are those of the first image.
    expect(second.bytesSaved).toBeGreaterThan(0);
    expect(second.bytesMoved! + second.bytesSaved!).toBe(second.bytes);
    const [before, after] = [await inside("cached/ran", first.digest), await inside("cached/ran", second.digest)];
    expect(after.diffIds.slice(0, 2)).toEqual(before.diffIds.slice(0, 2));
    expect(after.diffIds[2]).not.toBe(before.diffIds[2]);
  },
  MS,
);

test.runIf(enginesHere().includes("docker"))(
  "a push that a registry did not answer is tried again; one that it refused is not",
  async () => {
    using setup = cliAt(lab.accounts);
    const [path, folder] = [pathWith(setup, "docker"), source(setup, "pushed", "")];
    const [docker, calls] = [join(setup.folder, "only-docker", "docker"), join(setup.folder, "calls")];
    const real = execFileSync("which", ["docker"], { encoding: "utf8" }).trim();
    // Docker, but for the first push, which meets what the test says.
    const engine = (says: string) => {
      rmSync(docker, { force: true });
      rmSync(calls, { force: true });
      writeFileSync(
        docker,
        `#!/bin/sh\nif [ "$1" = push ]; then echo push >> ${calls}; [ $(wc -l < ${calls}) -gt 1 ] || { echo '${says}'; exit 1; }; fi\nexec ${real} "$@"\n`,
      );
      chmodSync(docker, 0o755);
      writeFileSync(join(folder, "Dockerfile"), `FROM ${HOME}/pushed/base:1\nSHELL ["/bin/bash", "-c"]\nRUN echo ${says.length}\n`);
    };
    using cli = cliAt(lab.accounts, { path });
    writeBashSource(join(setup.folder, "own"));
    await build(cli, join(setup.folder, "own"), "pushed/base:1");
    engine("dial tcp: connect: connection refused");
    expect(await build(cli, folder, "pushed/tool:1")).toMatchObject({ status: "BUILT" });
    expect(readFileSync(calls, "utf8").split("push")).toHaveLength(3);
    engine("denied: User is not authorized");
    expect(await build(cli, folder, "pushed/other:1")).toMatchObject({
      status: "FAILED",
      reason: expect.stringMatching(/^docker push ended with exit status 1:[^]*denied: User is not authorized/),
    });
    expect(readFileSync(calls, "utf8").split("push")).toHaveLength(2);
  },
  MS,
);

test.runIf(enginesHere().includes("docker"))(
  "two builds for one tag at once on one Docker daemon both end right, whoever has the name when one pushes",
  async () => {
    using setup = cliAt(lab.accounts);
    const path = pathWith(setup, "docker");
    using cli = cliAt(lab.accounts, { path });
    writeBashSource(join(setup.folder, "own"));
    await build(cli, join(setup.folder, "own"), "shared/base:1");
    const folders = ["one", "two"].map((name) =>
      source(cli, name, `FROM ${HOME}/shared/base:1\nSHELL ["/bin/bash", "-c"]\nRUN echo ${name} > /${name}\n`),
    );
    const built = await Promise.all(folders.map((folder) => build(cli, folder, "shared/tool:1")));
    for (const one of built)
      expect(one).toMatchObject({
        status: "BUILT",
        reason: expect.stringMatching(/^built by an engine(?:; another build has taken the tag 1 since)?$/),
      });
    expect(
      new Set(await Promise.all(built.map(async ({ digest }) => (await inside("shared/tool", digest)).labels["org.omx.source-hash"]))).size,
    ).toBe(2);
    // The other one takes the name between build and push.
    const [docker, calls] = [join(setup.folder, "only-docker", "docker"), join(setup.folder, "calls")];
    const real = execFileSync("which", ["docker"], { encoding: "utf8" }).trim();
    const local = `${new URL(lab.accounts.url).host}/${CICD}/us-east-1/shared/tool:1`;
    const taken = execFileSync("docker", ["image", "inspect", "--format", "{{.Id}}", local], { encoding: "utf8" }).trim();
    rmSync(docker);
    writeFileSync(
      docker,
      `#!/bin/sh\nif [ "$1" = push ]; then echo push >> ${calls}; [ $(wc -l < ${calls}) -gt 1 ] || ${real} tag ${taken} ${local}; fi\nexec ${real} "$@"\n`,
    );
    chmodSync(docker, 0o755);
    const third = await build(
      cli,
      source(cli, "three", `FROM ${HOME}/shared/base:1\nSHELL ["/bin/bash", "-c"]\nRUN echo three > /three\n`),
      "shared/tool:1",
    );
    expect(third).toMatchObject({ status: "BUILT", reason: "built by an engine" });
    expect(built.map(({ digest }) => digest)).not.toContain(third.digest);
    expect(readFileSync(calls, "utf8").split("push")).toHaveLength(3);
  },
  MS,
);

describe.each(enginesHere())("%s", (engine) => {
  test(
    "builds on private ECR and on a base of a mirror, on the digests that the labels say",
    async () => {
      using setup = cliAt(lab.accounts);
      using cli = cliAt(lab.accounts, { path: pathWith(setup, engine) });
      const own = join(cli.folder, "own");
      writeBashSource(own);
      const base = await build(cli, own, `engines/${engine}:1`);
      expect(base.status).toBe("BUILT");
      const copied = await pushSample(lab.quay(`engines/${engine}`), "1", { layers: [readFileSync(emptyTar(cli))] });
      const dockerfile = `ARG FROM=${HOME}/engines/${engine}:1\nFROM $FROM AS tools\nSHELL ["/bin/bash", "-c"]\nRUN echo made > /made\nFROM quay.io/engines/${engine}:1 AS mirrored\nFROM tools\nCOPY --from=quay.io/engines/${engine}:1 / /copied/\nRUN [[ $(</made) == made ]] && echo "$SECOND" > /second\n`;
      const folder = source(cli, "ran", dockerfile);
      const built = await build(cli, folder, `ran/${engine}:1`);
      expect(built).toMatchObject({ status: "BUILT", engine, reason: "built by an engine" });
      expect(built.bytesMoved! + built.bytesSaved!).toBe(built.bytes);
      const { labels, diffIds } = await inside(`ran/${engine}`, built.digest);
      expect(labels["org.omx.bases"]).toBe(`${HOME}/engines/${engine}:1@${base.digest} quay.io/engines/${engine}:1@${copied.digest}`);
      expect(diffIds[0]).toBe((await inside(`engines/${engine}`, base.digest)).diffIds[0]);
      expect(await build(cli, folder, `ran/${engine}:1`)).toMatchObject({ status: "SKIPPED", digest: built.digest });
      // The engine still has the old image under this name; it has to build on what is in ECR now.
      writeFileSync(join(own, "new.txt"), "new");
      const moved = await build(cli, own, `engines/${engine}:1`);
      const again = await build(cli, folder, `ran/${engine}:1`);
      expect(again).toMatchObject({ status: "BUILT", engine });
      expect((await inside(`ran/${engine}`, again.digest)).diffIds[0]).toBe((await inside(`engines/${engine}`, moved.digest)).diffIds[0]);
    },
    MS,
  );
});

function emptyTar(cli: InProcess): string {
  const file = join(cli.folder, "empty.tar");
  execFileSync("tar", ["-cf", file, "-C", cli.folder, "--files-from", "/dev/null"]);
  return file;
}
