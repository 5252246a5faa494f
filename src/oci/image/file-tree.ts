import { posix } from "node:path";
import type { LayerEntry } from "./tar-writer.ts";

/** What lies at a path of an image, as far as building on it needs to know. */
export type TreeNode = TreeFile | TreeDirectory | TreeLink;

/** A file, also a device or a pipe. */
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
    else this.#nodes.set(entry.path, { kind: entry.kind === "directory" ? "directory" : "file", entry });
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
   * not exist stay as they are. Links never lead out of the image, nor out of `root`, a folder that path and links are
   * seen from.
   */
  resolve(path: string, { keepLast = false, root = "" }: { readonly keepLast?: boolean; readonly root?: string } = {}): string {
    let resolved: readonly string[] = [];
    let rest = partsOf(posix.normalize(`/${path}`));
    const full = (parts: readonly string[]): string => [...partsOf(root), ...parts].join("/");
    for (let links = 0; rest.length > 0;) {
      const [part = "", ...after] = rest;
      const node = part === ".." ? undefined : this.#nodes.get(full([...resolved, part]));
      if (node?.kind !== "symlink" || (keepLast && after.length === 0) || (links += 1) > MOST_LINKS) {
        resolved = part === ".." ? resolved.slice(0, -1) : [...resolved, part];
        rest = after;
        continue;
      }
      if (node.linkTarget.startsWith("/")) resolved = [];
      rest = [...partsOf(node.linkTarget), ...after];
    }
    return full(resolved);
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

/** Where `..` leads only the walk can tell: the part before it may be a link. */
const partsOf = (path: string): readonly string[] => path.split("/").filter((part) => part !== "" && part !== ".");
