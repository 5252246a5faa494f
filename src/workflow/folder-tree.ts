import { readdirSync, readFileSync, realpathSync, statSync, type Dirent } from "node:fs";
import { join, sep } from "node:path";

import { resolveInTree, type SourceTree } from "./source-tree.ts";
import { keepTexts, MAX_TEXT_BYTES, textOf } from "./tree-text.ts";

/** Limits of a folder that is read. */
export interface FolderLimits {
  /** A larger file has no text. @default 8 MiB */
  readonly maxTextBytes?: number;
  /** How many files are listed at most; the rest is as if it were not there. @default 200,000 */
  readonly maxFiles?: number;
}

const KEPT_CHARACTERS = 64 * 1024 * 1024;

/**
 * The files of a folder, read when they are asked for. Links are followed while they stay inside;
 * a link to a folder is not listed (its target is), and what is no regular file is not there.
 * @throws the file system's error when `folder` is not there
 */
export function openFolder(folder: string, { maxTextBytes = MAX_TEXT_BYTES, maxFiles = 200_000 }: FolderLimits = {}): SourceTree {
  const root = realpathSync(folder);
  const sizes = new Map<string, number | undefined>();
  const size = (path: string): number | undefined => {
    if (!sizes.has(path)) sizes.set(path, sizeWithin(root, path));
    return sizes.get(path);
  };
  const text = keepTexts((path) => {
    const bytes = size(path);
    return bytes === undefined || bytes > maxTextBytes ? undefined : textOf(readFileSync(join(root, path)));
  }, KEPT_CHARACTERS);
  let listed: readonly string[] | undefined;
  return {
    get files() {
      listed ??= listFiles(root, maxFiles);
      return listed;
    },
    has: (path) => size(path) !== undefined,
    size,
    text,
  };
}

/** The size of a regular file whose real place is below `root`; undefined for anything else. */
function sizeWithin(root: string, path: string): number | undefined {
  const inside = resolveInTree("", path);
  if (inside === undefined || path.includes("\0") || inside.split("/").includes(".git")) return undefined;
  try {
    const real = realpathSync.native(join(root, inside));
    if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) return undefined;
    const found = statSync(real);
    return found.isFile() ? found.size : undefined;
  } catch {
    return undefined;
  }
}

function listFiles(root: string, maxFiles: number): readonly string[] {
  const files: string[] = [];
  const folders = [""];
  for (let folder = folders.shift(); folder !== undefined && files.length < maxFiles; folder = folders.shift()) {
    for (const entry of entriesOf(join(root, folder))) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
      if (entry.name === ".git") continue;
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile() || (entry.isSymbolicLink() && sizeWithin(root, path) !== undefined)) files.push(path);
    }
  }
  return files.slice(0, maxFiles).sort();
}

/** A folder that may not be read is an empty one. */
function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}
