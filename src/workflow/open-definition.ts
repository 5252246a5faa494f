import { existsSync, statSync } from "node:fs";
import { relative, resolve, sep } from "node:path";

import { definitionRoot } from "./definition-root.ts";
import { openFolder } from "./folder-tree.ts";
import type { Diagnostic } from "./inspection.ts";
import { memoryTree, type SourceTree } from "./source-tree.ts";
import { BadArchive, openZip } from "./zip-tree.ts";

/** A definition as a person names it. */
export interface Definition {
  readonly tree: SourceTree;
  /** The main file, where the path was that of one; relative to the root of the tree. */
  readonly main?: string;
  /** Why there is nothing in the tree: the archive is damaged, made to do harm, or over a limit. */
  readonly problem?: Diagnostic;
}

/**
 * The definition at a path: a folder, a ZIP, or a main file (a CWL one may carry `#id`). The tree of a main file is the
 * Git repository it is in, or else the nearest folder that holds what it imports.
 * @throws the file system's error when nothing is there
 */
export async function openDefinition(path: string): Promise<Definition> {
  const [file = "", id] = existsSync(path) ? [path] : path.split(/(?=#)/);
  if (statSync(file).isDirectory()) return { tree: openFolder(file) };
  if (/\.zip$/i.test(file)) return openArchive(file);
  const root = definitionRoot(file);
  return { tree: openFolder(root), main: relative(root, resolve(file)).split(sep).join("/") + (id ?? "") };
}

async function openArchive(file: string): Promise<Definition> {
  try {
    return { tree: await openZip(file) };
  } catch (error) {
    if (error instanceof BadArchive) return { tree: memoryTree({}), problem: unsound(error.message) };
    throw error;
  }
}

const unsound = (message: string): Diagnostic => ({ rule: "archive-unsound", severity: "error", file: "", line: 1, column: 1, message });
