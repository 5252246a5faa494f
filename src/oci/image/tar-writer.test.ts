import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gunzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { systemRandom } from "../../kit/random.ts";
import { digestOf } from "../digest.ts";
import { noise } from "../testing/sample-images.ts";
import { writeLayer } from "./layer.ts";
import { fileOf, tarOf } from "./tar-writer.ts";
import type { LayerEntry } from "./tar-writer.ts";

async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "omx-layer-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

const long = `${"deep/".repeat(30)}${"name".repeat(30)}.txt`;
const entries: readonly LayerEntry[] = [
  fileOf("b/file", "old"),
  fileOf("b/file", "new"),
  { kind: "directory", path: "b", mode: 0o1777 },
  fileOf("a/run", noise("run", 1000), 0o755),
  { kind: "symlink", path: "a/link", mode: 0o777, linkTarget: `../${long}` },
  fileOf(long, "long"),
  fileOf("ä/ünïcode", "text"),
  { ...fileOf("owned", "x"), uid: 1000, gid: 3_000_000 },
];

test("tar reads what is written: long names, links, owners, modes", async () => {
  const folder = await scratch();
  await writeFile(join(folder, "x.tar"), await buffer(tarOf(entries)));
  const listing = execFileSync(
    "tar",
    ["-tvf", join(folder, "x.tar"), "--numeric-owner", "--utc", "--full-time", "--quoting-style=literal"],
    { encoding: "utf8", env: { ...process.env, LC_ALL: "C.UTF-8" } },
  );
  expect(
    listing
      .trim()
      .split("\n")
      .map((line) => line.replace(/ +/g, " ")),
  ).toEqual([
    `lrwxrwxrwx 0/0 0 1970-01-01 00:00:00 a/link -> ../${long}`,
    "-rwxr-xr-x 0/0 1000 1970-01-01 00:00:00 a/run",
    "drwxrwxrwt 0/0 0 1970-01-01 00:00:00 b/",
    "-rw-r--r-- 0/0 3 1970-01-01 00:00:00 b/file",
    `-rw-r--r-- 0/0 4 1970-01-01 00:00:00 ${long}`,
    "-rw-r--r-- 1000/3000000 1 1970-01-01 00:00:00 owned",
    "-rw-r--r-- 0/0 4 1970-01-01 00:00:00 ä/ünïcode",
  ]);
  execFileSync("tar", ["-xf", join(folder, "x.tar"), "-C", folder, "--no-same-owner"]);
  expect(await readFile(join(folder, "b/file"), "utf8")).toBe("new");
  expect(await readFile(join(folder, "a/link"), "utf8")).toBe("long");
});

test("a layer has the same digest however its entries come, and both digests are right", async () => {
  const folder = await scratch();
  const content = Buffer.concat([noise("big", 300_000), Buffer.alloc(300_000)]);
  const pieces = Array.from({ length: 600 }, (_, index) => content.subarray(index * 1000, index * 1000 + 1000));
  const big = [...entries, fileOf("big", content)];
  const inPieces: LayerEntry = { kind: "file", path: "big", mode: 0o644, sizeBytes: content.length, open: () => pieces };
  const one = await writeLayer(big, { folder, random: systemRandom });
  const two = await writeLayer([inPieces, ...entries.toReversed().filter((entry) => entry.path !== "b/file"), fileOf("b/file", "new")], {
    folder: join(folder, "two"),
    random: systemRandom,
  });
  expect(two.descriptor).toEqual(one.descriptor);
  const bytes = await buffer(one.source.read());
  expect(digestOf(bytes)).toBe(one.descriptor.digest);
  expect(digestOf(gunzipSync(bytes))).toBe(one.diffId);
  // The value itself: another machine, or another zlib, must not give another.
  expect(one.diffId).toMatchInlineSnapshot(`"sha256:a71a428e08606789974e787836b87bc7688ec7dfe389f6f73e4d41d3e2ef0d6e"`);
  expect(one.descriptor.digest).toMatchInlineSnapshot(`"sha256:1604a60ded7726c3969dd261d798767664f9ec4fc9cc2d0da58fb4cb39cab89d"`);
  expect((await buffer(one.source.read(bytes.length - 10))).equals(bytes.subarray(-10))).toBe(true);
});

test("a file that changes while it is read is an error, not a broken layer", async () => {
  const folder = await scratch();
  const entry: LayerEntry = { ...fileOf("a", "12345"), kind: "file", sizeBytes: 4, open: () => [Buffer.from("12345")] };
  await expect(writeLayer([entry], { folder, random: systemRandom })).rejects.toThrow("a changed while it was read");
});
