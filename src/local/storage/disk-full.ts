import { statfsSync } from "node:fs";
import { dirname } from "node:path";

// https://www.sqlite.org/rescode.html#full
const SQLITE_FULL = 13;

/** Bytes that objects leave free, so that documents can still be written: whoever is out of space must be able to delete. */
export const RESERVE_BYTES = 8 * 1024 * 1024;

/** There is no room on the disk of the local accounts. */
export class DiskFull extends Error {
  override readonly name = "DiskFull";
  readonly code = "ENOSPC";
}

/** Whether the disk of a file, which need not be there yet, takes so many bytes more and keeps its reserve. */
export function hasRoomFor(file: string, bytes: number): boolean {
  const { bavail, bsize } = statfsSync(dirname(file));
  return bavail * bsize - bytes >= RESERVE_BYTES;
}

/** Whether something failed because the disk has no room: by the file system's word or by SQLite's. */
export function isDiskFull(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown };
  return code === "ENOSPC" || code === "EDQUOT" || (code === "ERR_SQLITE_ERROR" && errcode === SQLITE_FULL);
}
