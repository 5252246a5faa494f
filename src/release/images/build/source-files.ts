import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, readlink, realpath, stat } from "node:fs/promises";
import { join, posix, relative, sep } from "node:path";
import { readDockerignore } from "../../../oci/image/dockerignore.ts";
import { fileBytes } from "../../../oci/image/file-bytes.ts";
import { ReleaseError } from "../../errors.ts";
import type { BuildItem } from "../staging.ts";

/** A file or link of a source, by its path with slashes. */
export interface SourceFile {
  readonly path: string;
  readonly isExecutable: boolean;
  readonly sizeBytes: number;
  /** Of a symbolic link, where it leads as it is written. */
  readonly linkTarget?: string;
}

/** Everything in a source but Git's own folder, in one order whatever the file system's. @throws ReleaseError ProjectInvalid for a name that is not UTF-8 */
export async function listSource(folder: string): Promise<readonly SourceFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found = await Promise.all(
    entries.flatMap((entry) => {
      const file = join(entry.parentPath, entry.name);
      const path = relative(folder, file).split(sep).join("/");
      if (path.split("/").includes(".git") || !(entry.isFile() || entry.isSymbolicLink())) return [];
      // Node reads such a name, and finds no file of it.
      if (path.includes("\uFFFD") && !existsSync(file))
        throw new ReleaseError("ProjectInvalid", {
          says: `the name of ${path} in the source is not in UTF-8`,
          fix: "give the file a name in UTF-8",
          blame: "user",
        });
      return [
        entry.isSymbolicLink()
          ? readlink(file).then((linkTarget): SourceFile => ({ path, linkTarget, isExecutable: false, sizeBytes: 0 }))
          : stat(file).then(({ mode, size }): SourceFile => ({ path, isExecutable: (mode & 0o111) !== 0, sizeBytes: size })),
      ];
    }),
  );
  return found.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * What a build reads of a source: not what `.dockerignore` leaves out, but the Dockerfile and `.dockerignore` wherever they
 * are left out.
 * @throws DockerfileError for a pattern of `.dockerignore` that is not whole
 */
export async function usedFiles(folder: string, dockerfile: string): Promise<readonly SourceFile[]> {
  const { ignores, file } = await readDockerignore(folder, dockerfile);
  // The Dockerfile may be a link to another file.
  const behind = relative(await realpath(folder), await realpath(join(folder, dockerfile)).catch(() => folder));
  const always = new Set([posix.normalize(dockerfile), behind.split(sep).join("/"), file]);
  return (await listSource(folder)).filter(({ path }) => always.has(path) || !ignores(path));
}

/** Folders that a build may copy and that have nothing for it in them, in one order. */
export async function emptyFolders(folder: string, dockerfile: string): Promise<readonly string[]> {
  const { ignores } = await readDockerignore(folder, dockerfile);
  const filled = new Set((await usedFiles(folder, dockerfile)).flatMap(({ path }) => foldersAbove(path)));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const all = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"));
  return all.filter((path) => !path.split("/").includes(".git") && !filled.has(path) && !ignores(path)).sort();
}

/** `a/b/c` lies in `a` and `a/b`. */
export const foldersAbove = (path: string): readonly string[] => {
  const parts = path.split("/").slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join("/"));
};

/**
 * What an image is built from: the files with their paths and modes, the empty folders, and what the build was told. What `.dockerignore`
 * leaves out does not count, but the Dockerfile and `.dockerignore` do wherever they are left out.
 * @throws DockerfileError for a pattern of `.dockerignore` that is not whole
 */
export async function hashSource(folder: string, { dockerfile, build_args, target, platforms }: BuildItem): Promise<string> {
  const hash = createHash("sha256");
  const args = Object.entries(build_args).sort(([a], [b]) => (a < b ? -1 : 1));
  hash.update(JSON.stringify({ dockerfile, args, target, platforms: platforms ?? ["linux/amd64"] }));
  const files = await usedFiles(folder, dockerfile);
  // Where a link leads out of the folder no list has what lies there.
  if (files.some(({ path, linkTarget }) => linkTarget !== undefined && path === posix.normalize(dockerfile)))
    hash.update(await readFile(join(folder, dockerfile)).catch(() => ""));
  for (const { path, isExecutable, sizeBytes, linkTarget } of files) {
    hash.update(`\n${linkTarget === undefined ? (isExecutable ? "x" : "-") : "l"} ${sizeBytes} ${path}\n${linkTarget ?? ""}`);
    if (linkTarget === undefined) for await (const chunk of fileBytes(join(folder, path), sizeBytes)) hash.update(chunk);
  }
  for (const path of await emptyFolders(folder, dockerfile)) hash.update(`\nd ${path}`);
  return hash.digest("hex");
}
