import { writeSync } from "node:fs";

/**
 * Writes a chunk and gives its memory back. At once, in the thread that has just read and hashed it: another would find it
 * no longer in its core's cache, and spend more time on getting it there than on writing (`bench/images`).
 * @throws the file system's error; what a nearly full disk took of the chunk is then in the file
 */
export function writeAtOnce(file: number, chunk: Uint8Array): void {
  for (let at = 0; at < chunk.byteLength;) at += writeSync(file, chunk, at);
  release(chunk);
}

/**
 * Gives a chunk's memory back at once. Of a layer, thousands of chunks come and go: left to the garbage collector they
 * cost more time than hashing them. Only memory that is this chunk's alone is given back, none of Node's shared pool.
 */
function release({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
