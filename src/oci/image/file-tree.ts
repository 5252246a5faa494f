import { posix } from "node:path";
import type { LayerEntry } from "./tar-writer.ts";

/** What lies at a path of an image, as far as building on it needs to know. */
export type TreeNode = TreeFile | TreeDirectory | TreeLink;

export interface TreeFile {
  readonly kind: "file";
  readonly entry: LayerEntry;
}

export interface TreeDirectory {
  readonly kind: "directory";
  /** Absent for a directory that only its content implies. */
  readonly entry?: LayerEntry;
}

export interface TreeLink {
  readonly kind: "symlink";
  readonly entry: LayerEntry;
  readonly linkTarget: string;
}

/** The files of an image after some layers, by path without a slash in front. */
export class FileTree {
  readonly #nodes = new Map<string, TreeNode>();

  /** What lies at the path itself, links not followed. */
  at(path: string): TreeNode | undefined {
    return path === "" ? { kind: "directory" } : this.#nodes.get(path);
  }

  /** Puts an entry over what was there. A directory over a directory keeps its content, everything else replaces it. */
  put(entry: LayerEntry): void {
    this.#makeParents(entry.path);
    const before = this.#nodes.get(entry.path);
    if (before?.kind === "directory" && entry.kind !== "directory") this.remove(entry.path);
    if (entry.kind === "symlink") this.#nodes.set(entry.path, { kind: "symlink", entry, linkTarget: entry.linkTarget });
    else this.#nodes.set(entry.path, { kind: entry.kind, entry });
  }

  /** Takes away what lies at the path and below it. */
  remove(path: string): void {
    this.#nodes.delete(path);
    this.clear(path);
  }

  /** Takes away what lies below the path. */
  clear(path: string): void {
    for (const key of this.#nodes.keys()) if (key.startsWith(`${path}/`)) this.#nodes.delete(key);
  }

  /** Everything below a path, sorted, by its path from there. */
  below(path: string): readonly (readonly [string, TreeNode])[] {
    const start = path === "" ? "" : `${path}/`;
    const found = [...this.#nodes].filter(([key]) => key.startsWith(start)).map(([key, node]) => [key.slice(start.length), node] as const);
    return found.toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  /**
   * The path with every link on the way replaced by where it leads; the last part too unless `keepLast`. Parts that do
   * not exist stay as they are. Links never lead out of the image.
   */
  resolve(path: string, keepLast = false): string {
    let resolved = "";
    let rest = partsOf(path);
    for (let links = 0; rest.length > 0;) {
      const [part = "", ...after] = rest;
      const next = resolved === "" ? part : `${resolved}/${part}`;
      const node = this.#nodes.get(next);
      if (node?.kind !== "symlink" || (keepLast && after.length === 0) || (links += 1) > MOST_LINKS) {
        resolved = next;
        rest = after;
        continue;
      }
      const target = node.linkTarget.startsWith("/") ? node.linkTarget : `${resolved}/${node.linkTarget}`;
      resolved = "";
      rest = [...partsOf(target), ...after];
    }
    return resolved;
  }

  /** A copy that changes on its own. */
  copy(): FileTree {
    const copy = new FileTree();
    for (const [path, node] of this.#nodes) copy.#nodes.set(path, node);
    return copy;
  }

  #makeParents(path: string): void {
    for (let parent = posix.dirname(path); parent !== "." && !this.#nodes.has(parent); parent = posix.dirname(parent))
      this.#nodes.set(parent, { kind: "directory" });
  }
}

const MOST_LINKS = 40;

/** The parts of a path after `.` and `..` are worked out; the root is above everything. */
const partsOf = (path: string): readonly string[] =>
  posix
    .normalize(`/${path}`)
    .split("/")
    .filter((part) => part !== "");
