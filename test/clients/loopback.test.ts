import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { pythonOf } from "../../src/local/engines/python-environment.ts";
import { startAccounts } from "../../src/local/testing/accounts.ts";
import { PATIENCE_MS } from "./aws-cli.ts";

const UNSHARE = ["--net", "--mount", "--map-root-user"];
const python = "python3";
/** Whether this machine lets a test make a network of its own. */
const canIsolate = process.platform === "linux" && spawnSync("unshare", [...UNSHARE, "true"], { stdio: "ignore" }).status === 0;

// The engine is fetched once per clone, and that does leave.
beforeAll(async () => {
  await using accounts = await startAccounts();
  const { children, settings, dataDir } = accounts.accounts.core;
  if (canIsolate) await pythonOf("miniwdl", { children, environment: settings.environment, dataDir });
}, PATIENCE_MS);

/** Runs a program in a network of loopback alone; what it printed, and how many packets tried to leave. */
async function isolated(...command: readonly string[]): Promise<{ readonly stdout: string; readonly left: number }> {
  const folder = mkdtempSync(join(tmpdir(), "omx-loopback-"));
  const report = join(folder, "left");
  try {
    const stdout = await new Promise<string>((resolve, reject) => {
      execFile(
        "unshare",
        [...UNSHARE, python, join(import.meta.dirname, "loopback.py"), report, ...command],
        { env: { PATH: process.env["PATH"], HOME: folder } },
        (error, out, said) => (error ? reject(new Error(`${error.message}${said}${out}`)) : resolve(out)),
      );
    });
    return { stdout, left: Number(readFileSync(report, "utf8")) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test.runIf(canIsolate)(
  "the count sees a connection, and a look-up of a name, that would leave",
  async () => {
    const attempt = async (code: string) => (await isolated(python, "-c", `import socket\ntry:\n  ${code}\nexcept OSError: pass`)).left;
    expect(await attempt("socket.create_connection(('192.0.2.1', 443), timeout=1)")).toBeGreaterThan(0);
    expect(await attempt("socket.getaddrinfo('omics.us-east-1.amazonaws.com', 443)")).toBeGreaterThan(0);
    expect(await attempt("socket.create_connection(('127.0.0.1', 9), timeout=1)")).toBe(0);
  },
  PATIENCE_MS,
);

test.runIf(canIsolate)(
  "nothing leaves loopback: the SDK, a function, a build, a state machine and a run",
  async () => {
    const { stdout, left } = await isolated(process.execPath, "--no-warnings", join(import.meta.dirname, "loopback-work.ts"));
    expect(JSON.parse(stdout)).toEqual({ function: "0", build: "> 0", machine: "SUCCEEDED", run: "COMPLETED" });
    expect(left).toBe(0);
  },
  PATIENCE_MS,
);
