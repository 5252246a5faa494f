import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A clone whose npm packages were installed without their scripts: everything but Node's binary. */
function clone() {
  const folder = mkdtempSync(join(tmpdir(), "omx-clone-"));
  const lock = JSON.stringify({ packages: { "": {}, "node_modules/node": { version: "24.21.0" } } });
  mkdirSync(join(folder, "node_modules"));
  writeFileSync(join(folder, "package-lock.json"), lock);
  writeFileSync(join(folder, "node_modules", ".package-lock.json"), lock);
  for (const part of ["bin", "scripts/bootstrap.mjs"]) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  const run = (path: string, ...args: readonly string[]) =>
    spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8", env: { PATH: path } });
  return { folder, run, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

test("packages installed without their scripts: the fixing command is named", () => {
  using cloned = clone();
  for (const args of [
    ["scripts/bootstrap.mjs", "node", "--version"],
    ["bin/omx", "--version"],
  ]) {
    const { status, stdout, stderr } = cloned.run(process.env["PATH"] ?? "", ...args);
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(`npm rebuild node --ignore-scripts=false --prefix ${cloned.folder}`);
  }
});

test("what the machine lacks is named, each with the command that brings it", () => {
  using cloned = clone();
  const { status, stderr } = cloned.run(join(cloned.folder, "empty"), "scripts/bootstrap.mjs", "node", "--version");
  expect(status).toBe(1);
  expect(stderr).toMatch(/missing: git, .*\n {2}run: .*git/);
  expect(stderr).toMatch(/missing: Python 3\.9 or newer, .*\n {2}run: .*python/);
});

test("the command runs with the project's Node and programs first on PATH", () => {
  using cloned = clone();
  const bin = join(cloned.folder, "node_modules", "node", "bin");
  mkdirSync(bin, { recursive: true });
  symlinkSync(process.execPath, join(bin, "node"));
  const { status, stdout } = cloned.run(
    process.env["PATH"] ?? "",
    "scripts/bootstrap.mjs",
    "node",
    "-p",
    "process.env.PATH.split(':').slice(0, 2).join()",
  );
  expect([status, stdout.trim()]).toEqual([0, [join(dirname(dirname(bin)), ".bin"), bin].join()]);
});

test("a demo that is asked for what it does not know says what it knows", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--no-warnings", "src/cli/demo/main.ts", "--bogus"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  expect([status, stdout, stderr]).toEqual([2, "", expect.stringMatching(/^✗ Unknown option '--bogus'\n\nnpm run demo -- \[--yes\]/)]);
});
