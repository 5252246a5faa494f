import { createHash, type Hash } from "node:crypto";
import { closeSync, createReadStream, openSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { Readable } from "node:stream";
import { eachChunk } from "./each-chunk.ts";
import { writeAtOnce } from "./write-at-once.ts";

/** Files that grow, hashed as their bytes arrive: a layer of any size is not read again to know its name. */
export interface HashedFiles {
  /** Makes an empty file. */
  begin(file: string): void;
  /** Adds bytes, each chunk once `check` has let it pass; one call at a time for each file. What arrived before a connection broke stays. */
  append(file: string, bytes: Readable, check?: (chunk: Uint8Array) => void): Promise<void>;
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
    async append(file, bytes, check) {
      const hashed = known.get(file);
      const end = openSync(file, "a");
      try {
        await eachChunk(bytes, (chunk) => {
          check?.(chunk);
          if (hashed) {
            hashed.hash.update(chunk);
            hashed.bytes += chunk.byteLength;
          }
          writeAtOnce(end, chunk);
        });
      } finally {
        closeSync(end);
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
