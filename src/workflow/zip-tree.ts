import { open, type FileHandle } from "node:fs/promises";
import { crc32, inflateRawSync } from "node:zlib";

import { fromBufferPromise, type Entry, type ZipFile } from "yauzl";

import { resolveInTree, type SourceTree } from "./source-tree.ts";
import { keepTexts, MAX_TEXT_BYTES, textOf } from "./tree-text.ts";

/** An archive that is not read: damaged, made to do harm, or over a limit. The message says which entry and why. */
export class BadArchive extends Error {
  override readonly name = "BadArchive";
}

/** Limits of an archive that is read. */
export interface ArchiveLimits {
  /** The archive itself. @default 100 MiB, the limit of a definition in S3 (healthomics guide, fixed quotas) */
  readonly maxArchiveBytes?: number;
  /** All files unpacked. @default 2 GiB */
  readonly maxUnpackedBytes?: number;
  /** Unpacked over packed, judged from 64 MiB unpacked on. @default 200 */
  readonly maxRatio?: number;
  /** Files and folders. @default 100,000 */
  readonly maxEntries?: number;
  /** A larger file has no text. @default 8 MiB */
  readonly maxTextBytes?: number;
}

const DEFAULTS: Required<ArchiveLimits> = {
  maxArchiveBytes: 100 * 1024 * 1024,
  maxUnpackedBytes: 2 * 1024 * 1024 * 1024,
  maxRatio: 200,
  maxEntries: 100_000,
  maxTextBytes: MAX_TEXT_BYTES,
};

const RATIO_JUDGED_FROM_BYTES = 64 * 1024 * 1024;
const KEPT_CHARACTERS = 64 * 1024 * 1024;

/** Where a file lies in the archive. */
interface Packed {
  readonly start: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly isDeflated: boolean;
}

/**
 * The files of a ZIP archive, given as bytes or by its path. Every entry is unpacked once, in bounded memory, to see
 * that it is whole; texts are unpacked again when they are asked for.
 * @throws BadArchive when it is no ZIP or must not be trusted
 */
export async function openZip(archive: Uint8Array | string, limits: ArchiveLimits = {}): Promise<SourceTree> {
  const allowed = { ...DEFAULTS, ...limits };
  const bytes =
    typeof archive === "string"
      ? await readArchive(archive, allowed.maxArchiveBytes)
      : Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  if (bytes.length > allowed.maxArchiveBytes) throw tooLarge(bytes.length, allowed.maxArchiveBytes);
  const packed = await index(bytes, allowed);
  const size = (path: string): number | undefined => packed.get(resolveInTree("", path) ?? "")?.bytes;
  const text = keepTexts((path) => {
    const file = packed.get(resolveInTree("", path) ?? "");
    return file === undefined || file.bytes > allowed.maxTextBytes ? undefined : textOf(unpack(bytes, file));
  }, KEPT_CHARACTERS);
  return { files: [...packed.keys()].sort(), has: (path) => size(path) !== undefined, size, text };
}

async function readArchive(path: string, maxBytes: number): Promise<Buffer> {
  await using file: FileHandle = await open(path, "r");
  const { size } = await file.stat();
  if (size > maxBytes) throw tooLarge(size, maxBytes);
  return file.readFile();
}

const tooLarge = (bytes: number, allowed: number): BadArchive =>
  new BadArchive(`the archive has ${bytes} bytes, more than the ${allowed} that are read; leave out what is no part of the workflow`);

async function index(bytes: Buffer, limits: Required<ArchiveLimits>): Promise<ReadonlyMap<string, Packed>> {
  const files = new Map<string, Packed>();
  const seen = new Names();
  const sum = { bytes: 0, packed: 0, entries: 0 };
  try {
    const zip = await fromBufferPromise(bytes);
    for await (const entry of zip.eachEntry()) {
      sum.entries += 1;
      sum.bytes += entry.uncompressedSize;
      sum.packed += entry.compressedSize;
      checkSums(sum, bytes.length, limits);
      checkKind(entry);
      const name = seen.take(entry.fileName);
      if (entry.fileName.endsWith("/")) continue;
      const file = await checked(zip, entry);
      if (!name.split("/").includes(".git")) files.set(name, file);
    }
  } catch (error) {
    if (error instanceof BadArchive) throw error;
    throw new BadArchive(`the file is not a sound ZIP archive: ${(error as Error).message}`, { cause: error });
  }
  return files;
}

