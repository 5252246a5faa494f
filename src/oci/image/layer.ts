import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Gzip } from "fflate";
import type { Random } from "../../kit/random.ts";
import type { BlobSource } from "../client/blob-reader.ts";
import type { Digest } from "../digest.ts";
import type { Descriptor } from "../manifest.ts";
import { MEDIA_TYPES } from "../media-types.ts";
import { tarOf } from "./tar-writer.ts";
import type { LayerEntry } from "./tar-writer.ts";

/** A layer that can be sent. */
export interface Layer {
  readonly descriptor: Descriptor;
  /** The digest of the uncompressed archive, which the image's configuration lists. */
  readonly diffId: Digest;
  readonly source: BlobSource;
  /** The repository it lies in already, so that it can be mounted from there. */
  readonly origin?: { readonly registry: string; readonly repository: string };
}

export interface LayerOptions {
  /** A folder of the caller's; layers stay there as `sha256-<digits>` until the caller removes it. */
  readonly folder: string;
  readonly random: Random;
  /** `none` is quickest on one machine; both give the same digest everywhere. @default "gzip" */
  readonly compression?: "gzip" | "none";
  /** Ends the writing with the signal's reason. @default - nothing does */
  readonly signal?: AbortSignal | undefined;
}

/** Writes the entries as a layer, the same bytes for the same entries. */
export async function writeLayer(
  entries: readonly LayerEntry[],
  { folder, random, compression = "gzip", signal }: LayerOptions,
): Promise<Layer> {
  await mkdir(folder, { recursive: true });
  const unfinished = join(folder, `${random.hex(16)}.part`);
  const [plain, packed] = [createHash("sha256"), createHash("sha256")];
  let size = 0;
  async function* bytes(): AsyncGenerator<Uint8Array> {
    const tar = hashed(pieces(tarOf(entries)), plain);
    for await (const chunk of compression === "gzip" ? gzipped(tar) : tar) {
      signal?.throwIfAborted();
      packed.update(chunk);
      size += chunk.length;
      yield chunk;
    }
  }
  await pipeline(Readable.from(bytes(), { objectMode: false }), createWriteStream(unfinished));
  const digest = `sha256:${packed.digest("hex")}`;
  const file = join(folder, digest.replace(":", "-"));
  await rename(unfinished, file);
  const mediaType = compression === "gzip" ? MEDIA_TYPES.ociLayerGzip : MEDIA_TYPES.ociLayerTar;
  const descriptor = { mediaType, digest, size };
  return { descriptor, diffId: `sha256:${plain.digest("hex")}`, source: fileBlob(file, descriptor) };
}

/** A blob that lies in a file. */
export const fileBlob = (file: string, blob: Pick<Descriptor, "digest" | "size">): BlobSource => ({
  blob,
  read: (offset = 0) => createReadStream(file, { start: offset, highWaterMark: 256 * 1024 }),
});

/** A blob that lies in memory. */
export const memoryBlob = (bytes: Uint8Array, blob: Pick<Descriptor, "digest" | "size">): BlobSource => ({
  blob,
  async *read(offset = 0) {
    yield bytes.subarray(offset);
  },
});

async function* hashed(source: AsyncIterable<Uint8Array>, hash: ReturnType<typeof createHash>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    hash.update(chunk);
    yield chunk;
  }
}

const CHUNK_BYTES = 64 * 1024;

/**
 * Compressed by fflate, which is JavaScript and so gives the same bytes whatever zlib a machine has. It has to be fed
 * pieces of one size: where they end shows in the result.
 */
async function* gzipped(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = [];
  const gzip = new Gzip({ level: 6, mtime: 0 });
  gzip.ondata = (chunk) => ready.push(chunk);
  for await (const piece of source) {
    gzip.push(piece, false);
    yield* ready.splice(0);
  }
  gzip.push(new Uint8Array(0), true);
  yield* ready.splice(0);
}

/** The same bytes in pieces of 64 KiB, the last one shorter. Each piece has memory of its own. */
async function* pieces(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let piece = new Uint8Array(CHUNK_BYTES);
  let filled = 0;
  for await (const chunk of source) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + CHUNK_BYTES - filled);
      piece.set(part, filled);
      filled += part.length;
      at += part.length;
      if (filled < CHUNK_BYTES) continue;
      yield piece;
      piece = new Uint8Array(CHUNK_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}
