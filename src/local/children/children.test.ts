import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { afterAll, expect, test } from "vitest";
import { systemClock } from "../../kit/clock.ts";
import { openDatabase } from "../storage/database.ts";
import { openChildren } from "./children.ts";

const folders = mkdtempSync(join(tmpdir(), "omx-children-"));
afterAll(() => rmSync(folders, { recursive: true, force: true }));

const folder = () => mkdtempSync(join(folders, "one-"));
const open = (dataDir: string) => openChildren(openDatabase(join(dataDir, "state.sqlite")), systemClock);

const spec = (cwd: string, script: string) => ({
  owner: "test/1",
  kind: "test",
  command: "/bin/sh",
  args: ["-c", script],
  cwd,
  env: { PATH: process.env["PATH"] ?? "" },
  stdio: ["ignore", "ignore", "ignore"] as const,
});

const isThere = (pid: number): boolean => {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
  } catch {
    return false;
  }
};

test("a process that ends by itself is forgotten", async () => {
  const children = open(folder());
  await once(children.start(spec(tmpdir(), "exit 0")), "exit");
  expect(children.of("test/1")).toEqual([]);
});

test.skipIf(process.platform !== "linux")(
  "what a dead process left of its group is ended, also after a restart",
  { timeout: 60_000 },
  async () => {
    const dataDir = folder();
    const first = open(dataDir);
    const child = first.start(spec(dataDir, "sleep 600 & echo $! > left; kill -KILL $$"));
    await once(child, "exit");
    const left = Number(readFileSync(join(dataDir, "left"), "utf8"));
    expect(isThere(left)).toBe(true);
    const second = open(dataDir);
    const [record] = second.of("test/1");
    expect(second.isAlive(record!)).toBe(false);
    await second.end(record!);
    await expect.poll(() => isThere(left), { timeout: 90_000 }).toBe(false);
    expect(second.of("test/1")).toEqual([]);
  },
);

test("a record whose pid is somebody else's by now ends nothing", async () => {
  const dataDir = folder();
  const children = open(dataDir);
  const stranger = children.start(spec(dataDir, "sleep 600"));
  const [record] = children.of("test/1");
  await children.end({ ...record!, owner: "test/2", startedAt: "1" });
  expect(children.isAlive(record!)).toBe(true);
  await children.end(record!, 0);
  if (stranger.exitCode === null && stranger.signalCode === null) await once(stranger, "exit");
});
