import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/**
 * Takes a data folder for this process; the kernel gives it back when the process dies, however it dies.
 * @throws an Error that says what to do when another process holds it
 */
export function lockDataDir(dataDir: string): { release(): void } {
  const lock = new DatabaseSync(join(dataDir, "lock.sqlite"));
  try {
    lock.exec("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
  } catch {
    lock.close();
    throw new Error(
      `${dataDir} is in use by another \`omx local start\`: stop it with \`omx local stop\`, or choose another folder with --data`,
    );
  }
  return { release: () => lock.close() };
}
