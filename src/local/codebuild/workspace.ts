import { createWriteStream } from "node:fs";
import { chmod, mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import picomatch from "picomatch";
import yauzl from "yauzl";
import yazl from "yazl";
import type { Artifacts } from "./buildspec.ts";
import { BuildFailure } from "./errors.ts";

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

const FIRST_DAY = new Date(1980, 0, 1);

/** A file that a build leaves, and its name among the artifacts. */
export interface ArtifactFile {
  readonly path: string;
  readonly name: string;
}

/** What a buildspec names as artifacts. @throws BuildFailure when nothing matches, as CodeBuild fails then */
export async function findArtifacts(folder: string, { files, excludePaths, baseDirectory, discardPaths }: Artifacts): Promise<readonly ArtifactFile[]> {
  const base = resolve(folder, baseDirectory);
  const matcher = (patterns: readonly string[]) => picomatch(patterns.map((pattern) => pattern.replace(/^\.\//, "")), { dot: true });
  const [matches, excludes] = [matcher(files), matcher(excludePaths)];
  const found = (await listFiles(base)).filter((path) => matches(path) && !(excludePaths.length > 0 && excludes(path)));
  if (found.length === 0) throw new BuildFailure("CLIENT_ERROR", `no matching artifact paths found: ${files.join(", ")} below ${baseDirectory}`);
  return found.sort().map((path) => ({ path: join(base, path), name: discardPaths ? (path.split("/").at(-1) ?? path) : path }));
}

/** Files as a ZIP, the same bytes for the same files. */
export async function packArtifacts(files: readonly ArtifactFile[]): Promise<Buffer> {
  const zip = new yazl.ZipFile();
  for (const { path, name } of files) zip.addFile(path, name, { mtime: FIRST_DAY, mode: await modeOf(path) });
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream as unknown as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const modeOf = async (path: string): Promise<number> => (((await stat(path)).mode & 0o111) === 0 ? 0o100644 : 0o100755);

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
