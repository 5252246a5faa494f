import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import type { EngineHost } from "./launch.ts";

/** Where short work of the engines lies: what is there at the start was left by a process that was killed. */
export const workFolders = ({ dataDir }: Pick<EngineHost, "dataDir">): string => join(dataDir, "work", "engines");

/** A new folder for something short, which whoever asks for it removes. */
export function workFolder(host: Pick<EngineHost, "dataDir">, prefix: string): string {
  const parent = workFolders(host);
  mkdirSync(parent, { recursive: true });
  return mkdtempSync(join(parent, prefix));
}
