import { writeSync } from "node:fs";

/**
 * Writes a chunk at once, in the thread that has just read and hashed it: another would find it no longer in its core's
 * cache, and spend more time on getting it there than on writing (`bench/images`).
 * @throws the file system's error; what a nearly full disk took of the chunk is then in the file
 */
export function writeAtOnce(file: number, chunk: Uint8Array): void {
  for (let at = 0; at < chunk.byteLength;) at += writeSync(file, chunk, at);
}
