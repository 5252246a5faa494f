import { join } from "node:path";
import type { Clock } from "../../kit/clock.ts";
import { openDatabase } from "../storage/database.ts";
import { lockDataDir } from "../storage/lock.ts";
import { type ChildRecord, openChildren } from "./children.ts";

/**
 * Ends every child that local accounts left when they stopped or were killed: after it nothing writes into the folder.
 * @param graceMs how long a child may take to end by itself, 5 s unless told
 * @throws an Error that says what to do when the accounts of the folder run
 */
export async function endLeftChildren(dataDir: string, clock: Clock, graceMs?: number): Promise<void> {
  const lock = lockDataDir(dataDir);
  const database = openDatabase(join(dataDir, "state.sqlite"));
  try {
    const children = openChildren(database, clock);
    const left = database.collection<ChildRecord>("children").list([]).map(({ value }) => value);
    await Promise.all(left.map((record) => children.end(record, graceMs)));
  } finally {
    database.close();
    lock.release();
  }
}
