import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Engine, findEngine } from "../../engines/launch.ts";
import { runFolder, type RunFolder } from "../../engines/run-folder.ts";
import type { Omics } from "../omics.ts";
import type { Run } from "../store.ts";

/** Everything a run has on disk, until it has ended. */
export interface RunFolders {
  readonly root: string;
  /** What the engine and we say to each other. */
  readonly engine: RunFolder;
  /** The unpacked definition: `/mnt/workflow` inside containers. */
  readonly definition: string;
  /** Input files, read-only. */
  readonly inputs: string;
}

export function foldersOf({ core }: Pick<Omics, "core">, { uuid }: Pick<Run, "uuid">): RunFolders {
  const root = join(core.dataDir, "work", "omics", uuid);
  return { root, engine: runFolder(join(root, "engine")), definition: join(root, "definition"), inputs: join(root, "inputs") };
}

/** Places inside the definition where a container's own files are mounted: nothing can be made in a read-only mount. */
export function makeMountPoints({ definition }: RunFolders, uuid: string): void {
  const inside = join(definition, uuid, "workdir");
  mkdirSync(join(inside, "work"), { recursive: true });
  for (const file of ["stdout.txt", "stderr.txt", "command"]) writeFileSync(join(inside, file), "");
}

/** The child owner of a run. */
export const ownerOf = ({ place, id }: Pick<Run, "place" | "id">): string => `omics/run/${place.account}/${place.region}/${id}`;

/** The engine of a run that was begun, perhaps by a process that is no more. */
export const engineOf = (omics: Pick<Omics, "core" | "engines">, run: Run): Engine =>
  findEngine(ownerOf(run), foldersOf(omics, run).engine, omics.engines);
