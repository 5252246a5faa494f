import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { CreateRepositoryCommand, ECRClient } from "@aws-sdk/client-ecr";
import { zipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CICD, PRODUCTION, startAccounts, type TestAccounts } from "../local/testing/accounts.ts";
import { digestOf } from "../oci/digest.ts";
import { registryClient, type RegistryClient, type Repository } from "../oci/client/registry-client.ts";
import { type DockerRegistry, startDockerRegistry } from "../oci/testing/docker-registry.ts";
import { guardedRegistry } from "../oci/testing/guarded-registry.ts";
import { noise, pushIndex, pushSample } from "../oci/testing/sample-images.ts";
import { mergeOnce } from "../release/images/repositories/ensure-policies.ts";
import { productionStatements } from "../release/images/repositories/repository-policy.ts";
import type { ContainersLock } from "../release/images/lock/lock.ts";
import { cliAt, type InProcess } from "./testing/in-process.ts";
import { release } from "./testing/released.ts";

const HOME = `${CICD}.dkr.ecr.us-east-1.amazonaws.com`;
const DIGEST = /^sha256:[0-9a-f]{64}$/;
const MS = 200_000;

interface Row {
  readonly status: string;
  readonly digest?: string;
  readonly before?: string;
  readonly reason?: string;
  readonly target?: string;
  readonly missingBytes?: number;
  readonly bytes?: number;
}
interface Images {
  readonly images: readonly Row[];
  readonly missingBytes: number;
}

let accounts: TestAccounts;
let upstream: DockerRegistry;
let clients: RegistryClient;
beforeAll(async () => {
  [accounts, upstream, clients] = [await startAccounts(), await startDockerRegistry(), registryClient()];
}, MS);
afterAll(async () => {
  await clients?.close();
  await accounts?.[Symbol.asyncDispose]();
  await upstream?.[Symbol.asyncDispose]();
}, MS);

const quay = (repository: string): Repository => clients.repository({ registry: upstream.host, repository });
const at = (): readonly string[] => ["--profile", "cicd", "--upstream", `quay.io=${upstream.url}`, "--json"];

/** A repository of a workflow that uses these images. */
function project(cli: InProcess, name: string, images: readonly string[], more = ""): string {
  const folder = join(cli.folder, name);
  mkdirSync(folder);
  const tasks = images.map((image, index) => `task t${index} {\n  command <<< echo >>>\n  runtime { docker: "${image}" }\n}\n`);
  writeFileSync(
    join(folder, "main.wdl"),
    `version 1.0\nworkflow w {\n${images.map((_image, index) => `  call t${index}\n`).join("")}}\n${tasks.join("")}`,
  );
  writeFileSync(join(folder, "omx.yaml"), `name: ${name}\nversion: "1.0"\n${more}`);
  return folder;
}

test(
  "plan says what would move, each shared layer once, and moves nothing; after a pull nothing would",
  async () => {
    using cli = cliAt(accounts);
    const [shared, own] = [noise("plan shared", 50_000), noise("plan own", 20_000)];
    await pushSample(quay("plan/a"), "1", { layers: [shared] });
    await pushSample(quay("plan/b"), "1", { layers: [shared, own] });
    const names = ["quay.io/plan/a:1", "quay.io/plan/b:1"];
    const planned = await cli.run("images", "plan", ...names, "quay.io/plan/absent:1", ...at());
    expect(planned.code).toBe(1);
    const { images, missingBytes } = planned.json<Images>();
    expect(images).toMatchObject([
      { source: names[0], target: `${HOME}/quay/plan/a:1`, status: "PULL", digest: expect.stringMatching(DIGEST) },
      { status: "PULL", bytes: expect.any(Number) },
      { status: "FAILED", reason: expect.stringContaining("does not have it") },
    ]);
    expect(images[1]!.missingBytes).toBeLessThan(images[1]!.bytes!);
    expect(missingBytes).toBeGreaterThan(70_000);
    expect(missingBytes).toBeLessThan(75_000);
    expect(
      (await cli.run("images", "list", "--profile", "cicd", "--json"))
        .json<Images>()
        .images.filter(({ target }) => target?.includes("plan")),
    ).toEqual([]);

    expect((await cli.run("images", "pull", ...names, ...at())).code).toBe(0);
    await pushSample(quay("plan/a"), "1", { layers: [own] });
    const again = await cli.run("images", "plan", ...names, "--profile", "cicd", "--upstream", `quay.io=${upstream.url}`);
    expect(again.code).toBe(0);
    expect(again.stdout).toMatch(/^MOVED {2}quay\.io\/plan\/a:1 .*now sha256:/m);
    expect(again.stdout).toMatch(/^SKIP {3}quay\.io\/plan\/b:1/m);
  },
  MS,
);

