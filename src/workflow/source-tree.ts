/**
 * The files of a workflow repository or archive: what readers read, wherever the bytes lie.
 * Paths are relative, use `/`, and never leave the root: a `..` that would is "not there".
 */
export interface SourceTree {
  /** Every file, sorted; links that leave the tree and the `.git` folder are not among them. */
  readonly files: readonly string[];
  /** Whether the file is there. */
  has(path: string): boolean;
  /** Size in bytes, or undefined when the file is not there. */
  size(path: string): number | undefined;
  /** The text (UTF-8, a byte order mark removed), or undefined when it is not there, is not text or is over the tree's size limit. */
  text(path: string): string | undefined;
}

/** `target` as written in `from` (a file of the tree), as a path of the tree; undefined when it leaves the root. */
export function resolveInTree(from: string, target: string): string | undefined {
  const parts = target.startsWith("/") ? [] : from.split("/").slice(0, -1);
  for (const part of target.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join("/");
}

/** A tree of texts in memory: for tests and for definitions that are generated. */
export function memoryTree(texts: Readonly<Record<string, string>>): SourceTree {
  const files = Object.keys(texts).sort();
  return {
    files,
    has: (path) => Object.hasOwn(texts, path),
    size: (path) => (Object.hasOwn(texts, path) ? Buffer.byteLength(texts[path] ?? "") : undefined),
    text: (path) => (Object.hasOwn(texts, path) ? texts[path] : undefined),
  };
}
