import { createHash, type Hash } from "node:crypto";
import { createReadStream, rmSync, statSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { release } from "./chunk-memory.ts";

/** Files that grow, hashed as their bytes arrive: a layer of any size is not read again to know its name. */
export interface HashedFiles {
  /** Makes an empty file. */
  begin(file: string): void;
  /** Adds bytes; one call at a time for each file. What arrived before a connection broke stays. */
  append(file: string, bytes: AsyncIterable<Uint8Array>): Promise<void>;
  /** SHA-256 of the whole file, in hex. */
  sha256(file: string): Promise<string>;
  remove(file: string): void;
}

/** What has been hashed of a file. */
interface Hashed {
  readonly hash: Hash;
  bytes: number;
}

export function hashedFiles(): HashedFiles {
  const known = new Map<string, Hashed>();
  return {
    begin(file) {
      writeFileSync(file, "");
      known.set(file, { hash: createHash("sha256"), bytes: 0 });
    },
    async append(file, bytes) {
      const hashed = known.get(file);
      const end = await open(file, "a");
      try {
        await writeChunks(end, observed(bytes, hashed));
      } finally {
        await end.close();
      }
    },
    async sha256(file) {
      const hashed = known.get(file);
      // Otherwise an earlier process wrote some of it, or the disk was too full to keep all.
      if (hashed?.bytes === statSync(file).size) return hashed.hash.copy().digest("hex");
      const hash = createHash("sha256");
      for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
      return hash.digest("hex");
    },
    remove(file) {
      known.delete(file);
      rmSync(file, { force: true });
    },
  };
}

async function* observed(bytes: AsyncIterable<Uint8Array>, hashed: Hashed | undefined): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    if (hashed) {
      hashed.hash.update(chunk);
      hashed.bytes += chunk.length;
    }
    yield chunk;
  }
}

/** One write for this much: each costs a thread its waking, as much as writing a small chunk. */
const WRITE_BYTES = 512 * 1024;

/**
 * Writes chunks while further ones arrive, and gives their memory back. When the source fails, those before are written,
 * and it is thrown on.
 */
async function writeChunks(file: FileHandle, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  let batch: Uint8Array[] = [];
  let batchBytes = 0;
  let written: Promise<void> = Promise.resolve();
  const flush = async () => {
    const full = batch;
    batch = [];
    batchBytes = 0;
    await written;
    written = writeAll(file, full);
    // Seen when the next write, or the end, waits for it.
    written.catch(() => undefined);
  };
  try {
    for await (const chunk of chunks) {
      batch.push(chunk);
      batchBytes += chunk.length;
      if (batchBytes >= WRITE_BYTES) await flush();
    }
  } finally {
    await flush();
    await written;
  }
}

/** A disk that is nearly full takes a part; the rest is tried for its error. */
async function writeAll(file: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
  const { bytesWritten } = await file.writev(chunks);
  if (bytesWritten < bytes) await file.writeFile(Buffer.concat(chunks).subarray(bytesWritten));
  for (const chunk of chunks) release(chunk);
}
