import { createHash, type Hash } from "node:crypto";
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { link, rename, rm, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Clock } from "../../kit/clock.ts";
import type { Random } from "../../kit/random.ts";
import { DiskFull, hasRoomFor } from "./disk-full.ts";

/** What is known of stored bytes. */
export interface Blob {
  /** SHA-256 in hex: the blob's name. */
  readonly sha256: string;
  /** MD5 in hex: S3's ETag of a simple upload. */
  readonly md5: string;
  /** Bytes. */
  readonly size: number;
}

/** An inclusive range of bytes. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Immutable bytes named by their SHA-256: objects of S3 and blobs of images share one store. */
export interface BlobStore {
  /**
   * Stores bytes, hashing them on the way. Visible only when whole.
   * @throws what the stream throws, DiskFull; then nothing is stored
   */
  write(bytes: Uint8Array | string | AsyncIterable<Uint8Array>): Promise<Blob>;
  /**
   * Stores a file by the SHA-256 that its writer knows; the file is linked where the file system allows it, and may be
   * deleted afterwards.
   */
  adopt(file: string, sha256: string): Promise<void>;
  open(sha256: string, range?: ByteRange): Readable;
  has(sha256: string): boolean;
  /** Bytes, or undefined when nobody stored it. */
  size(sha256: string): number | undefined;
  /** The file with the bytes, for reading alone. */
  path(sha256: string): string;
  /** A new empty file for an upload in parts; `adopt` it when it is whole. */
  scratch(): string;
  /** Deletes blobs that are not in `inUse` and older than an hour (an upload may not have named its blob yet). */
  sweep(inUse: ReadonlySet<string>): number;
}

const HOUR_MS = 3_600_000;

/** Opens the store in `folder`. Leftovers of interrupted writes are removed. */
export function openBlobs(folder: string, { clock, random }: { readonly clock: Clock; readonly random: Random }): BlobStore {
  const incoming = join(folder, "incoming");
  rmSync(incoming, { recursive: true, force: true });
  mkdirSync(incoming, { recursive: true });
  const path = (sha256: string) => join(folder, sha256.slice(0, 2), sha256);
  const scratch = () => join(incoming, random.uuid());
  const keep = (file: string, blob: Blob) => moveInto(path(blob.sha256), file, clock.now()).then(() => blob);

  return {
    path,
    scratch,
    has: (sha256) => existsSync(path(sha256)),
    size: (sha256) => statSync(path(sha256), { throwIfNoEntry: false })?.size,
    open: (sha256, range) =>
      readSmall(path(sha256), range) ?? createReadStream(path(sha256), range ? { start: range.start, end: range.end } : {}),
    async write(bytes) {
      const file = scratch();
      const digests = hashes();
      try {
        const source = typeof bytes === "string" || bytes instanceof Uint8Array ? Readable.from([Buffer.from(bytes)]) : bytes;
        const { head, rest } = await beginning(source);
        if (!rest) return await keepSmall({ clock, path, scratch }, head);
        await pipeline(continued(head, rest), leavingReserve(file), digests.through, createWriteStream(file));
      } catch (error) {
        await rm(file, { force: true });
        throw error;
      }
      return keep(file, digests.result());
    },
    async adopt(file, sha256) {
      const own = scratch();
      await link(file, own).catch(() => pipeline(createReadStream(file), createWriteStream(own)));
      await moveInto(path(sha256), own, clock.now());
    },
    sweep(inUse) {
      const before = clock.now().getTime() - HOUR_MS;
      return sweepFolder(folder, (sha256, changed) => !inUse.has(sha256) && changed < before);
    },
  };
}

// Opening, reading and closing a file behind the scenes costs more than reading this much at once.
const SMALL_BYTES = 64 * 1024;

interface Place {
  readonly clock: Clock;
  path(sha256: string): string;
  scratch(): string;
}

/** Bytes whose name is known before they are written: what is there already is not written again. */
async function keepSmall({ clock, path, scratch }: Place, bytes: Buffer): Promise<Blob> {
  const digests = hashes();
  digests.update(bytes);
  const blob = digests.result();
  const [target, now] = [path(blob.sha256), clock.now()];
  if (existsSync(target)) {
    utimesSync(target, now, now);
    return blob;
  }
  const file = scratch();
  if (!hasRoomFor(file, bytes.byteLength)) throw new DiskFull("there is no room for these bytes");
  try {
    writeFileSync(file, bytes);
    await moveInto(target, file, now);
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  }
  return blob;
}

/** The first bytes: all of them, or more than a small file has and where the others come from. */
async function beginning(source: AsyncIterable<Uint8Array>): Promise<{ readonly head: Buffer; readonly rest?: AsyncIterator<Uint8Array> }> {
  const chunks: Uint8Array[] = [];
  const rest = source[Symbol.asyncIterator]();
  for (let size = 0; size <= SMALL_BYTES;) {
    const { done, value } = await rest.next();
    if (done) return { head: Buffer.concat(chunks) };
    chunks.push(value);
    size += value.byteLength;
  }
  return { head: Buffer.concat(chunks), rest };
}

async function* continued(head: Buffer, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield head;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

/** The bytes of a small file; undefined for a large one, or none. */
function readSmall(file: string, range: ByteRange | undefined): Readable | undefined {
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  if (size === undefined || size === 0 || size > SMALL_BYTES) return undefined;
  const bytes = readFileSync(file);
  return Readable.from([range ? bytes.subarray(range.start, range.end + 1) : bytes], { objectMode: false });
}

/** Bytes that arrive, for the first time or again, are as young as now: a sweep leaves them until they are named. */
async function moveInto(target: string, file: string, now: Date): Promise<void> {
  const isThere = existsSync(target);
  utimesSync(isThere ? target : file, now, now);
  if (isThere) return unlink(file);
  mkdirSync(dirname(target), { recursive: true });
  await rename(file, target);
}

const LOOK_EVERY_BYTES = 1024 * 1024;

/**
 * Bytes as they come, while there is room for more than the reserve. What comes after that is read and dropped: a sender
 * that is cut off in the middle never reads why.
 */
const leavingReserve = (file: string) =>
  async function* (source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let unseen = LOOK_EVERY_BYTES;
    let hasRoom = true;
    for await (const chunk of source) {
      unseen += chunk.byteLength;
      if (hasRoom && unseen > LOOK_EVERY_BYTES) {
        hasRoom = hasRoomFor(file, chunk.byteLength);
        unseen = 0;
      }
      if (hasRoom) yield chunk;
    }
    if (!hasRoom) throw new DiskFull("there is no room for these bytes");
  };

function hashes() {
  const sha256 = createHash("sha256");
  const md5: Hash = createHash("md5");
  let size = 0;
  const update = (chunk: Uint8Array) => {
    sha256.update(chunk);
    md5.update(chunk);
    size += chunk.byteLength;
  };
  return {
    update,
    async *through(source: AsyncIterable<Uint8Array>) {
      for await (const chunk of source) {
        update(chunk);
        yield chunk;
      }
    },
    result: (): Blob => ({ sha256: sha256.digest("hex"), md5: md5.digest("hex"), size }),
  };
}

function sweepFolder(folder: string, isGarbage: (sha256: string, changedMs: number) => boolean): number {
  let swept = 0;
  for (const shard of readdirSync(folder).filter((name) => /^[0-9a-f]{2}$/.test(name)))
    for (const name of readdirSync(join(folder, shard))) {
      const file = join(folder, shard, name);
      if (!isGarbage(name, statSync(file).mtimeMs)) continue;
      rmSync(file);
      swept++;
    }
  return swept;
}