test(
  "plan of a repository lists its builds too, and a platform is taken out of an index",
  async () => {
    using cli = cliAt(accounts);
    const amd = await pushSample(quay("plan/multi"), "", { layers: [noise("amd", 9000)] });
    const arm = await pushSample(quay("plan/multi"), "", {
      layers: [noise("arm", 30_000)],
      platform: { os: "linux", architecture: "arm64" },
    });
    await pushIndex(quay("plan/multi"), "1", [amd, arm]);
    const folder = project(
      cli,
      "planned",
      ["quay.io/plan/multi:1", "own/tool:1"],
      "images: { build: [{ source: tool, target: own/tool:1 }] }\n",
    );
    mkdirSync(join(folder, "tool"));
    writeFileSync(join(folder, "tool", "Dockerfile"), "FROM scratch\n");
    const of = async (...flags: readonly string[]) =>
      (await cli.run("images", "plan", "--project", folder, ...at(), ...flags)).json<Images>().images;
    expect(await of()).toEqual(await of("--project", join(folder, "omx.yaml")));
    expect(await of("--namespace", `quay.io=mirror/quay`)).toMatchObject([{ target: `${HOME}/mirror/quay/plan/multi:1` }, {}]);
    expect(await of("--platform", "linux/amd64")).toMatchObject([
      { status: "PULL", digest: amd.digest },
      { source: "tool", target: `${HOME}/own/tool:1`, status: "BUILD" },
    ]);
    expect((await of())[0]!.bytes).toBeGreaterThan(39_000);
  },
  MS,
);

