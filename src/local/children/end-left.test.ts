import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { startAccounts } from "../testing/accounts.ts";
import { groupLives } from "./process-group.ts";

test("what the accounts started ends with their folder: it writes nothing there any more", async () => {
  const accounts = await startAccounts();
  const { dataDir } = accounts;
  const script = 'trap "" TERM; while :; do mkdir -p "$1/made"; date >> "$1/made/$$"; done';
  const { pid = 0 } = accounts.accounts.core.children.start({
    owner: "test/writes",
    kind: "task",
    command: "/bin/sh",
    args: ["-c", script, "sh", dataDir],
    cwd: "/",
    env: { PATH: process.env["PATH"] ?? "" },
    stdio: ["ignore", "ignore", "ignore"],
  });
  await expect.poll(() => existsSync(`${dataDir}/made`)).toBe(true);
  await accounts[Symbol.asyncDispose]();
  expect(existsSync(dataDir)).toBe(false);
  expect(groupLives(pid)).toBe(false);
});
