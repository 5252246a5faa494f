import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { openFolder } from "./folder-tree.ts";

function folder(files: Readonly<Record<string, string | Uint8Array>>): string {
  const path = mkdtempSync(join(tmpdir(), "omx-folder-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(path, name, ".."), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  return path;
}

test("a folder lists its files sorted and reads them", () => {
  const tree = openFolder(folder({ "b/c.wdl": "version 1.0", "a.wdl": "\uFEFFversion 1.1", ".git/config": "x" }));
  expect(tree.files).toEqual(["a.wdl", "b/c.wdl"]);
  expect(tree.text("a.wdl")).toBe("version 1.1");
  expect(tree.text("b/../b/./c.wdl")).toBe("version 1.0");
  expect(tree.size("b/c.wdl")).toBe(11);
  expect([tree.has("b"), tree.has("../a.wdl"), tree.has("nothing"), tree.has(".git/config"), tree.has("a\0b")]).toEqual([
    false,
    false,
    false,
    false,
    false,
  ]);
});

test("links that leave the folder are not there; links inside are read, and circles end", () => {
  const outside = folder({ "secret.wdl": "secret" });
  const root = folder({ "a.wdl": "inside", "sub/b.wdl": "b" });
  symlinkSync(join(outside, "secret.wdl"), join(root, "out.wdl"));
  symlinkSync(outside, join(root, "outdir"));
  symlinkSync("a.wdl", join(root, "link.wdl"));
  symlinkSync("..", join(root, "sub/up"));
  symlinkSync("sub", join(root, "alias"));
  const tree = openFolder(root);
  expect(tree.files).toEqual(["a.wdl", "link.wdl", "sub/b.wdl"]);
  expect([tree.text("out.wdl"), tree.text("outdir/secret.wdl")]).toEqual([undefined, undefined]);
  expect([tree.text("link.wdl"), tree.text("alias/b.wdl"), tree.text("sub/up/a.wdl")]).toEqual(["inside", "b", "inside"]);
});

test("what is no text, too large or no regular file has no text", () => {
  const root = folder({ "image.wdl": Buffer.from([1, 0, 2]), "large.wdl": "", "latin.wdl": Buffer.from("# caf\xe9", "latin1") });
  truncateSync(join(root, "large.wdl"), 5_000_000_000);
  execFileSync("mkfifo", [join(root, "pipe.wdl")]);
  const tree = openFolder(root);
  expect(tree.files).toEqual(["image.wdl", "large.wdl", "latin.wdl"]);
  expect([tree.text("image.wdl"), tree.text("large.wdl"), tree.text("pipe.wdl")]).toEqual([undefined, undefined, undefined]);
  expect(tree.size("large.wdl")).toBe(5_000_000_000);
  expect(tree.text("latin.wdl")).toBe("# caf\uFFFD");
});