test(
  "list shows what omx staged, with tags, size, source and time, and nothing of others",
  async () => {
    using cli = cliAt(accounts);
    const { digest } = await pushSample(quay("list/tool"), "1", { layers: [noise("list", 10_000)] });
    await cli.run("images", "pull", "quay.io/list/tool:1", ...at());
    await new ECRClient(accounts.config()).send(new CreateRepositoryCommand({ repositoryName: "somebody/else" }));
    writeFileSync(join(cli.folder, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n");
    await cli.run("images", "build", cli.folder, "list/built:2", "--label", "git.example/tools", "--commit", "abc", "--profile", "cicd");
    const listed = (await cli.run("images", "list", "--profile", "cicd", "--json"))
      .json<{ images: readonly { repository: string }[] }>()
      .images.filter(({ repository }) => /list|else/.test(repository));
    expect(listed).toEqual([
      {
        repository: "list/built",
        digest: expect.stringMatching(DIGEST),
        tags: ["2"],
        sizeBytes: expect.any(Number),
        pushedAt: expect.stringMatching(/^\d{4}-/),
        source: "git.example/tools",
        commit: "abc",
        sourceHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
      {
        repository: "quay/list/tool",
        digest,
        tags: ["1"],
        sizeBytes: expect.any(Number),
        pushedAt: expect.stringMatching(/^\d{4}-/),
        source: "quay.io/list/tool",
      },
    ]);
    expect((await cli.run("images", "list", "--profile", "cicd")).stdout).toContain("quay/list/tool:1");
  },
  MS,
);

test(
  "lock writes digests, says when a tag moved, keeps what it cannot lock, and checks without writing",
  async () => {
    using cli = cliAt(accounts);
    const { digest: first } = await pushSample(quay("lock/tool"), "latest", { layers: [noise("lock 1", 5000)] });
    await pushSample(quay("lock/new"), "1", { layers: [noise("lock new", 5000)] });
    const folder = project(cli, "locked", ["quay.io/lock/tool:latest", "quay.io/lock/new:1"]);
    const file = join(folder, "containers.lock.json");
    const lock = async (...flags: readonly string[]) => {
      const ran = await cli.run("images", "lock", folder, ...at(), ...flags);
      return { code: ran.code, ...ran.json<{ written: boolean; images: readonly Row[] }>() };
    };
    expect(await lock()).toMatchObject({ code: 1, written: false, images: [{ status: "NOT_STAGED" }, { status: "NOT_STAGED" }] });
    expect(existsSync(file)).toBe(false);
    await cli.run("images", "pull", "quay.io/lock/tool:latest", ...at());
    expect(await lock()).toMatchObject({
      code: 1,
      written: true,
      images: [
        { status: "NEW", digest: first },
        { status: "NOT_STAGED", reason: expect.stringContaining("omx images pull") },
      ],
    });
    await cli.run("images", "pull", "quay.io/lock/new:1", ...at());
    expect(await lock()).toMatchObject({ code: 0, images: [{ status: "SAME" }, { status: "NEW" }] });
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({
      version: 1,
      images: [
        {
          image: "quay.io/lock/tool:latest",
          source: "quay.io/lock/tool:latest",
          target: `${HOME}/quay/lock/tool@${first}`,
          digest: first,
          platform: "all",
        },
        expect.objectContaining({ image: "quay.io/lock/new:1" }),
      ],
    });
    expect(await lock("--check")).toMatchObject({ code: 0, written: false });

    const { digest: second } = await pushSample(quay("lock/tool"), "latest", { layers: [noise("lock 2", 5000)] });
    expect(await lock("--check")).toMatchObject({
      code: 1,
      written: false,
      images: [{ status: "NOT_STAGED", before: first, digest: second }, { status: "SAME" }],
    });
    await cli.run("images", "pull", "quay.io/lock/tool:latest", ...at());
    expect(await lock("--check")).toMatchObject({
      code: 1,
      written: false,
      images: [{ status: "MOVED", before: first, digest: second }, {}],
    });
    expect(readFileSync(file, "utf8")).toContain(first);
    expect(await lock()).toMatchObject({ code: 0, written: true, images: [{ status: "MOVED" }, { status: "SAME" }] });
    expect(readFileSync(file, "utf8")).toContain(second);

    await pushSample(quay("lock/tool"), "latest", { layers: [noise("lock 3", 5000)] });
    const pulled = (await cli.run("images", "pull", "--project", join(folder, "omx.yaml"), ...at())).json<{
      images: readonly Row[];
      requests: number;
    }>();
    expect(pulled).toMatchObject({ images: [{ status: "SKIPPED", digest: second }, { status: "SKIPPED" }], requests: 2 });

    writeFileSync(file, '{"version": 1, "images": [{"image": "x"}]}');
    const broken = await cli.run("images", "lock", folder, ...at());
    expect([broken.code, broken.stderr]).toEqual([
      1,
      expect.stringContaining("containers.lock.json is no lock of images: images.0.source"),
    ]);
  },
  MS,
);

test(
  "verify proves that ECR, the bundle and production hold the same bytes, and names what differs",
  async () => {
    using cli = cliAt(accounts);
    await pushSample(quay("verify/tool"), "1", { layers: [noise("verify", 300_000), noise("verify two", 5000)] });
    await pushSample(quay("verify/other"), "1", { layers: [noise("verify other", 5000)] });
    const folder = project(cli, "verified", ["quay.io/verify/tool:1", "quay.io/verify/other:1"]);
    await cli.run("images", "pull", "quay.io/verify/tool:1", "quay.io/verify/other:1", ...at());
    expect((await cli.run("images", "lock", folder, ...at())).code).toBe(0);
    const lock = JSON.parse(readFileSync(join(folder, "containers.lock.json"), "utf8")) as ContainersLock;
    const bundle = await release(accounts, { lock, workflow: "verified-release" });
    const verify = async (...args: readonly string[]) => {
      const ran = await cli.run("images", "verify", "--profile", "cicd", "--json", ...args);
      return {
        code: ran.code,
        ...ran.json<{
          ok: boolean;
          problems: readonly string[];
          images: readonly { view: string; hashedBytes: number; problems: readonly string[] }[];
        }>(),
      };
    };

    const shallow = await verify(folder);
    expect(shallow).toMatchObject({
      code: 0,
      ok: true,
      problems: [],
      images: [
        { view: "cicd", problems: [] },
        { view: "cicd", problems: [] },
      ],
    });
    expect(await verify(join(folder, "omx.yaml"))).toEqual(shallow);
    const deep = await verify(folder, "--deep");
    expect([shallow.images[0]!.hashedBytes < 10_000, deep.images[0]!.hashedBytes > 300_000]).toEqual([true, true]);

    const closed = await verify("--bundle", bundle, "--production", "production");
    expect([closed.code, closed.images.map(({ view, problems }) => [view, problems.length > 0])]).toEqual([
      1,
      [
        ["cicd", false],
        ["cicd", false],
        ["production", true],
        ["production", true],
      ],
    ]);
    expect(closed.images[2]!.problems[0]).toMatch(/refuses access.*not authorized/);

    const ecr = new ECRClient(accounts.config());
    for (const name of ["tool", "other"])
      await mergeOnce(ecr, `quay/verify/${name}`, productionStatements({ account: PRODUCTION, region: "us-east-1" }));
    expect(await verify("--bundle", bundle, "--production", "production", "--deep")).toMatchObject({
      code: 0,
      ok: true,
      images: [{}, {}, { view: "production" }, {}],
    });

    const [tool, other] = lock.images as [(typeof lock.images)[number], (typeof lock.images)[number]];
    const wrong = await release(accounts, { lock, workflow: "mapped-release", map: [{ ...tool, target: other.target }, other] });
    const mapped = await verify("--bundle", wrong, "--production", "production");
    expect([mapped.code, mapped.problems]).toEqual([
      1,
      [`version 1.0.0 in production: quay.io/verify/tool:1 is ${other.digest}, the lock says ${tool.digest}`],
    ]);

    const elsewhere = digestOf("nothing");
    writeFileSync(
      join(folder, "containers.lock.json"),
      JSON.stringify({ version: 1, images: [{ ...tool, digest: elsewhere, target: tool.target.replace(tool.digest, elsewhere) }] }),
    );
    const compared = await verify(folder, "--bundle", bundle, "--production", "production");
    expect(compared.images[0]!.problems).toEqual([`the manifest ${elsewhere} is not there`]);
    const forgotten = "the lock: quay.io/verify/other:1 is used and not in it; write it with `omx images lock`";
    expect(await verify(folder)).toMatchObject({ code: 1, ok: false, problems: [forgotten] });
    expect(compared.problems).toEqual([
      forgotten,
      `the bundle: quay.io/verify/tool:1 is ${tool.digest}, the lock says ${elsewhere}`,
      "the bundle: quay.io/verify/other:1 is in it, and not in the lock",
      `version 1.0.0 in production: quay.io/verify/tool:1 is ${tool.digest}, the lock says ${elsewhere}`,
    ]);
    expect((await cli.run("images", "verify", cli.folder, "--profile", "cicd")).stderr).toContain("omx images lock");
    const itself = await cli.run("images", "verify", folder, "--profile", "cicd", "--production", "approver");
    expect([itself.code, itself.stdout, itself.stderr]).toEqual([
      1,
      "",
      expect.stringContaining("--production approver is an identity of 111122223333 in us-east-1, which is the cicd account here"),
    ]);
  },
  MS,
);

test(
  "a manual is as wide as the terminal, and no wider than 120 characters",
  async () => {
    const widest = async (columns?: number): Promise<number> => {
      using cli = cliAt(accounts, columns === undefined ? {} : { columns });
      const { stdout } = await cli.run("images", "pull", "--help");
      return Math.max(
        ...stdout
          .split("\n\nExit code")[0]!
          .split("\n")
          .map((line) => line.length),
      );
    };
    expect(await widest(80)).toBeLessThanOrEqual(80);
    const [usual, wide] = [await widest(), await widest(300)];
    expect([usual, wide]).toEqual([wide, usual]);
    expect(usual).toBeLessThanOrEqual(120);
  },
  MS,
);

test(
  "verify --deep finds a layer whose bytes have changed in the registry",
  async () => {
    using cli = cliAt(accounts);
    const layer = noise("tampered", 20_000);
    await pushSample(quay("tampered/tool"), "1", { layers: [layer] });
    const folder = project(cli, "tampered", ["quay.io/tampered/tool:1"]);
    await cli.run("images", "pull", "quay.io/tampered/tool:1", ...at());
    expect((await cli.run("images", "lock", folder, ...at())).code).toBe(0);
    const hex = digestOf(layer).slice("sha256:".length);
    const file = readdirSync(accounts.dataDir, { recursive: true, encoding: "utf8" }).find((name) => name.endsWith(hex))!;
    chmodSync(join(accounts.dataDir, file), 0o644);
    writeFileSync(join(accounts.dataDir, file), Buffer.concat([layer.subarray(0, -1), Buffer.from([layer.at(-1)! ^ 1])]));
    const shallow = await cli.run("images", "verify", folder, "--profile", "cicd");
    expect([shallow.code, shallow.stdout]).toEqual([0, expect.stringContaining("of layers their size was looked at, --deep reads them")]);
    const deep = await cli.run("images", "verify", folder, "--deep", "--profile", "cicd");
    expect([deep.code, deep.stdout]).toEqual([
      1,
      expect.stringMatching(/cicd: quay\.io\/tampered\/tool:1: sha256:.*sent other bytes than promised/),
    ]);
  },
  MS,
);

test(
  "build assembles a folder or an S3 source once, and again when its files change or it is forced",
  async () => {
    using cli = cliAt(accounts);
    const folder = join(cli.folder, "tool");
    mkdirSync(folder);
    writeFileSync(join(folder, "Dockerfile"), "FROM scratch\nARG WHO\nENV WHO=$WHO\nCOPY data.txt /\n");
    writeFileSync(join(folder, "data.txt"), "one");
    const build = async (source: string, ...flags: readonly string[]) => {
      const ran = await cli.run("images", "build", source, "build/tool:1", "--profile", "cicd", "--json", ...flags);
      return { code: ran.code, ...ran.json<Row>() };
    };
    const first = await build(folder);
    expect(first).toMatchObject({
      code: 0,
      status: "BUILT",
      target: `${HOME}/build/tool:1`,
      digest: expect.stringMatching(DIGEST),
      bytes: expect.any(Number),
    });
    expect(await build(folder)).toMatchObject({ code: 0, status: "SKIPPED", digest: first.digest, reason: "the source is unchanged" });
    const s3 = new S3Client(accounts.config());
    await s3.send(new CreateBucketCommand({ Bucket: "build-sources" }));
    await s3.send(
      new PutObjectCommand({
        Bucket: "build-sources",
        Key: "tool.zip",
        Body: zipSync({ Dockerfile: readFileSync(join(folder, "Dockerfile")), "data.txt": Buffer.from("one") }),
      }),
    );
    expect(await build("s3://build-sources/tool.zip")).toMatchObject({ code: 0, status: "SKIPPED", digest: first.digest });
    expect(await build(folder, "--force")).toMatchObject({ status: "SKIPPED", reason: "the same image is there", digest: first.digest });
    expect(await build(folder, "--build-arg", "WHO=me")).toMatchObject({ status: "BUILT" });
    chmodSync(join(folder, "data.txt"), 0o755);
    expect(await build(folder, "--build-arg", "WHO=me")).toMatchObject({ status: "BUILT" });

    writeFileSync(join(folder, "Dockerfile"), "FROM scratch\nCOPY absent.txt /\n");
    const broken = await build(folder);
    expect([broken.code, broken.status, broken.reason]).toEqual([1, "FAILED", expect.stringMatching(/Dockerfile:2.*absent\.txt/)]);
    expect((await cli.run("images", "build", join(cli.folder, "nowhere"), "x:1", "--profile", "cicd")).stderr).toContain("does not exist");
  },
  MS,
);

test(
  "a RUN is built by an engine, or the build says what to install",
  async () => {
    using cli = cliAt(accounts, { path: "/nonexistent" });
    writeFileSync(join(cli.folder, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\nRUN /nothing\n");
    const built = await cli.run("images", "build", cli.folder, "build/run:1", "--profile", "cicd", "--json");
    expect([built.code, built.json<Row>()]).toEqual([
      1,
      expect.objectContaining({ status: "FAILED", reason: expect.stringMatching(/Dockerfile:3.*install Docker, Podman or Buildah/) }),
    ]);
  },
  MS,
);

const hasDocker = ((): boolean => {
  try {
    return execFileSync("docker", ["info", "--format", "{{.ServerVersion}}"], { stdio: ["ignore", "pipe", "ignore"] }).length > 0;
  } catch {
    return false;
  }
})();

test.runIf(hasDocker)(
  "an engine's failure is told by its last lines",
  async () => {
    using cli = cliAt(accounts);
    writeFileSync(join(cli.folder, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\nRUN /nothing\n");
    const built = await cli.run("images", "build", cli.folder, "build/failing:1", "--profile", "cicd", "--json");
    expect([built.code, built.json<Row>()]).toEqual([
      1,
      expect.objectContaining({ status: "FAILED", reason: expect.stringMatching(/docker build ended with exit status \d+:\n/) }),
    ]);
  },
  MS,
);

test(
  "upstream credentials are those of docker login and its helpers, and nobody prints them",
  async () => {
    using cli = cliAt(accounts);
    await pushSample(quay("private/tool"), "1", { layers: [noise("private", 4000)] });
    const password = "s3cret-p4ss";
    await using guard = await guardedRegistry(upstream.url, { username: "me", password });
    const { host } = guard;
    const refused = await cli.run("images", "pull", `${host}/private/tool:1`, "--profile", "cicd", "--json");
    expect([refused.code, refused.stdout]).toEqual([1, expect.stringContaining("refuses access")]);
    mkdirSync(join(cli.folder, ".docker"));
    writeFileSync(
      join(cli.folder, ".docker", "config.json"),
      JSON.stringify({ auths: { [host]: { auth: Buffer.from(`me:${password}`).toString("base64") } } }),
    );
    const pulled = await cli.run("images", "pull", `${host}/private/tool:1`, "--profile", "cicd", "--json");
    expect(pulled.code).toBe(0);
    const ofMirror = await cli.run(
      "images",
      "pull",
      "ghcr.io/private/tool:1",
      "--upstream",
      `ghcr.io=${guard.url}`,
      "--profile",
      "cicd",
      "--json",
    );
    expect(ofMirror.code).toBe(0);
    expect(`${refused.stdout}${refused.stderr}${pulled.stdout}${pulled.stderr}`).not.toContain(password);
  },
  MS,
);
