import type { ChildRecord } from "../../local/children/children.ts";
import { endLeftChildren, endLostChildren } from "../../local/children/end-left.ts";
import { type Cli, Problem } from "../cli.ts";
import { clearDataDir, findRunning, forgetRunning, hasState, type Running, startTimeOf } from "./data-dir.ts";

const PATIENCE_MS = 30_000;

/** Ends the accounts of a folder and waits until the process is gone. @returns what ran, if anything did */
export async function stopAccounts(cli: Cli, dataDir: string): Promise<Running | undefined> {
  const running = findRunning(dataDir);
  if (!running) return undefined;
  process.kill(running.pid, "SIGTERM");
  for (let waited = 0; waited < PATIENCE_MS; waited += 25) {
    if (startTimeOf(running.pid) !== running.startedAt) {
      forgetRunning(dataDir);
      return running;
    }
    await cli.clock.sleep(25);
  }
  throw new Problem(
    `process ${running.pid} did not end within ${PATIENCE_MS / 1000} s`,
    `look at its log, then end it with: kill -9 ${running.pid} (no state is lost)`,
  );
}

/**
 * Ends what accounts that stopped, or were killed, left at work and nobody can take up; with `all` everything.
 * @returns what goes on until the next start takes it up
 */
export async function endLeft(cli: Cli, dataDir: string, all: boolean): Promise<readonly ChildRecord[]> {
  if (!hasState(dataDir)) return [];
  if (!all) return endLostChildren(dataDir, cli.clock);
  await endLeftChildren(dataDir, cli.clock);
  return [];
}

/** Stops the accounts, ends every child they left, and deletes their state. */
export async function resetAccounts(cli: Cli, dataDir: string): Promise<Running | undefined> {
  const stopped = await stopAccounts(cli, dataDir);
  await endLeftChildren(dataDir, cli.clock);
  clearDataDir(dataDir);
  return stopped;
}
