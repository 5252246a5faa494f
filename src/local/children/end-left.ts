import { join } from "node:path";
import type { Clock } from "../../kit/clock.ts";
import { openDatabase } from "../storage/database.ts";
import { lockDataDir } from "../storage/lock.ts";
import { type ChildRecord, type Children, openChildren } from "./children.ts";

/**
 * Ends every child that local accounts left when they stopped or were killed: after it nothing writes into the folder.
 * @param graceMs how long a child may take to end by itself, 5 s unless told
 * @throws an Error that says what to do when the accounts of the folder run
 */
export const endLeftChildren = (dataDir: string, clock: Clock, graceMs?: number): Promise<void> =>
  withLeft(dataDir, clock, async (children, left) => {
    await Promise.all(left.map((record) => children.end(record, graceMs)));
  });

/** What the next start takes up: builds, engines and their tasks. Whoever asked a function or a command is no more. */
const TAKEN_UP = ["build", "engine", "task"];

/**
 * Ends what local accounts left and nobody can take up.
 * @returns what goes on until the next start takes it up
 * @throws an Error that says what to do when the accounts of the folder run
 */
export const endLostChildren = (dataDir: string, clock: Clock): Promise<readonly ChildRecord[]> =>
  withLeft(dataDir, clock, async (children, left) => {
    await Promise.all(left.filter(({ kind }) => !TAKEN_UP.includes(kind)).map((record) => children.end(record, 0)));
    return left.filter((record) => TAKEN_UP.includes(record.kind) && (record.container !== undefined || children.isAlive(record)));
  });

async function withLeft<Result>(
  dataDir: string,
  clock: Clock,
  work: (children: Children, left: readonly ChildRecord[]) => Promise<Result>,
): Promise<Result> {
  const lock = lockDataDir(dataDir);
  const database = openDatabase(join(dataDir, "state.sqlite"));
  try {
    const left = database.collection<ChildRecord>("children").list([]);
    return await work(
      openChildren(database, clock),
      left.map(({ value }) => value),
    );
  } finally {
    database.close();
    lock.release();
  }
}
