import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type Cli, Problem } from "../cli.ts";
import { findRunning, logFile, type Running } from "./data-dir.ts";

/** How long a start may take: recovery of a large state included. */
const PATIENCE_MS = 60_000;

/**
 * Starts the local accounts as a process of its own and waits until they answer. Its log goes to `local.log` in the data folder.
 * @param args of `omx local start`, without `--detach`
 * @throws Problem with what the process said when it ends instead
 */
export async function startDetached(cli: Cli, dataDir: string, args: readonly string[]): Promise<Running> {
  const folder = resolve(dataDir);
  mkdirSync(folder, { recursive: true });
  const file = logFile(folder);
  const log = openSync(file, "a");
  const from = statSync(file).size;
  const child = spawn(process.execPath, ["--no-warnings", mainFile(), "local", "start", ...args], {
    detached: true,
    cwd: folder,
    stdio: ["ignore", log, log],
    env: { ...cli.settings.inherited },
  });
  closeSync(log);
  let ended: string | undefined;
  child.once("exit", (code, signal) => (ended = signal ?? `exit code ${code}`));
  child.once("error", (error) => (ended = error.message));
  child.unref();
  for (let waited = 0; waited < PATIENCE_MS; waited += 25) {
    const running = findRunning(folder);
    if (running && running.pid === child.pid) return running;
    if (ended !== undefined) throw new Problem(`the local accounts did not start (${ended}): ${said(file, from)}`, `the log is ${file}`);
    await cli.clock.sleep(25);
  }
  child.kill();
  throw new Problem(`the local accounts did not answer within ${PATIENCE_MS / 1000} s: ${said(file, from)}`, `the log is ${file}`);
}

/** The lines of the log that this start has written, without marks of their own. */
const said = (file: string, from: number): string =>
  readFileSync(file).subarray(from).toString("utf8").trim().replace(/^✗ /, "") || "it said nothing";

/** The program's main file: TypeScript where we run from the sources. */
const mainFile = (): string => join(fileURLToPath(new URL("..", import.meta.url)), import.meta.url.endsWith(".ts") ? "main.ts" : "main.js");
