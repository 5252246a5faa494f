import { createReadStream } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { join, posix } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import tar from "tar-stream";
import type { Header } from "tar-stream";
import type { Random } from "../../kit/random.ts";
import { isReadable, packingOf, unpacked } from "./decompress.ts";
import { isSpecialType, readBytes } from "./tar-writer.ts";
import type { FileEntry, LayerEntry } from "./tar-writer.ts";

/** How much archives may be once they are unpacked. */
export interface UnpackLimits {
  readonly bytes: number;
  /** Files, folders and links. */
  readonly entries: number;
}

/** What a source may be, and what a Dockerfile may unpack of it. */
export const UNPACK_LIMITS: UnpackLimits = { bytes: 2 * 1024 ** 3, entries: 100_000 };

/** Where the content of archives goes, and how much of it has come so far. */
export interface Unpacking {
  /** The caller's, who removes it. */
  readonly folder: string;
  readonly random: Random;
  readonly limits: UnpackLimits;
  /** Ends it with the signal's reason. @default - nothing does */
  readonly signal?: AbortSignal | undefined;
  bytes: number;
  entries: number;
}

/** A second name of a file, which may lie in the archive or where it is unpacked. */
export interface HardLink {
  readonly kind: "hardLink";
  readonly path: string;
  readonly linkTarget: string;
  /** Both names have what the later one says, as they are one file. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** One member of an archive, in the archive's order; paths start where it is unpacked. */
export type ArchiveEntry = LayerEntry | HardLink;

/** An archive that is whole for somebody else, or for nobody; the message says why. */
export class ArchiveRefused extends Error {
  override readonly name = "ArchiveRefused";
}

/** An archive with something that this code cannot put into a layer. */
export class ArchiveUnreadable extends Error {
  override readonly name = "ArchiveUnreadable";
}

const BLOCK = 512;

/**
 * The members of a tar archive, packed or not; undefined where the file is none. Content goes through to one file of the
 * folder and is never held in memory.
 * @throws ArchiveRefused over the limits, or where it is damaged
 * @throws ArchiveUnreadable where it is packed by bzip2 or xz, has extended attributes or holes
 */
export async function readArchive(file: FileEntry, unpacking: Unpacking): Promise<readonly ArchiveEntry[] | undefined> {
  const packing = packingOf(await startOf(bytesOf(file)));
  // Whether a tar archive is inside only who can unpack it knows.
  if (packing && !isReadable(packing)) throw new ArchiveUnreadable(`is packed by ${packing} (by gzip or zstd it needs none)`);
  // What begins like gzip and is not is a file like others, as for Docker.
  const start = await startOf(unpacked(bytesOf(file))).catch(() => Buffer.alloc(0));
  if (!isTar(start)) return undefined;
  try {
    return await spool(counted(unpacked(bytesOf(file)), unpacking), unpacking);
  } catch (error) {
    unpacking.signal?.throwIfAborted();
    // A full disk is nothing that the archive could help.
    if (error instanceof ArchiveUnreadable || error instanceof ArchiveRefused || (error as NodeJS.ErrnoException).code === "ENOSPC")
      throw error;
    throw new ArchiveRefused(`can't be unpacked: ${(error as Error).message}`);
  }
}

const bytesOf = (file: FileEntry): AsyncIterable<Uint8Array> =>
  Readable.from(file.open(), { objectMode: false }) as AsyncIterable<Uint8Array>;

async function startOf(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source) {
    chunks.push(chunk);
    if ((length += chunk.length) >= BLOCK) break;
  }
  return Buffer.concat(chunks).subarray(0, BLOCK);
}

/** By the checksum of its first header: the oldest archives have no other mark. */
function isTar(block: Buffer): boolean {
  if (block.length < BLOCK) return false;
  const sum = block.reduce((all, byte, at) => all + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  return sum > 8 * 0x20 && Number.parseInt(block.toString("latin1", 148, 156).replaceAll("\0", " ").trim(), 8) === sum;
}

/** Counts what comes out, whatever the archive says of itself. */
async function* counted(source: AsyncIterable<Uint8Array>, unpacking: Unpacking): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    unpacking.signal?.throwIfAborted();
    if ((unpacking.bytes += chunk.length) > unpacking.limits.bytes) throw tooMuch(unpacking);
    yield chunk;
  }
}

