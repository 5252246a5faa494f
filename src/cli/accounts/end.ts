import { join } from "node:path";
import { type ChildRecord, openChildren } from "../../local/children/children.ts";
import { openDatabase } from "../../local/storage/database.ts";
import { lockDataDir } from "../../local/storage/lock.ts";
import { type Cli, Problem } from "../cli.ts";
import { clearDataDir, findRunning, forgetRunning, type Running, startTimeOf } from "./data-dir.ts";

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
  throw new Problem(`process ${running.pid} did not end within ${PATIENCE_MS / 1000} s`, `look at its log, then end it with: kill -9 ${running.pid} (no state is lost)`);
}

/** Stops the accounts, ends every child they left, and deletes their state. */
export async function resetAccounts(cli: Cli, dataDir: string): Promise<Running | undefined> {
  const stopped = await stopAccounts(cli, dataDir);
  const lock = lockDataDir(dataDir);
  const database = openDatabase(join(dataDir, "state.sqlite"));
  const children = openChildren(database, cli.clock);
  const left = database.collection<ChildRecord>("children").list([]).map(({ value }) => value);
  await Promise.all(left.map((record) => children.end(record)));
  database.close();
  lock.release();
  clearDataDir(dataDir);
  return stopped;
}
