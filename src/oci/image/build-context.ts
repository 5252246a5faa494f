import { readdir, readlink, realpath, stat } from "node:fs/promises";
import { join, posix, relative, resolve, sep } from "node:path";
import type { ArchiveEntry } from "./archive.ts";
import { readDockerignore } from "./dockerignore.ts";
import type { Ignored } from "./dockerignore.ts";
import { fileBytes } from "./file-bytes.ts";
import { globPattern, isGlob } from "./glob.ts";
import type { LayerEntry } from "./tar-writer.ts";

/** What one source of a COPY stands for: a file, or a folder with everything below it. */
export interface CopySource {
  /** The last part of its name. */
  readonly name: string;
  readonly isFolder: boolean;
  /** Paths relative to the folder; a file is one entry with an empty path. */
  readonly entries: readonly LayerEntry[];
  /** What is in the file, where ADD unpacks it. */
  readonly archive?: readonly ArchiveEntry[];
}

/** A source that does not exist, or one outside of what may be copied. */
export class SourceMissing extends Error {
  override readonly name = "SourceMissing";
}

/** What Git keeps for itself is another in every clone; BuildKit leaves it out of a repository that it fetches (BUILDKIT_CONTEXT_KEEP_GIT_DIR). */
const isGits = (path: string): boolean => path.split("/").includes(".git");

/** The files that a build may copy: a folder without what `.dockerignore` names, and without `.git`. */
export class BuildContext {
  readonly #folder: string;
  readonly #ignored: Ignored;

  private constructor(folder: string, ignored: Ignored) {
    this.#folder = folder;
    this.#ignored = ignored;
  }

  /**
   * @param dockerfile relative to the folder: `<dockerfile>.dockerignore` goes before `.dockerignore`
   * @throws DockerfileError for a pattern there that is not whole
   */
  static async open(folder: string, dockerfile: string): Promise<BuildContext> {
    const { ignores } = await readDockerignore(folder, dockerfile);
    return new BuildContext(await realpath(folder), (path) => isGits(path) || ignores(path));
  }

  /** What a source of a COPY or ADD stands for; nothing where it is a pattern that no file fits. @throws SourceMissing, BadPattern */
  async find(source: string): Promise<readonly CopySource[]> {
    const path = posix.normalize(`/${source}`).replace(/^\/+|\/+$/g, "");
    if (!isGlob(path)) return [await this.#read(path, source)];
    const matches = globPattern(path);
    const all = await this.#walk("");
    const found = all.filter((entry) => matches.test(entry.path)).map((entry) => entry.path);
    return Promise.all(found.toSorted().map((one) => this.#read(one, source)));
  }

  /** Where a file of the context lies on this machine. */
  pathOf(source: string): string {
    return join(this.#folder, posix.normalize(`/${source}`));
  }

  async #read(path: string, source: string): Promise<CopySource> {
    const real = await realpath(join(this.#folder, path)).catch(() => undefined);
    if (real === undefined) throw new SourceMissing(`${source} is not in the build context`);
    // A link that leads out of the context would put files of the machine into the image.
    if (real !== this.#folder && !real.startsWith(`${this.#folder}${sep}`))
      throw new SourceMissing(`${source} leads out of the build context`);
    const inside = relative(this.#folder, real).split(sep).join("/");
    if (inside !== "" && this.#ignored(inside))
      throw new SourceMissing(
        isGits(inside) ? `${source} is Git's own folder, which is no part of a source` : `${source} is left out by .dockerignore`,
      );
    const about = await stat(real);
    const name = posix.basename(path);
    if (about.isDirectory()) return { name, isFolder: true, entries: await this.#walk(inside) };
    return { name, isFolder: false, entries: [fileEntry("", real, about)] };
  }

  /** Everything below a folder, paths relative to it. */
  async #walk(folder: string, below = ""): Promise<readonly LayerEntry[]> {
    const entries: LayerEntry[] = [];
    for (const item of await readdir(join(this.#folder, folder, below), { withFileTypes: true })) {
      const path = below === "" ? item.name : `${below}/${item.name}`;
      const full = join(this.#folder, folder, path);
      const isLeftOut = this.#ignored(folder === "" ? path : `${folder}/${path}`);
      if (item.isDirectory()) {
        const inner = await this.#walk(folder, path);
        // A folder that is left out stays where a `!` took something in it back.
        if (!isLeftOut || inner.length > 0) entries.push({ kind: "directory", path, mode: 0o755 }, ...inner);
      } else if (isLeftOut) continue;
      else if (item.isSymbolicLink()) entries.push({ kind: "symlink", path, mode: 0o777, linkTarget: await readlink(full) });
      else if (item.isFile()) entries.push(fileEntry(path, full, await stat(full)));
    }
    return entries;
  }
}

/** Git keeps of a file's mode whether it is executable; the rest is the umask of whoever checked it out. */
function fileEntry(path: string, file: string, { mode, size }: { readonly mode: number; readonly size: number }): LayerEntry {
  return {
    kind: "file",
    path,
    mode: (mode & 0o111) === 0 ? 0o644 : 0o755,
    sizeBytes: size,
    open: () => fileBytes(resolve(file), size),
  };
}
