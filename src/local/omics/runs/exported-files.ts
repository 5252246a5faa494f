import { existsSync, readdirSync, realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";
import { RunFailure } from "./run-failure.ts";

/** An output: where it goes below the outputs, and the file whose bytes it has. */
export interface ExportedFile {
  readonly key: string;
  readonly file: string;
}

/**
 * The files below a folder, links to files and folders followed: engines link outputs instead of copying them.
 * @param root the run's folder. A task can make a link to anything; what lies beyond this folder is nobody's output
 * @throws RunFailure EXPORT_FAILED for a link that leads out of it, to nothing, or to a folder that it lies in
 */
export function exportedFiles(folder: string, root: string): readonly ExportedFile[] {
  return existsSync(folder) ? below(folder, { root: realpathSync(root), key: "", within: [] }) : [];
}

interface Place {
  readonly root: string;
  readonly key: string;
  /** The folders that were passed on the way, links followed. */
  readonly within: readonly string[];
}

function below(path: string, { root, key, within }: Place): readonly ExportedFile[] {
  const file = realOf(path, key);
  if (!file.startsWith(root + sep)) throw noExport(key, "is a link out of the run's folder");
  if (within.includes(file)) throw noExport(key, "is a link to a folder that it lies in");
  const kind = statSync(file);
  if (kind.isDirectory())
    return readdirSync(file)
      .sort()
      .flatMap((name) => below(join(file, name), { root, key: key === "" ? name : `${key}/${name}`, within: [...within, file] }));
  if (!kind.isFile()) throw noExport(key, "is neither a file nor a folder");
  return [{ key, file }];
}

function realOf(path: string, key: string): string {
  try {
    return realpathSync(path);
  } catch {
    throw noExport(key, "is a link to nothing");
  }
}

const noExport = (key: string, why: string): RunFailure => new RunFailure("EXPORT_FAILED", `The output ${key} ${why}`);
