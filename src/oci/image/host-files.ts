import { createReadStream } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { LayerEntry } from "./tar-writer.ts";

/** Files of this machine at their own paths, with every directory and symbolic link on the way to them. */
export class HostFiles {
  readonly #entries = new Map<string, LayerEntry>();

  /** All entries so far. */
  get entries(): readonly LayerEntry[] {
    return [...this.#entries.values()];
  }

  /** Puts an entry in, over one that is there. */
  put(entry: LayerEntry): void {
    this.#entries.set(entry.path, entry);
  }

  /**
   * Takes the file or directory in, and follows links as the machine does.
   * @returns where it really lies; undefined where it does not exist
   */
  async add(path: string): Promise<string | undefined> {
    const real = await this.#walk(path, 0);
    if (real === undefined) return undefined;
    const stat = await lstat(real);
    if (stat.isFile()) this.put(fileEntry(real, stat));
    return real;
  }

  /** Takes in everything below a directory that `wants` its relative path; links lead along as in `add`. */
  async addTree(folder: string, wants: (relative: string) => boolean, relative = ""): Promise<readonly string[]> {
    const added: string[] = [];
    for (const { name } of await readdir(join(folder, relative), { withFileTypes: true })) {
      const inner = relative === "" ? name : `${relative}/${name}`;
      if (!wants(inner)) continue;
      const real = await this.add(join(folder, inner));
      if (real === undefined) continue;
      if ((await lstat(real)).isDirectory()) added.push(...(await this.addTree(folder, wants, inner)));
      else added.push(real);
    }
    return added;
  }

  async #walk(path: string, links: number): Promise<string | undefined> {
    if (links > MOST_LINKS) return undefined;
    const parts = resolve("/", path)
      .split("/")
      .filter((part) => part !== "");
    let current = "/";
    for (const [index, part] of parts.entries()) {
      current = join(current, part);
      const stat = await lstat(current).catch(() => undefined);
      if (stat === undefined) return undefined;
      if (stat.isSymbolicLink()) {
        const linkTarget = await readlink(current);
        this.put({ kind: "symlink", path: current.slice(1), mode: 0o777, linkTarget });
        return this.#walk(join(resolve(dirname(current), linkTarget), ...parts.slice(index + 1)), links + 1);
      }
      if (stat.isDirectory() && !this.#entries.has(current.slice(1))) this.put({ kind: "directory", path: current.slice(1), mode: 0o755 });
    }
    return current;
  }
}

/** As in Linux (ELOOP). */
const MOST_LINKS = 40;

/** Modes are made one of two, and owners root: what differs between machines should not show. */
const fileEntry = (file: string, { size, mode }: { readonly size: number; readonly mode: number }): LayerEntry => ({
  kind: "file",
  path: file.slice(1),
  mode: (mode & 0o111) === 0 ? 0o644 : 0o755,
  sizeBytes: size,
  open: () => createReadStream(file, { highWaterMark: 256 * 1024 }),
});
