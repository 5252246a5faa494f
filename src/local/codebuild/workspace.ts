import { createWriteStream } from "node:fs";
import { chmod, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import picomatch from "picomatch";
import yauzl from "yauzl";
import type { ArchivedFile } from "../archive.ts";
import type { Artifacts } from "./buildspec.ts";
import { Failure } from "../gateway/failure.ts";

/** Unpacks a ZIP into a folder, keeping what may be executed. @throws Error for an entry that would leave the folder */
export async function unzip(bytes: Buffer, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const zip = await yauzl.fromBufferPromise(bytes, { lazyEntries: true });
  try {
    for await (const entry of zip.eachEntry()) await extract(zip, entry, folder);
  } finally {
    zip.close();
  }
}

async function extract(zip: yauzl.ZipFile, entry: yauzl.Entry, folder: string): Promise<void> {
  const target = resolve(folder, entry.fileName);
  if (!target.startsWith(resolve(folder) + sep)) throw new Error(`the archive holds ${entry.fileName}, which would leave its folder`);
  if (entry.fileName.endsWith("/")) {
    await mkdir(target, { recursive: true });
    return;
  }
  await mkdir(dirname(target), { recursive: true });
  const stream: Readable = await zip.openReadStreamPromise(entry);
  await pipeline(stream, createWriteStream(target));
  const mode = entry.externalFileAttributes >>> 16;
  if ((mode & 0o111) !== 0) await chmod(target, 0o755);
}

/** What a buildspec names as artifacts. @throws Failure when nothing matches, as CodeBuild fails then */
export async function findArtifacts(
  folder: string,
  { files, excludePaths, baseDirectory, discardPaths }: Artifacts,
): Promise<readonly ArchivedFile[]> {
  const base = resolve(folder, baseDirectory);
  const matcher = (patterns: readonly string[]) =>
    picomatch(
      patterns.map((pattern) => pattern.replace(/^\.\//, "")),
      { dot: true },
    );
  const [matches, excludes] = [matcher(files), matcher(excludePaths)];
  const found = (await listFiles(base)).filter((path) => matches(path) && !(excludePaths.length > 0 && excludes(path)));
  if (found.length === 0) throw new Failure("CLIENT_ERROR", `no matching artifact paths found: ${files.join(", ")} below ${baseDirectory}`);
  return found.sort().map((path) => ({ path: join(base, path), name: discardPaths ? (path.split("/").at(-1) ?? path) : path }));
}

async function listFiles(base: string): Promise<string[]> {
  const entries = await readdir(base, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map((entry) => relative(base, join(entry.parentPath, entry.name)).split(sep).join("/"));
}

/** A fresh folder, whatever was there. */
export async function emptyFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
}

/** Writes an executable script. */
export async function writeScript(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text, { mode: 0o755 });
}
