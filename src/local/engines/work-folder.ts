import { mkdirSync, mkdtempSync } from "node:fs";
import { join } from "node:path";
import type { EngineHost } from "./launch.ts";

/** A new folder for something short, in the data folder: what a kill leaves of it goes with that, and never lies elsewhere. */
export function workFolder({ dataDir }: Pick<EngineHost, "dataDir">, prefix: string): string {
  const parent = join(dataDir, "work");
  mkdirSync(parent, { recursive: true });
  return mkdtempSync(join(parent, prefix));
}
