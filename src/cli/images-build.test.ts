import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { zipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { noise, pushSample } from "../oci/testing/sample-images.ts";
import { type BuildLab, type Built, HOME, openBuildLab, source } from "./testing/build-lab.ts";
import { cliAt } from "./testing/in-process.ts";

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const MS = 300_000;

let lab: BuildLab;
beforeAll(async () => void (lab = await openBuildLab()), MS);
afterAll(() => lab?.[Symbol.asyncDispose](), MS);

test(
  "build assembles a folder or an S3 source once, and again when its files change or it is forced",
  async () => {
    using cli = cliAt(lab.accounts);
    const folder = join(cli.folder, "tool");
    mkdirSync(folder);
    writeFileSync(join(folder, "Dockerfile"), "FROM scratch\nARG WHO\nENV WHO=$WHO\nCOPY data.txt /\n");
    writeFileSync(join(folder, "data.txt"), "one");
    const build = async (source: string, ...flags: readonly string[]) => {
      const ran = await cli.run("images", "build", source, "build/tool:1", "--profile", "cicd", "--json", ...flags);
      return { code: ran.code, ...ran.json<Built>() };
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
    const s3 = new S3Client(lab.accounts.config());
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

test("what is wrong with a Dockerfile alone is told before its base is asked for", async () => {
  using cli = cliAt(lab.accounts);
  const told = async (dockerfile: string, ...options: readonly string[]) =>
    (await lab.build(cli, source(cli, "wrong", dockerfile), "wrong/tool:1", ...options)).reason;
  const base = "FROM quay.io/nobody/has-this:1 AS tools\n";
  expect(await told(base)).toContain("quay.io/nobody/has-this:1");
  expect(await told(base, "--target", "nope")).toBe('Dockerfile:1: there is no stage "nope"; stages are tools');
  expect(await told(`${base}COPY nothing /\n`)).toBe("Dockerfile:2: nothing is not in the build context");
  expect(await told(`${base}COPY nothing /\nFROM tools AS other\nFROM quay.io/nobody/has-this:1 AS last\n`, "--target", "other")).toBe(
    "Dockerfile:2: nothing is not in the build context",
  );
});

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

test(
  "an image whose base has moved upstream is built again; one whose bases are the same is not",
  async () => {
    using cli = cliAt(lab.accounts);
    const first = await pushSample(lab.quay("moved/base"), "1", { layers: [noise("base 1", 4000)] });
    await pushSample(lab.quay("moved/unused"), "1", { layers: [noise("unused 1", 4000)] });
    const folder = source(cli, "tool", "ARG TAG=1\nFROM quay.io/moved/unused:1 AS unused\nFROM quay.io/moved/base:$TAG\nENV A=1\n");
    const built = await lab.build(cli, folder, "moved/tool:1");
    expect(built).toMatchObject({ status: "BUILT", reason: "built" });
    expect((await lab.inside("moved/tool", built.digest)).labels["org.omx.bases"]).toBe(`quay.io/moved/base:1@${first.digest}`);
    expect(await lab.build(cli, folder, "moved/tool:1")).toMatchObject({
      status: "SKIPPED",
      digest: built.digest,
      reason: "the source is unchanged",
    });
    await pushSample(lab.quay("moved/unused"), "1", { layers: [noise("unused 2", 4000)] });
    expect(await lab.build(cli, folder, "moved/tool:1")).toMatchObject({ status: "SKIPPED" });
    const second = await pushSample(lab.quay("moved/base"), "1", { layers: [noise("base 2", 4000)] });
    const again = await lab.build(cli, folder, "moved/tool:1");
    expect(again).toMatchObject({
      status: "BUILT",
      reason: `built; its base has moved: quay.io/moved/base:1 is ${second.digest}, and was ${first.digest} when the image was built`,
    });
    expect(again.digest).not.toBe(built.digest);
    expect(await lab.build(cli, folder, "moved/tool:1")).toMatchObject({ status: "SKIPPED", digest: again.digest });
    // A base that is pinned never moves, and nobody is asked for it.
    const pinned = source(cli, "pinned", `FROM quay.io/moved/base:1@${first.digest}\nENV A=1\n`);
    const kept = await lab.build(cli, pinned, "moved/pinned:1");
    expect(kept).toMatchObject({ status: "BUILT" });
    expect(await lab.build(cli, pinned, "moved/pinned:1", "--upstream", "quay.io=http://127.0.0.1:1")).toMatchObject({
      status: "SKIPPED",
      digest: kept.digest,
    });
    expect(await lab.build(cli, source(cli, "gone", "FROM quay.io/moved/base:gone\n"), "moved/gone:1")).toMatchObject({
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
    expect(await lab.build(cli, "s3://sources-abroad/tool/", "abroad/tool:1")).toMatchObject({ status: "BUILT" });
  },
  MS,
);
