import { isUtf8 } from "node:buffer";
import { createWriteStream } from "node:fs";
import { chmod, copyFile, mkdir, realpath, rm, stat, symlink } from "node:fs/promises";
import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import type { S3Client } from "@aws-sdk/client-s3";
import { extract as tarExtract } from "tar-stream";
import { type Entry, openPromise, type ZipFile } from "yauzl";
import { listObjects } from "../../../aws/objects.ts";
import { ObjectCutShort, openSteadily } from "../../../aws/steady-object.ts";
import { formatS3Uri, parseS3Uri, type S3Uri } from "../../../kit/s3-uri.ts";
import { formatLimits, UNPACK_LIMITS, type UnpackLimits } from "../../../oci/image/archive.ts";
import { ReleaseError } from "../../errors.ts";

export interface Fetching {
  /** @default 2 GiB and 100,000 entries */
  readonly limits?: UnpackLimits;
  /** Ends it with the signal's reason. @default - nothing does */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Fetches the source of an image into a folder: a ZIP, a `.tar.gz`, or everything below a prefix.
 * @throws ReleaseError ProjectInvalid for an archive that would leave its folder, by a name or by a link, that holds
 * devices, or that is over its limits; ObjectCutShort where S3 breaks off whatever is tried
 */
export async function fetchSource(
  s3: S3Client,
  uri: string,
  folder: string,
  { limits = UNPACK_LIMITS, signal }: Fetching = {},
): Promise<void> {
  const at = parseS3Uri(uri);
  await mkdir(folder, { recursive: true });
  const unpacking: Unpacking = { folder, uri, limits, signal, bytes: 0, entries: 0, links: new Map(), names: new Map() };
  const packing = packingOf(at);
  try {
    if (packing === "zip") await unzip(await spoolZip(s3, at, unpacking), unpacking);
    else if (packing === "tar") await untar(await openSteadily(s3, at, signal), unpacking);
    else await fetchPrefix(s3, at, unpacking);
    await makeLinks(unpacking);
  } catch (error) {
    signal?.throwIfAborted();
    throw isOfFiles(error) ? bad(unpacking, error.message) : error;
  }
}

const packingOf = ({ key }: S3Uri): "zip" | "tar" | undefined =>
  /\.zip$/i.test(key) ? "zip" : /\.(?:tar\.gz|tgz)$/i.test(key) ? "tar" : undefined;

/** The same for the same source: a prefix may end with a slash or not. */
export function sourceKey(uri: string): string {
  const at = parseS3Uri(uri);
  return packingOf(at) ? uri : formatS3Uri({ ...at, key: prefixOf(at) });
}

const prefixOf = ({ key }: S3Uri): string => (key === "" || key.endsWith("/") ? key : `${key}/`);

/** A file where another needs a folder, a name that is too long. */
const isOfFiles = (error: unknown): error is Error =>
  error instanceof Error && ["EEXIST", "ENOTDIR", "EISDIR", "ENAMETOOLONG"].includes((error as NodeJS.ErrnoException).code ?? "");

/** Whether the archive is to blame, and neither what has been said of it, nor the way it came, nor a full disk. */
const isOfArchive = (error: unknown): boolean =>
  !(error instanceof ReleaseError || error instanceof ObjectCutShort) && (error as NodeJS.ErrnoException).code !== "ENOSPC";

/** A ZIP is read from its end: it is put on disk, for a function has not the memory for it. It may not be larger than what it unpacks to. */
async function spoolZip(s3: S3Client, at: S3Uri, unpacking: Unpacking): Promise<string> {
  const file = `${unpacking.folder}.zip`;
  let size = 0;
  await pipeline(
    await openSteadily(s3, at, unpacking.signal),
    async function* (source: AsyncIterable<Buffer>) {
      for await (const chunk of source) {
        size += chunk.length;
        if (size > unpacking.limits.bytes) throw tooMuch(unpacking);
        yield chunk;
      }
    },
    createWriteStream(file),
  );
  return file;
}

/** A source on its way to a folder, and how much of it came so far. */
interface Unpacking {
  readonly folder: string;
  readonly uri: string;
  readonly limits: UnpackLimits;
  readonly signal: AbortSignal | undefined;
  bytes: number;
  entries: number;
  /** Symbolic links are made last: nothing is written through one. */
  readonly links: Map<string, string>;
  /** What each place is called in the source: two names may mean one. */
  readonly names: Map<string, string>;
}

/** Counts what arrives, whatever an archive says of itself. */
const counted = (unpacking: Unpacking) =>
  async function* (source: AsyncIterable<Buffer>) {
    for await (const chunk of source) {
      unpacking.signal?.throwIfAborted();
      unpacking.bytes += chunk.length;
      if (unpacking.bytes > unpacking.limits.bytes) throw tooMuch(unpacking);
      yield chunk;
    }
  };

function count(unpacking: Unpacking): void {
  unpacking.signal?.throwIfAborted();
  if (++unpacking.entries > unpacking.limits.entries) throw tooMuch(unpacking);
}

async function makeFolder(unpacking: Unpacking, path: string): Promise<void> {
  count(unpacking);
  await mkdir(inside(unpacking, path), { recursive: true });
}

/** The place of a file or link. Nothing may come there twice: which of the two was meant nobody knows. */
function placeOf(unpacking: Unpacking, path: string): string {
  const place = inside(unpacking, path);
  const other = unpacking.names.get(place);
  if (other !== undefined) throw bad(unpacking, other === path ? `${path} is in it twice` : `${other} and ${path} are the same file`);
  unpacking.names.set(place, path);
  return place;
}

/** A link that stays inside, by what is written; one that leads out is refused. */
function noteLink(unpacking: Unpacking, path: string, target: string): void {
  count(unpacking);
  const at = placeOf(unpacking, path);
  const leadsTo = resolve(dirname(at), target);
  if (isAbsolute(target) || (leadsTo !== resolve(unpacking.folder) && !leadsTo.startsWith(resolve(unpacking.folder) + sep)))
    throw bad(unpacking, `${path} is a link that leads out of the folder, to ${target}`);
  unpacking.links.set(at, target);
}

async function makeLinks(unpacking: Unpacking): Promise<void> {
  for (const [at, target] of unpacking.links) {
    await mkdir(dirname(at), { recursive: true });
    await symlink(target, at);
  }
  // Through another link a name that looks as if it stayed inside may lead out.
  const root = await realpath(unpacking.folder);
  for (const at of unpacking.links.keys()) {
    const real = await realpath(at).catch(() => root);
    if (real !== root && !real.startsWith(root + sep))
      throw bad(unpacking, `${relative(unpacking.folder, at)} is a link that leads out of the folder`);
  }
}

async function write(unpacking: Unpacking, path: string, open: () => Readable | Promise<Readable>): Promise<string> {
  count(unpacking);
  const target = placeOf(unpacking, path);
  await mkdir(dirname(target), { recursive: true });
  // Opened last: a stream that fails before somebody listens takes the process with it.
  await pipeline(await open(), counted(unpacking), createWriteStream(target));
  return target;
}

/** A hard link is another file of the same content: an image would not have it otherwise either. */
async function writeAgain(unpacking: Unpacking, path: string, first: string): Promise<void> {
  count(unpacking);
  const from = inside(unpacking, first);
  if (!unpacking.names.has(from) || unpacking.links.has(from))
    throw bad(unpacking, `${path} is a hard link to ${first}, which is no file before it`);
  unpacking.bytes += (await stat(from)).size;
  if (unpacking.bytes > unpacking.limits.bytes) throw tooMuch(unpacking);
  const target = placeOf(unpacking, path);
  await mkdir(dirname(target), { recursive: true });
  await copyFile(from, target);
}

// Of a source of many small files each costs S3's answering time.
const OBJECTS_AT_ONCE = 16;

async function fetchPrefix(s3: S3Client, { bucket, key }: S3Uri, unpacking: Unpacking): Promise<void> {
  const prefix = prefixOf({ bucket, key });
  const objects = listObjects(s3, { bucket, key: prefix });
  const workers = Array.from({ length: OBJECTS_AT_ONCE }, async () => {
    for (let next = await objects.next(); !next.done; next = await objects.next())
      await fetchObject(s3, { bucket, ...next.value, path: next.value.key.slice(prefix.length) }, unpacking);
  });
  try {
    await Promise.all(workers);
  } catch (error) {
    // Nothing may still be written when the caller removes the folder.
    await objects.return(undefined);
    await Promise.allSettled(workers);
    throw error;
  }
  if (unpacking.names.size > 0) return;
  // Asked as a prefix: who may not list the whole bucket is refused a HEAD of what is not there.
  const first = (await listObjects(s3, { bucket, key }).next()).value;
  throw bad(unpacking, key !== "" && first?.key === key ? "it is one object, and no .zip, .tar.gz or .tgz" : "nothing lies there");
}

interface FoundObject extends S3Uri {
  readonly size: number;
  /** Below the prefix. */
  readonly path: string;
}

async function fetchObject(s3: S3Client, { path, size, ...at }: FoundObject, unpacking: Unpacking): Promise<void> {
  if (path === "") return;
  // Consoles mark folders so; an object with bytes that nothing could copy is a mistake.
  if (path.endsWith("/") && size > 0) throw bad(unpacking, `${path} is a folder by its name, and holds ${size} bytes`);
  if (path.endsWith("/")) await makeFolder(unpacking, path);
  else await write(unpacking, path, () => openSteadily(s3, at, unpacking.signal));
}

async function unzip(file: string, unpacking: Unpacking): Promise<void> {
  const zip = await openPromise(file, { lazyEntries: true, autoClose: false }).catch((error: Error) => {
    throw bad(unpacking, error.message);
  });
  let declared = 0;
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.isEncrypted()) throw bad(unpacking, `${entry.fileName} is encrypted`);
      declared += entry.uncompressedSize;
      if (declared > unpacking.limits.bytes) throw tooMuch(unpacking);
      await unzipEntry(zip, entry, unpacking);
    }
  } catch (error) {
    throw isOfArchive(error) ? bad(unpacking, (error as Error).message) : error;
  } finally {
    zip.close();
    await rm(file);
  }
}

