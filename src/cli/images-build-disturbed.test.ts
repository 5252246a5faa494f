import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { DescribeRepositoriesCommand, ECRClient } from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../kit/clock.ts";
import { CICD } from "../local/testing/accounts.ts";
import { noise } from "../oci/testing/sample-images.ts";
import { enginesHere, writeBashSource } from "./testing/bash-image.ts";
import { type BuildLab, HOME, openBuildLab, source } from "./testing/build-lab.ts";
import { cliAt, type InProcess } from "./testing/in-process.ts";
import { pathWith } from "./testing/only-engine.ts";

const MS = 300_000;

let lab: BuildLab;
beforeAll(async () => void (lab = await openBuildLab()), MS);
afterAll(() => lab?.[Symbol.asyncDispose](), MS);

interface Beginning {
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** `omx images build` as a process of its own, which may be ended. */
function startBuild(cli: InProcess, folder: string, image: string, { flags = [], env = {} }: Beginning = {}) {
  return spawn(join(import.meta.dirname, "../../bin/omx"), ["images", "build", folder, image, "--profile", "cicd", ...flags], {
    env: {
      PATH: process.env["PATH"],
      HOME: cli.folder,
      AWS_CONFIG_FILE: lab.accounts.configFile,
      OMX_DATA: dirname(lab.accounts.configFile),
      ...env,
    },
    stdio: "ignore",
    detached: true,
  });
}

/** A Docker to which the test adds something. */
interface DisturbedDocker {
  /** A PATH with it, and with no other engine. */
  readonly path: string;
  /** Has the shell run this before the next push, and lets all later ones be. */
  beforeNextPush(shell: string): void;
  /** How often it was asked to push since. */
  pushes(): number;
}

function disturbedDocker(cli: InProcess): DisturbedDocker {
  const path = pathWith(cli, "docker");
  const [docker, calls] = [join(cli.folder, "only-docker", "docker"), join(cli.folder, "calls")];
  const real = execFileSync("which", ["docker"], { encoding: "utf8" }).trim();
  return {
    path,
    beforeNextPush(shell) {
      for (const file of [docker, calls]) rmSync(file, { force: true });
      const push = `echo push >> ${calls}; [ $(wc -l < ${calls}) -gt 1 ] || { ${shell}; }`;
      writeFileSync(docker, `#!/bin/sh\nif [ "$1" = push ]; then ${push}; fi\nexec ${real} "$@"\n`);
      chmodSync(docker, 0o755);
    },
    pushes: () => readFileSync(calls, "utf8").split("push").length - 1,
  };
}

test(
  "two builds of one image at once both end right; so do two sources for one tag, each with its own digest",
  async () => {
    using cli = cliAt(lab.accounts);
    const [one, two] = ["one", "two"].map((name) => {
      const folder = source(cli, name, "FROM scratch\nCOPY . /\n");
      writeFileSync(join(folder, "noise"), noise(name, 3_000_000));
      return folder;
    }) as [string, string];
    const same = await Promise.all([lab.build(cli, one, "twice/tool:1"), lab.build(cli, one, "twice/tool:1")]);
    expect(new Set(same.map(({ digest }) => digest)).size).toBe(1);
    expect(same.filter(({ status }) => status !== "BUILT" && status !== "SKIPPED")).toEqual([]);
    const different = await Promise.all([lab.build(cli, one, "raced/tool:1"), lab.build(cli, two, "raced/tool:1")]);
    expect(different.map(({ status }) => status)).toEqual(["BUILT", "BUILT"]);
    const digests = different.map(({ digest }) => digest);
    const repository = lab.inEcr("raced/tool");
    expect(digests).toContain((await repository.headManifest("1"))?.digest);
    for (const digest of digests) expect((await lab.inside("raced/tool", digest)).labels["org.omx.source-hash"]).toMatch(/^[0-9a-f]{64}$/);
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
    const child = startBuild(cli, folder, "killed/tool:1");
    const ended = new Promise((resolve) => child.once("exit", resolve));
    while (child.exitCode === null && !(await isBegun())) await systemClock.sleep(5);
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
    await ended;
    expect(await isBegun()).toBe(true);
    const built = await lab.build(cli, folder, "killed/tool:1");
    expect(["BUILT", "SKIPPED"]).toContain(built.status);
    expect((await lab.build(cli, folder, "killed/other:1")).digest).toBe(built.digest);
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
    const child = startBuild(cli, folder, "ended/tool:1", { flags: ["--upstream", `quay.io=${url}`], env: { TMPDIR: work } });
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
  "a push that a registry did not answer is tried again; one that it refused is not",
  async () => {
    using setup = cliAt(lab.accounts);
    const [docker, folder] = [disturbedDocker(setup), source(setup, "pushed", "")];
    const failOnce = (says: string) => {
      docker.beforeNextPush(`echo '${says}'; exit 1`);
      source(setup, "pushed", `FROM ${HOME}/pushed/base:1\nSHELL ["/bin/bash", "-c"]\nRUN echo ${says.length}\n`);
    };
    using cli = cliAt(lab.accounts, { path: docker.path });
    writeBashSource(join(setup.folder, "own"));
    await lab.build(cli, join(setup.folder, "own"), "pushed/base:1");
    failOnce("dial tcp: connect: connection refused");
    expect(await lab.build(cli, folder, "pushed/tool:1")).toMatchObject({ status: "BUILT" });
    expect(docker.pushes()).toBe(2);
    failOnce("denied: User is not authorized");
    expect(await lab.build(cli, folder, "pushed/other:1")).toMatchObject({
      status: "FAILED",
      reason: expect.stringMatching(/^docker push ended with exit status 1:[^]*denied: User is not authorized/),
    });
    expect(docker.pushes()).toBe(1);
  },
  MS,
);

test.runIf(enginesHere().includes("docker"))(
  "two builds for one tag at once on one Docker daemon both end right, whoever has the name when one pushes",
  async () => {
    using setup = cliAt(lab.accounts);
    const docker = disturbedDocker(setup);
    using cli = cliAt(lab.accounts, { path: docker.path });
    writeBashSource(join(setup.folder, "own"));
    await lab.build(cli, join(setup.folder, "own"), "shared/base:1");
    const folders = ["one", "two"].map((name) =>
      source(cli, name, `FROM ${HOME}/shared/base:1\nSHELL ["/bin/bash", "-c"]\nRUN echo ${name} > /${name}\n`),
    );
    const built = await Promise.all(folders.map((folder) => lab.build(cli, folder, "shared/tool:1")));
    for (const one of built)
      expect(one).toMatchObject({
        status: "BUILT",
        reason: expect.stringMatching(/^built by an engine(?:; another build has taken the tag 1 since)?$/),
      });
    expect(
      new Set(await Promise.all(built.map(async ({ digest }) => (await lab.inside("shared/tool", digest)).labels["org.omx.source-hash"])))
        .size,
    ).toBe(2);
    // The other one takes the name between build and push.
    const local = `${new URL(lab.accounts.url).host}/${CICD}/us-east-1/shared/tool:1`;
    const taken = execFileSync("docker", ["image", "inspect", "--format", "{{.Id}}", local], { encoding: "utf8" }).trim();
    docker.beforeNextPush(`"$0" tag ${taken} ${local}`);
    const third = await lab.build(
      cli,
      source(cli, "three", `FROM ${HOME}/shared/base:1\nSHELL ["/bin/bash", "-c"]\nRUN echo three > /three\n`),
      "shared/tool:1",
    );
    expect(third).toMatchObject({ status: "BUILT", reason: "built by an engine" });
    expect(built.map(({ digest }) => digest)).not.toContain(third.digest);
    expect(docker.pushes()).toBe(2);
  },
  MS,
);
