import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { omx } from "./testing/omx.ts";

test("keys that nobody knows, and those of other accounts than answer, are told as what they are", async () => {
  await using cli = omx();
  const { url } = (await cli.run("local", "start", "--detach", "--port", "0", "--json")).json<{ url: string }>();
  const file = join(cli.dataDir, "aws-config");
  const text = readFileSync(file, "utf8");
  for (const [key, name] of [
    ["aws_access_key_id", "InvalidClientTokenId"],
    ["aws_secret_access_key", "SignatureDoesNotMatch"],
  ] as const) {
    writeFileSync(file, text.replaceAll(new RegExp(`^${key} = .*$`, "gm"), `${key} = AKIAIOSFODNN7EXAMPLE`));
    const { code, stderr } = await cli.run("images", "list");
    expect([code, stderr, url]).toEqual([1, expect.stringMatching(new RegExp(`${name}: [^]*are of other accounts`)), url]);
  }
});

test("without identity and local accounts a command of AWS says what to do", async () => {
  await using cli = omx();
  const { code, stderr } = await cli.run("release", "status", "wf");
  expect([code, stderr]).toEqual([1, expect.stringContaining("omx local start")]);
});

test("doctor lists what is there, as JSON too", async () => {
  await using cli = omx();
  const { ok, findings } = (await cli.run("doctor", "--json")).json<{ ok: boolean; findings: { name: string; status: string }[] }>();
  expect(ok).toBe(findings.every(({ status }) => status !== "missing"));
  expect(findings).toContainEqual(expect.objectContaining({ name: "Node", status: "ok" }));
});
