import { existsSync, statSync } from "node:fs";
import { relative, resolve, sep } from "node:path";

import { definitionRoot } from "./definition-root.ts";
import { openFolder } from "./folder-tree.ts";
import type { SourceTree } from "./source-tree.ts";
import { openZip } from "./zip-tree.ts";

/** A definition as a person names it. */
export interface Definition {
  readonly tree: SourceTree;
  /** The main file, where the path was that of one; relative to the root of the tree. */
  readonly main?: string;
}

/**
 * The definition at a path: a folder, a ZIP, or a main file (a CWL one may carry `#id`). The tree of a main file is the
 * Git repository it is in, or else the nearest folder that holds what it imports.
 * @throws BadArchive for an archive that is not read
 * @throws the file system's error when nothing is there
 */
export async function openDefinition(path: string): Promise<Definition> {
  const [file = "", id] = existsSync(path) ? [path] : path.split(/(?=#)/);
  if (statSync(file).isDirectory()) return { tree: openFolder(file) };
  if (/\.zip$/i.test(file)) return { tree: await openZip(file) };
  const root = definitionRoot(file);
  return { tree: openFolder(root), main: relative(root, resolve(file)).split(sep).join("/") + (id ?? "") };
}
