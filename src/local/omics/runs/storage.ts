import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Omics } from "../omics.ts";
import { usableBytes } from "../storage-sizes.ts";
import type { Run, Verdict } from "../store.ts";
import { changeRun, keyOf } from "./find.ts";
import { engineOf, foldersOf } from "./folders.ts";

const LOOK_MS = 5000;
/** Looking takes one part in so many of the time: a run may have a hundred thousand files. */
const PAUSES = 20;

/** Bytes of a run's files: definition, inputs, work and outputs, links not followed. A sparse file counts whole. */
export const usedBytes = (omics: Omics, run: Run): Promise<number> => sizeOf(foldersOf(omics, run).root);

async function sizeOf(folder: string): Promise<number> {
  let total = 0;
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    // Files come and go while a run works.
    if (entry.isDirectory()) total += await sizeOf(path);
    else if (entry.isFile()) total += (await lstat(path).catch(() => undefined))?.size ?? 0;
  }
  return total;
}

/** Bytes that a run may have: what it asked for when its storage is static. */
export const roomOf = ({ quotas }: Pick<Omics, "quotas">, { storageType, storageCapacity = 0 }: Run): number =>
  storageType === "STATIC" ? usableBytes(storageCapacity, quotas.bytesOfStorageGib) : Number.POSITIVE_INFINITY;

/** The verdict on a run with static storage that has more bytes than it asked room for; undefined for any other. */
export function overStorage(omics: Pick<Omics, "quotas">, run: Run, bytes: number): Verdict | undefined {
  if (bytes <= roomOf(omics, run)) return undefined;
  return {
    status: "FAILED",
    reason: "FILE_SYSTEM_OUT_OF_SPACE",
    message: `The run's file system is full: it has ${run.storageCapacity} GiB of static storage`,
  };
}

/** Ends a run with static storage as soon as its files are more than it asked room for. */
export async function watchStorage(omics: Omics, run: Run, signal: AbortSignal): Promise<void> {
  if (run.storageType !== "STATIC") return;
  const { clock } = omics.core;
  for (let pauseMs = LOOK_MS; !signal.aborted;) {
    await clock.sleep(pauseMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    const fromMs = clock.now().getTime();
    const verdict = overStorage(omics, run, await usedBytes(omics, run));
    pauseMs = Math.max(LOOK_MS, (clock.now().getTime() - fromMs) * PAUSES);
    if (verdict === undefined || signal.aborted) continue;
    changeRun(omics, keyOf(run), { verdict });
    await engineOf(omics, run).cancel();
    return;
  }
}
