import { createHash } from "node:crypto";
import { appendFileSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, onTestFinished, test } from "vitest";
import { hashedFiles } from "./hashed-files.ts";

const MIB = 1024 * 1024;
const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

async function newFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "omx-hashed-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "upload");
}

/** Chunks as of a connection: each has memory of its own. */
function* chunksOf(first: number, count: number): Generator<Buffer> {
  for (let at = first; at < first + count; at += 1) yield Buffer.alloc(64 * 1024, at);
}

test("a file that arrives in several parts has the bytes and the digest of all of them", async () => {
  const [files, file] = [hashedFiles(), await newFile()];
  files.begin(file);
  for (const first of [0, 20, 40]) await files.append(file, Readable.from(chunksOf(first, 20)));
  const whole = Buffer.concat([...chunksOf(0, 60)]);
  expect(readFileSync(file).equals(whole)).toBe(true);
  expect(await files.sha256(file)).toBe(sha256(whole));
});

test("what arrived before a connection broke stays, and the digest is right once the rest came", async () => {
  const [files, file] = [hashedFiles(), await newFile()];
  files.begin(file);
  const breaking = (function* () {
    yield* chunksOf(0, 25);
    throw new Error("reset");
  })();
  await expect(files.append(file, Readable.from(breaking))).rejects.toThrow("reset");
  const received = readFileSync(file).length;
  expect(received).toBe(25 * 64 * 1024);
  await files.append(file, Readable.from(chunksOf(25, 5)));
  expect(await files.sha256(file)).toBe(sha256(Buffer.concat([...chunksOf(0, 30)])));
});

test("a file that another process began is read for its digest", async () => {
  const file = await newFile();
  const before = Buffer.alloc(MIB, 1);
  appendFileSync(file, before);
  const files = hashedFiles();
  await files.append(file, Readable.from([Buffer.from("rest")]));
  expect(await files.sha256(file)).toBe(sha256(Buffer.concat([before, Buffer.from("rest")])));
});

test("bytes of the sender's own memory are still there after they were written", async () => {
  const [files, file] = [hashedFiles(), await newFile()];
  files.begin(file);
  const memory = Buffer.alloc(MIB, 7);
  await files.append(file, Readable.from([memory.subarray(0, 100), memory.subarray(100, 200)]));
  expect(memory.every((byte) => byte === 7)).toBe(true);
  expect(await files.sha256(file)).toBe(sha256(memory.subarray(0, 200)));
});