async function unzipEntry(zip: ZipFile, entry: Entry, unpacking: Unpacking): Promise<void> {
  const [name, mode] = [nameOf(entry), entry.externalFileAttributes >>> 16];
  if ((mode & 0o170000) === 0o120000) return noteLink(unpacking, name, await linkTextOf(zip, entry, unpacking));
  if (name.endsWith("/")) return makeFolder(unpacking, name);
  await makeRunnable(await write(unpacking, name, () => zip.openReadStreamPromise(entry)), mode);
}

const MADE_BY_UNIX = 3;
const UNICODE_PATH = 0x7075;

/** Info-ZIP stores a name as the bytes that Unix has, and says only in some locales that they are UTF-8; without a word they would be CP437. */
function nameOf({ fileName, fileNameRaw, versionMadeBy, generalPurposeBitFlag, extraFields }: Entry): string {
  const isSaid = (generalPurposeBitFlag & 0x800) !== 0 || extraFields.some(({ id }) => id === UNICODE_PATH);
  return !isSaid && versionMadeBy >>> 8 === MADE_BY_UNIX && isUtf8(fileNameRaw) ? fileNameRaw.toString("utf8") : fileName;
}

/** The content of a link's entry is where it leads. */
async function linkTextOf(zip: ZipFile, entry: Entry, unpacking: Unpacking): Promise<string> {
  if (entry.uncompressedSize > LONGEST_LINK)
    throw bad(unpacking, `${entry.fileName} is a link to a name of ${entry.uncompressedSize} bytes`);
  return text(await zip.openReadStreamPromise(entry));
}