function checkSums(sum: { bytes: number; packed: number; entries: number }, archiveBytes: number, limits: Required<ArchiveLimits>): void {
  if (sum.entries > limits.maxEntries) throw new BadArchive(`the archive has more than ${limits.maxEntries} entries`);
  if (sum.packed > archiveBytes) throw new BadArchive("entries of the archive overlap, so that it unpacks to more than it holds");
  if (sum.bytes > limits.maxUnpackedBytes) throw new BadArchive(`the archive unpacks to more than ${limits.maxUnpackedBytes} bytes`);
  if (sum.bytes > RATIO_JUDGED_FROM_BYTES && sum.bytes > sum.packed * limits.maxRatio)
    throw new BadArchive(`the archive unpacks to more than ${limits.maxRatio} times its size`);
}

const FILE_TYPE = 0o170000;
const SYMBOLIC_LINK = 0o120000;
const DEFLATED = 8;

function checkKind(entry: Entry): void {
  const name = JSON.stringify(entry.fileName);
  if (((entry.externalFileAttributes >>> 16) & FILE_TYPE) === SYMBOLIC_LINK)
    throw new BadArchive(`${name} is a symbolic link: put the file itself into the archive`);
  if (entry.isEncrypted()) throw new BadArchive(`${name} is encrypted`);
  if (entry.compressionMethod !== 0 && entry.compressionMethod !== DEFLATED)
    throw new BadArchive(`${name} is packed by method ${entry.compressionMethod}: only stored and deflated entries are read`);
}

/** The names of an archive, so that none stands for two things. */
class Names {
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();

  /** The name without `.` and empty parts. */
  take(written: string): string {
    const name = resolveInTree("", written);
    const shown = JSON.stringify(written);
    if (!name || written.startsWith("/") || written.includes("\0")) {
      if (name === "" && written.endsWith("/")) return "";
      throw new BadArchive(`${shown} is not a file name inside the archive`);
    }
    const parts = name.split("/");
    const above = parts.map((_, index) => parts.slice(0, index).join("/")).filter((folder) => folder !== "");
    if (written.endsWith("/")) above.push(name);
    else if (this.#files.has(name)) throw new BadArchive(`the archive holds ${shown} twice`);
    else this.#files.add(name);
    for (const folder of above) this.#folders.add(folder);
    const both = [name, ...above].find((each) => this.#files.has(each) && this.#folders.has(each));
    if (both !== undefined) throw new BadArchive(`${JSON.stringify(both)} is a file and a folder`);
    return name;
  }
}

/** Unpacks the entry as a stream, which yauzl stops at the declared size, and compares the checksum. */
async function checked(zip: ZipFile, entry: Entry): Promise<Packed> {
  const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true });
  let sum = 0;
  for await (const chunk of await zip.openReadStreamPromise(entry)) sum = crc32(chunk as Buffer, sum);
  if (sum !== entry.crc32) throw new BadArchive(`${JSON.stringify(entry.fileName)} is damaged: its checksum is wrong`);
  return {
    start: fileDataStart,
    packedBytes: entry.compressedSize,
    bytes: entry.uncompressedSize,
    isDeflated: entry.compressionMethod === DEFLATED,
  };
}

function unpack(archive: Buffer, { start, packedBytes, bytes, isDeflated }: Packed): Buffer {
  const packed = archive.subarray(start, start + packedBytes);
  return isDeflated ? inflateRawSync(packed, { maxOutputLength: Math.max(bytes, 1) }) : packed;
}
