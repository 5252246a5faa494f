import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const PRETTIER = join(ROOT, "node_modules", "prettier", "bin", "prettier.cjs");

test("the code is laid out as `npm run format` does it", { timeout: 240_000 }, () => {
  const { stdout, stderr } = spawnSync(process.execPath, [PRETTIER, "--list-different", "--cache", "**/*.{ts,mjs,cjs}"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  expect(`${stdout}${stderr}`).toBe("");
});
