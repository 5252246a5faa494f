import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { awsCli, awsCli2, openShell, PATIENCE_MS, type Shell } from "./aws-cli.ts";

let shell: Shell;
beforeAll(async () => void (shell = await openShell()));
afterAll(() => shell[Symbol.asyncDispose]());

const there = (name: string, run: () => Promise<void>): void => test.runIf(awsCli).concurrent(name, run, PATIENCE_MS);
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

there("aws s3 cp carries a small file and one in parts, there and back", async () => {
  await shell.text("cicd", "s3", "mb", "s3://copied");
  const large = randomBytes(20 * 1024 * 1024);
  shell.file("small.txt", "acgt\n");
  shell.file("large.bin", large);
  await Promise.all(["small.txt", "large.bin"].map((name) => shell.text("cicd", "s3", "cp", name, `s3://copied/in/${name}`)));
  const [head] = await Promise.all([
    shell.aws<{ ContentLength: number; ETag: string }>("cicd", "s3api", "head-object", "--bucket", "copied", "--key", "in/large.bin"),
    shell.text("cicd", "s3", "cp", "s3://copied/in/large.bin", "large.back"),
    shell.text("cicd", "s3", "cp", "s3://copied/in/large.bin", "s3://copied/again/large.bin"),
  ]);
  expect(head).toMatchObject({ ContentLength: large.length, ETag: expect.stringMatching(/^"[0-9a-f]{32}-3"$/) as string });
  expect(sha256(readFileSync(join(shell.folder, "large.back")))).toBe(sha256(large));
  const listing = await shell.text("cicd", "s3", "ls", "--recursive", "s3://copied");
  expect(
    listing
      .trim()
      .split("\n")
      .map((line) => line.split(/\s+/).slice(2)),
  ).toEqual([
    [String(large.length), "again/large.bin"],
    [String(large.length), "in/large.bin"],
    ["5", "in/small.txt"],
  ]);
  expect(await shell.text("cicd", "s3", "cp", "s3://copied/in/small.txt", "-")).toBe("acgt\n");
  await shell.text("cicd", "s3", "rb", "--force", "s3://copied");
  expect(await shell.refused("cicd", "s3", "ls", "s3://copied")).toContain("NoSuchBucket");
});

there("aws s3 sync moves what changed and deletes what went", async () => {
  await shell.text("cicd", "s3", "mb", "s3://synced");
  const folder = join(shell.folder, "reads");
  mkdirSync(join(folder, "deep dir"), { recursive: true });
  for (const name of ["a.fq", "b.fq", "deep dir/c+d ü.fq"]) writeFileSync(join(folder, name), name);
  const sync = (...words: readonly string[]) => shell.text("cicd", "s3", "sync", "--no-progress", ...words);
  expect((await sync("reads", "s3://synced/reads")).trim().split("\n")).toHaveLength(3);
  expect(await sync("reads", "s3://synced/reads")).toBe("");
  writeFileSync(join(folder, "a.fq"), "longer than before");
  expect((await sync("reads", "s3://synced/reads")).trim().split("\n")).toEqual([expect.stringContaining("reads/a.fq")]);
  await shell.text("cicd", "s3", "rm", "s3://synced/reads/b.fq");
  expect(await sync("s3://synced/reads", "reads", "--delete")).toContain("delete: reads/b.fq");
  expect(await sync("s3://synced/reads", "back")).toContain("deep dir/c+d ü.fq");
  expect(readFileSync(join(shell.folder, "back/deep dir/c+d ü.fq"), "utf8")).toBe("deep dir/c+d ü.fq");
});

there("aws s3 presign makes an address that anyone can fetch, once it is not tampered with", async () => {
  await shell.text("cicd", "s3", "mb", "s3://presigned");
  await shell.text("cicd", "s3", "cp", shell.file("page.html", "<p>report</p>"), "s3://presigned/report/page one.html");
  const url = (await shell.text("cicd", "s3", "presign", "s3://presigned/report/page one.html")).trim();
  const answer = await fetch(url);
  expect([answer.status, answer.headers.get("content-type"), await answer.text()]).toEqual([200, "text/html", "<p>report</p>"]);
  expect((await fetch(url.replace("page", "pagf"))).status).toBe(403);
});

test.runIf(awsCli)(
  "each version of the AWS CLI goes after a bucket to its region",
  async () => {
    await shell.text("cicd", "s3", "mb", "s3://in-ireland", "--region", "eu-west-1");
    const large = randomBytes(10 * 1024 * 1024);
    shell.file("abroad.bin", large);
    for (const program of new Set([awsCli, awsCli2].filter((each) => each !== undefined))) {
      // Debian's version 2 is older than endpoints in profiles.
      const aws = (...words: readonly string[]) =>
        shell.must(program, ["--profile", "cicd", "--endpoint-url", shell.accounts.url, ...words]);
      await aws("s3", "cp", "abroad.bin", "s3://in-ireland/abroad.bin");
      await aws("s3", "cp", "s3://in-ireland/abroad.bin", "home.bin");
      expect(sha256(readFileSync(join(shell.folder, "home.bin")))).toBe(sha256(large));
      expect(JSON.parse(await aws("s3api", "head-object", "--bucket", "in-ireland", "--key", "abroad.bin"))).toMatchObject({
        ContentLength: large.length,
      });
    }
  },
  PATIENCE_MS,
);
