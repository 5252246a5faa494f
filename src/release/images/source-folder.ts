import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { chmod, mkdir, stat } from "node:fs/promises";
import { dirname, join, resolve, sep } from "node:path";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { S3Client } from "@aws-sdk/client-s3";
import { extract as tarExtract } from "tar-stream";
import { type Entry, fromBufferPromise, type ZipFile } from "yauzl";
import { listObjects, openObject, readObject } from "../../aws/objects.ts";
import { parseS3Uri, type S3Uri } from "../../kit/s3-uri.ts";
import { openFolder } from "../../workflow/folder-tree.ts";
import { ReleaseError } from "../errors.ts";
import type { BuildItem } from "./staging.ts";

const LIMIT_BYTES = 2 * 1024 ** 3;
const LIMIT_ENTRIES = 100_000;
const TOO_MUCH = "it unpacks to more than 2 GiB or 100,000 files";

/**
 * Fetches the source of an image into a folder: a ZIP, a `.tar.gz`, or everything below a prefix.
 * @throws ReleaseError ProjectInvalid for an archive that would leave its folder, has links, or is over 2 GiB unpacked
 */
export async function fetchSource(s3: S3Client, uri: string, folder: string): Promise<void> {
  const at = parseS3Uri(uri);
  await mkdir(folder, { recursive: true });
  const unpacking: Unpacking = { folder, uri, bytes: 0, entries: 0 };
  if (at.key.endsWith(".zip")) return unzip(await readObject(s3, at), unpacking);
  if (/\.(?:tar\.gz|tgz)$/.test(at.key)) return untar(await openObject(s3, at), unpacking);
  return fetchPrefix(s3, at, unpacking);
}

/** What an image is built from: the files with their paths and modes, and what the build was told. */
export async function hashSource(folder: string, { dockerfile, build_args, target, platforms }: BuildItem): Promise<string> {
  const hash = createHash("sha256");
  const args = Object.entries(build_args).sort(([a], [b]) => (a < b ? -1 : 1));
  hash.update(JSON.stringify({ dockerfile, args, target, platforms: platforms ?? ["linux/amd64"] }));
  for (const path of [...openFolder(folder).files].sort()) {
    const file = join(folder, path);
    const { mode, size } = await stat(file);
    hash.update(`\n${(mode & 0o111) === 0 ? "-" : "x"} ${size} ${path}\n`);
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  }
  return hash.digest("hex");
}

/** A source on its way to a folder, and how much of it came so far. */
interface Unpacking {
  readonly folder: string;
  readonly uri: string;
  bytes: number;
  entries: number;
}

/** Counts what arrives, whatever an archive says of itself. */
const counted = (unpacking: Unpacking) =>
  async function* (source: AsyncIterable<Buffer>) {
    for await (const chunk of source) {
      unpacking.bytes += chunk.length;
      if (unpacking.bytes > LIMIT_BYTES) throw bad(unpacking, TOO_MUCH);
      yield chunk;
    }
  };

async function write(unpacking: Unpacking, path: string, stream: Readable): Promise<string> {
  if (++unpacking.entries > LIMIT_ENTRIES) throw bad(unpacking, TOO_MUCH);
  const target = inside(unpacking, path);
  await mkdir(dirname(target), { recursive: true });
  await pipeline(stream, counted(unpacking), createWriteStream(target));
  return target;
}

async function fetchPrefix(s3: S3Client, { bucket, key }: S3Uri, unpacking: Unpacking): Promise<void> {
  const prefix = key === "" || key.endsWith("/") ? key : `${key}/`;
  for await (const object of listObjects(s3, { bucket, key: prefix })) {
    const path = object.key.slice(prefix.length);
    if (path !== "" && !path.endsWith("/")) await write(unpacking, path, await openObject(s3, { bucket, key: object.key }));
  }
  if (unpacking.entries === 0) throw bad(unpacking, "nothing lies there");
}

async function unzip(bytes: Buffer, unpacking: Unpacking): Promise<void> {
  const zip = await fromBufferPromise(bytes, { lazyEntries: true }).catch((error: Error) => {
    throw bad(unpacking, error.message);
  });
  let declared = 0;
  try {
    for await (const entry of zip.eachEntry()) {
      declared += entry.uncompressedSize;
      if (declared > LIMIT_BYTES) throw bad(unpacking, TOO_MUCH);
      await unzipEntry(zip, entry, unpacking);
    }
  } catch (error) {
    throw error instanceof ReleaseError ? error : bad(unpacking, (error as Error).message);
  } finally {
    zip.close();
  }
}

async function unzipEntry(zip: ZipFile, entry: Entry, unpacking: Unpacking): Promise<void> {
  const mode = entry.externalFileAttributes >>> 16;
  if ((mode & 0o170000) === 0o120000) throw bad(unpacking, `${entry.fileName} is a symbolic link`);
  if (entry.fileName.endsWith("/")) return void (await mkdir(inside(unpacking, entry.fileName), { recursive: true }));
  await makeRunnable(await write(unpacking, entry.fileName, await zip.openReadStreamPromise(entry)), mode);
}

async function untar(stream: Readable, unpacking: Unpacking): Promise<void> {
  const tar = tarExtract();
  const feeding = pipeline(stream, createGunzip(), tar).catch((error: unknown) => tar.destroy(error as Error));
  try {
    for await (const entry of tar) {
      const { type, name, mode = 0 } = entry.header;
      if (type === "directory") await mkdir(inside(unpacking, `${name}/`), { recursive: true });
      else if (type === "file" || type === "contiguous-file") await makeRunnable(await write(unpacking, name, entry as unknown as Readable), mode);
      else throw bad(unpacking, `${name} is a ${type}`);
      entry.resume();
    }
  } catch (error) {
    throw error instanceof ReleaseError ? error : bad(unpacking, (error as Error).message);
  } finally {
    stream.destroy();
    await feeding;
  }
  if (unpacking.entries === 0) throw bad(unpacking, "it is empty");
}

const makeRunnable = (file: string, mode: number): Promise<void> => chmod(file, (mode & 0o111) === 0 ? 0o644 : 0o755);

function inside(unpacking: Unpacking, path: string): string {
  const target = resolve(unpacking.folder, path);
  const root = resolve(unpacking.folder);
  if (target !== root && !target.startsWith(root + sep)) throw bad(unpacking, `${path} would leave the folder`);
  return target;
}

const bad = ({ uri }: Pick<Unpacking, "uri">, why: string): ReleaseError =>
  new ReleaseError("ProjectInvalid", { says: `the source ${uri} can't be built: ${why}`, fix: "pack the folder of the Dockerfile as .zip or .tar.gz, or name a prefix that holds it", blame: "user" });
