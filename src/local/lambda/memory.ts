import { readFileSync } from "node:fs";

/**
 * MB of memory that a process has for itself; undefined where the machine does not tell. Mapped files (the program, shared libraries)
 * are left out: on Lambda they are not the function's either.
 */
export function memoryOf(pid: number): number | undefined {
  try {
    const kilobytes = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1_024;
  } catch {
    return undefined;
  }
}