const tooMuch = ({ limits }: Unpacking): ArchiveRefused => new ArchiveRefused(`unpacks to more than ${formatLimits(limits)}`);

/** `2 GiB or 100,000 files`, in the largest unit that the number fills. */
export function formatLimits({ bytes, entries }: UnpackLimits): string {
  const power = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), UNITS.length - 1);
  return `${Number((bytes / 1024 ** power).toFixed(1))} ${UNITS[power]} or ${entries.toLocaleString("en")} files`;
}

const UNITS = ["bytes", "KiB", "MiB", "GiB", "TiB"] as const;

/** Writes the content of all files behind one another, and tells where each lies. */
async function spool(archive: AsyncIterable<Uint8Array>, unpacking: Unpacking): Promise<readonly ArchiveEntry[]> {
  await mkdir(unpacking.folder, { recursive: true });
  const path = join(unpacking.folder, `${unpacking.random.hex(16)}.content`);
  await using output = await open(path, "wx");
  const extract = tar.extract({ allowUnknownFormat: true } as Parameters<typeof tar.extract>[0]);
  const feeding = pipeline(Readable.from(archive), extract);
  const reading = (async () => {
    const entries: ArchiveEntry[] = [];
    let end = 0;
    for await (const entry of extract) {
      // What an archive itself says to be too large need not be unpacked to see it.
      if (++unpacking.entries > unpacking.limits.entries || end + (entry.header.size ?? 0) > unpacking.limits.bytes)
        throw tooMuch(unpacking);
      const start = end;
      for await (const chunk of entry as unknown as AsyncIterable<Uint8Array>) {
        await output.writeFile(chunk);
        end += chunk.length;
      }
      entries.push(...entriesOf(entry.header, { path, start, end }));
    }
    return entries;
  })();
  const [entries, fed] = await Promise.allSettled([reading, feeding]);
  if (entries.status === "rejected") throw entries.reason;
  if (fed.status === "rejected") throw fed.reason;
  return entries.value;
}

interface Content {
  readonly path: string;
  readonly start: number;
  /** The first byte that is no longer part of it. */
  readonly end: number;
}

function entriesOf(
  { name, type, mode = 0o644, uid = 0, gid = 0, linkname, pax, devmajor, devminor }: Header,
  content: Content,
): readonly ArchiveEntry[] {
  const path = cleanPath(name);
  const about = { path, mode: mode & 0o7777, uid, gid };
  const beyond = Object.keys(pax ?? {}).find((key) => BEYOND.test(key));
  if (beyond !== undefined) throw new ArchiveUnreadable(`has ${beyond} for ${name}`);
  // The folder that the archive was made of is the one that it is unpacked to.
  if (path === "") return [];
  if (type === "directory") return [{ kind: "directory", ...about }];
  if (type === "symlink") return [{ kind: "symlink", ...about, mode: 0o777, linkTarget: linkname ?? "" }];
  if (type === "link") return [{ kind: "hardLink", ...about, linkTarget: cleanPath(linkname ?? "") }];
  if (type && isSpecialType(type)) return [{ kind: "special", ...about, type, major: devmajor ?? 0, minor: devminor ?? 0 }];
  if (type === "file" || type === "contiguous-file")
    return [{ kind: "file", ...about, sizeBytes: content.end - content.start, open: () => contentAt(content) }];
  throw new ArchiveUnreadable(`has ${name}, of a kind that is not known here,`);
}

/** Extended attributes and the holes of sparse files; an attribute of macOS has no meaning on Linux, and Docker drops it. */
const BEYOND = /^SCHILY\.xattr\.(?!com\.apple\.)|^GNU\.sparse\./;

const contentAt = ({ path, start, end }: Content): AsyncIterable<Uint8Array> | Iterable<Uint8Array> =>
  start === end ? [] : createReadStream(path, { start, end: end - 1, highWaterMark: readBytes(end - start) });

/** Without a slash at either end; `..` at the beginning leads nowhere, as in Docker's chroot. */
const cleanPath = (name: string): string => posix.normalize(`/${name}`).replace(/^\/+|\/+$/g, "");
