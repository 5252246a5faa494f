import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Matcher } from "../project/omx-yaml.ts";
import { type JudgeContext, judge } from "./matchers.ts";
import type { RunOutputs } from "./outputs.ts";

const TEXT = "chr1\t10\nchr1\t20\n";
const FILES: Readonly<Record<string, string | Buffer>> = {
  "calls/a.vcf": TEXT,
  "calls/a.vcf.gz": gzipSync(TEXT),
  "stats.json": JSON.stringify({ reads: { mapped: 0.982 }, lanes: [{ id: "L1" }] }),
  "logs/engine.log": "noise",
};

/** A run that left these files and values. */
function run(files: Readonly<Record<string, string | Buffer>> = FILES, values?: Readonly<Record<string, unknown>>): RunOutputs {
  const uri = "s3://bucket/run";
  return {
    uri,
    values: () => Promise.resolve(values),
    files: () =>
      Promise.resolve(Object.entries(files).map(([path, body]) => ({ path, uri: `${uri}/${path}`, size: Buffer.byteLength(body) }))),
    read: (file) => Promise.resolve(Buffer.from(files[file.slice(uri.length + 1)] ?? "")),
  };
}

const expectedFile = () => Promise.resolve(Buffer.from("chr1\t20\nchr1\t10\n"));
const verdict = async (matcher: Matcher, context: Partial<JudgeContext> = {}) => {
  const judged = await judge(matcher, { outputs: run(), expectedFile, ...context });
  return judged.every(({ passed }) => passed);
};

describe("files", () => {
  test.each<[string, Matcher, boolean]>([
    ["is there", { file: "calls/a.vcf" }, true],
    ["by a pattern", { file: "**/*.vcf" }, true],
    ["by its last name alone", { file: "a.vcf" }, true],
    ["is not there", { file: "calls/b.vcf" }, false],
    ["a log is no output", { file: "logs/engine.log" }, false],
    ["must not be there, and is not", { file: "calls/b.vcf", exists: false }, true],
    ["must not be there, and is", { file: "calls/a.vcf", exists: false }, false],
    ["large enough", { file: "calls/a.vcf", minBytes: 16, maxBytes: 16 }, true],
    ["too small", { file: "calls/a.vcf", minBytes: 17 }, false],
    ["too large", { file: "calls/a.vcf", maxBytes: 15 }, false],
    ["of a digest", { file: "calls/a.vcf", sha256: createHash("sha256").update(TEXT).digest("hex") }, true],
    ["of another digest", { file: "calls/a.vcf", sha256: "0".repeat(64) }, false],
    ["with a text, unpacked", { file: "calls/a.vcf.gz", contains: "chr1\t20" }, true],
    ["without a text", { file: "calls/a.vcf", contains: "chrX" }, false],
    ["with a line of a pattern", { file: "calls/a.vcf", matches: "^chr1\\t2" }, true],
    ["with both, of which one is not so", { file: "calls/a.vcf", contains: "chr1", matches: "^chrX" }, false],
    ["the same lines in another order", { file: "calls/a.vcf", sameLinesAs: "expected.vcf" }, true],
    ["the same content", { file: "calls/a.vcf.gz", sameContentAs: "expected.vcf" }, false],
    ["a number in JSON, nearly", { file: "stats.json", json: { path: "reads.mapped", near: 0.98, tolerance: 0.01 } }, true],
    ["a number in JSON, out of range", { file: "stats.json", json: { path: "reads.mapped", min: 0.99 } }, false],
    ["an element of a list in JSON", { file: "stats.json", json: { path: "lanes[0].id", equals: "L1" } }, true],
    ["a path that JSON has not", { file: "stats.json", json: { path: "a.b", near: 1 } }, false],
  ])("%s", async (_, matcher, passed) => {
    expect(await verdict(matcher)).toBe(passed);
  });

  test("what is there is told where something is missing", async () => {
    const [judged] = await judge({ file: "calls/b.vcf" }, { outputs: run(), expectedFile });
    expect(judged).toEqual({ expected: "calls/b.vcf is there", passed: false, found: "there is calls/a.vcf, calls/a.vcf.gz, stats.json" });
  });

  test("a line more than once is not the same as once", async () => {
    const outputs = run({ "calls/a.vcf": `${TEXT}chr1\t10\n` });
    expect(await verdict({ file: "calls/a.vcf", sameLinesAs: "expected.vcf" }, { outputs })).toBe(false);
  });
});

describe("values", () => {
  const outputs = run({ "calls/a.vcf": TEXT }, { "main.count": 3, "main.vcf": "s3://bucket/run/calls/a.vcf" });
  test.each<[string, Matcher, boolean]>([
    ["by its own name", { output: "count", equals: 3 }, true],
    ["by its full name", { output: "main.count", equals: 3 }, true],
    ["that is another", { output: "count", equals: 4 }, false],
    ["nearly", { output: "count", near: 3.4, tolerance: 0.5 }, true],
    ["that is a file", { output: "vcf", contains: "chr1\t10" }, true],
    ["that is not there", { output: "bam" }, false],
  ])("%s", async (_, matcher, passed) => {
    expect(await verdict(matcher, { outputs })).toBe(passed);
  });
});

describe("against the last release", () => {
  const matcher: Matcher = { file: "calls/a.vcf*", sameAsLastRelease: true };
  test("equal content passes, though compressed otherwise", async () => {
    const lastRelease = run({ "calls/a.vcf.gz": gzipSync(TEXT, { level: 1 }) });
    expect(await verdict(matcher, { lastRelease, outputs: run({ "calls/a.vcf.gz": gzipSync(TEXT, { level: 9 }) }) })).toBe(true);
  });
  test("other content and an output that was not there fail", async () => {
    expect(await verdict(matcher, { lastRelease: run({ "calls/a.vcf": "other" }) })).toBe(false);
    expect(await verdict(matcher, { lastRelease: run({}) })).toBe(false);
  });
  test("a first release has nothing to be compared with", async () => {
    expect(await verdict(matcher)).toBe(true);
  });
});