const LONGEST_LINK = 4096;

async function untar(stream: Readable, unpacking: Unpacking): Promise<void> {
  const tar = tarExtract();
  let way: unknown;
  const feeding = pipeline(stream, createGunzip(), tar).catch((error: unknown) => void tar.destroy((way = error) as Error));
  try {
    for await (const entry of tar) {
      const { type, name, mode = 0, linkname } = entry.header;
      if (type === "directory") await makeFolder(unpacking, `${name}/`);
      else if (type === "symlink") noteLink(unpacking, name, linkname ?? "");
      else if (type === "link") await writeAgain(unpacking, name, linkname ?? "");
      else if (type === "file" || type === "contiguous-file")
        await makeRunnable(await write(unpacking, name, () => entry as unknown as Readable), mode);
      else throw bad(unpacking, `${name} is a ${type}`);
      entry.resume();
    }
  } catch (error) {
    stream.destroy();
    await feeding;
    // A file that is being written says only that no more came.
    if (way instanceof ObjectCutShort) throw way;
    const { message } = error as Error;
    throw isOfArchive(error) ? bad(unpacking, message === "incorrect header check" ? "it is not packed by gzip" : message) : error;
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

const tooMuch = (unpacking: Unpacking): ReleaseError => bad(unpacking, `it unpacks to more than ${formatLimits(unpacking.limits)}`);

const bad = ({ uri, folder }: Pick<Unpacking, "uri" | "folder">, why: string): ReleaseError =>
  new ReleaseError("ProjectInvalid", {
    says: `the source ${uri} can't be built: ${why.replaceAll(`${folder}${sep}`, "")}`,
    fix: "pack the folder of the Dockerfile as .zip or .tar.gz, or name a prefix that holds it",
    blame: "user",
  });
