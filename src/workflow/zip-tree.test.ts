import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import type { Readable } from "node:stream";

import { expect, onTestFinished, test } from "vitest";
import { ZipFile } from "yazl";

import { BadArchive, openZip } from "./zip-tree.ts";

interface Made {
  readonly name: string;
  readonly content?: string | Uint8Array;
  readonly mode?: number;
}

async function zip(...entries: readonly Made[]): Promise<Buffer> {
  const archive = new ZipFile();
  for (const { name, content, mode = 0o100644 } of entries)
    if (name.endsWith("/")) archive.addEmptyDirectory(name);
    else archive.addBuffer(Buffer.from(content ?? ""), name, { mode });
  archive.end();
  return buffer(archive.outputStream as Readable);
}

/** The archive with every `from` in its headers written as `to`, which is equally long: what no honest tool writes. */
function renamed(archive: Buffer, from: string, to: string): Buffer {
  return Buffer.from(archive.toString("latin1").replaceAll(from, to), "latin1");
}

test("files are read from bytes and from a path", async () => {
  const bytes = await zip(
    { name: "wf/" },
    { name: "wf/main.wdl", content: "version 1.0" },
    { name: "a.txt", content: "\uFEFFx" },
    { name: ".git/HEAD", content: "x" },
  );
  const folder = mkdtempSync(join(tmpdir(), "omx-zip-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "a.zip"), bytes);
  for (const tree of [await openZip(bytes), await openZip(join(folder, "a.zip"))]) {
    expect(tree.files).toEqual(["a.txt", "wf/main.wdl"]);
    expect([tree.text("wf/main.wdl"), tree.text("wf/../a.txt"), tree.text("../a.txt"), tree.text("wf")]).toEqual([
      "version 1.0",
      "x",
      undefined,
      undefined,
    ]);
    expect(tree.size("wf/main.wdl")).toBe(11);
  }
});

const refused = async (archive: Buffer, message: RegExp, limits = {}): Promise<void> => {
  const opened = openZip(archive, limits);
  await expect(opened).rejects.toBeInstanceOf(BadArchive);
  await expect(opened).rejects.toThrow(message);
};

test("names that leave the archive are refused", async () => {
  await refused(renamed(await zip({ name: "aa/evil.wdl" }), "aa/evil", "../evil"), /invalid relative path/);
  await refused(renamed(await zip({ name: "aevil.wdl" }), "aevil", "/evil"), /absolute path/);
  await refused(renamed(await zip({ name: "aa/evil.wdl" }), "aa/evil", "..\\evil"), /invalid relative path/);
  await refused(renamed(await zip({ name: "aa/evil.wdl" }), "aa/evil", "C:/evil"), /absolute path/);
});

test("a name that stands for two things is refused", async () => {
  await refused(renamed(await zip({ name: "a1.wdl" }, { name: "a2.wdl" }), "a2.wdl", "a1.wdl"), /twice/);
  await refused(renamed(await zip({ name: "aaa.wdl" }, { name: "bbaaa.wdl" }), "bbaaa.wdl", "./aaa.wdl"), /twice/);
  await refused(await zip({ name: "a" }, { name: "a/b.wdl" }), /file and a folder/);
});

test("links, encrypted and damaged entries are refused", async () => {
  await refused(await zip({ name: "main.wdl", content: "/etc/passwd", mode: 0o120777 }), /symbolic link/);
  const sound = await zip({ name: "main.wdl", content: "version 1.0\n".repeat(50) });
  const encrypted = Buffer.from(sound);
  encrypted.writeUInt16LE(encrypted.readUInt16LE(sound.indexOf("PK\x01\x02") + 8) | 1, sound.indexOf("PK\x01\x02") + 8);
  await refused(encrypted, /encrypted/);
  const damaged = Buffer.from(sound);
  damaged.writeUInt32LE(1, sound.indexOf("PK\x01\x02") + 16);
  await refused(damaged, /checksum/);
  await refused(sound.subarray(0, sound.length - 30), /not a sound ZIP/);
  await refused(Buffer.from("version 1.0\nworkflow w {}"), /not a sound ZIP/);
});

test("bombs are refused: by ratio, by lying sizes, by number, by overlap", async () => {
  await refused(await zip({ name: "bomb.bin", content: Buffer.alloc(80_000_000) }), /times its size/);
  const liar = await zip({ name: "liar.wdl", content: Buffer.alloc(1_000_000) });
  liar.writeUInt32LE(10, liar.indexOf("PK\x01\x02") + 24);
  await refused(liar, /not a sound ZIP/);
  await refused(await zip({ name: "a" }, { name: "b" }, { name: "c" }), /more than 2 entries/, { maxEntries: 2 });
  await refused(await zip({ name: "a", content: "xxxx" }), /unpacks to more than 3/, { maxUnpackedBytes: 3 });
  await refused(await zip({ name: "a", content: "xxxx" }), /more than the 10/, { maxArchiveBytes: 10 });
  const overlapping = await zip(
    { name: "a1", content: Buffer.from(Array.from({ length: 999 }, (_, index) => index * 7919)) },
    { name: "a2", content: Buffer.from(Array.from({ length: 999 }, (_, index) => index * 7907)) },
  );
  const entry = overlapping.lastIndexOf("PK\x01\x02");
  overlapping.writeUInt32LE(5_000, entry + 20);
  await refused(overlapping, /overlap|not a sound/);
});

test("a file over the text limit is there, without a text", async () => {
  const tree = await openZip(await zip({ name: "main.wdl", content: "x".repeat(100) }), { maxTextBytes: 99 });
  expect([tree.has("main.wdl"), tree.text("main.wdl")]).toEqual([true, undefined]);
});
