import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { readElf } from "./elf.ts";
import type { Elf } from "./elf.ts";
import type { HostFiles } from "./host-files.ts";

/** Finds shared libraries as the dynamic loader does, and takes them into the image. */
export class HostLibraries {
  readonly #files: HostFiles;
  readonly #seen = new Set<string>();
  #folders: Promise<readonly string[]> | undefined;

  constructor(files: HostFiles) {
    this.#files = files;
  }

  /**
   * Takes in the libraries that a program or library needs, theirs too, and the dynamic loader.
   * @returns the names that were not found
   */
  async addFor(file: string): Promise<readonly string[]> {
    if (this.#seen.has(file)) return [];
    this.#seen.add(file);
    const elf = await readElf(file);
    if (elf === undefined) return [];
    if (elf.interpreter !== undefined) await this.#files.add(elf.interpreter);
    const missing = await Promise.all(elf.needed.map((name) => this.#addNamed(name, file, elf)));
    return missing.flat();
  }

  /** Takes in a library by name where the machine has it: one that programs load only when they need it. */
  async addOptional(name: string, like: string): Promise<void> {
    const elf = await readElf(like);
    if (elf) await this.#addNamed(name, like, elf);
  }

  async #addNamed(name: string, user: string, elf: Elf): Promise<readonly string[]> {
    const found = await this.#find(name, user, elf);
    if (found === undefined) return [name];
    const real = await this.#files.add(found);
    return real === undefined ? [name] : this.addFor(real);
  }

  async #find(name: string, user: string, elf: Elf): Promise<string | undefined> {
    if (name.includes("/")) return name;
    const own = elf.searchPath.map((folder) => folder.replace(/\$\{?ORIGIN\}?/g, dirname(user)));
    this.#folders ??= systemFolders();
    for (const folder of [...own, ...(await this.#folders)]) {
      const candidate = join(folder, name);
      const other = await readElf(candidate).catch(() => undefined);
      if (other?.bits === elf.bits && other.machine === elf.machine) return candidate;
    }
    return undefined;
  }
}

/** glibc's ld.so.conf and, after it, the folders that glibc and musl look in by themselves. */
async function systemFolders(): Promise<readonly string[]> {
  const configured = await foldersIn("/etc/ld.so.conf");
  return [...configured, "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"];
}

async function foldersIn(file: string): Promise<readonly string[]> {
  const text = await readFile(file, "utf8").catch(() => "");
  const lines = text
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim())
    .filter((line) => line !== "");
  const folders = await Promise.all(
    lines.map(async (line) => {
      const pattern = /^include\s+(.+)$/.exec(line)?.[1];
      return pattern === undefined ? [line] : foldersOfIncluded(pattern);
    }),
  );
  return folders.flat();
}

/** `include /etc/ld.so.conf.d/*.conf`, the one form that is in use. */
async function foldersOfIncluded(pattern: string): Promise<readonly string[]> {
  const folder = dirname(pattern);
  const ending = pattern.slice(pattern.lastIndexOf("*") + 1);
  const names = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(ending)).toSorted();
  return (await Promise.all(names.map((name) => foldersIn(join(folder, name))))).flat();
}
