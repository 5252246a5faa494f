import { createReadStream, readFileSync } from "node:fs";

const SMALL_BYTES = 64 * 1024;

/** The bytes of a file. A small one is read at once: to open a stream takes ten times as long, and sources have tens of thousands. */
export const fileBytes = (file: string, sizeBytes: number): AsyncIterable<Uint8Array> | Iterable<Uint8Array> =>
  sizeBytes <= SMALL_BYTES ? [readFileSync(file)] : createReadStream(file, { highWaterMark: 256 * 1024 });
