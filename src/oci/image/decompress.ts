import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";

/** How a file is packed, by its first bytes, whatever it is called. */
export type Packing = keyof typeof MAGIC;

const MAGIC = {
  gzip: Buffer.from([0x1f, 0x8b]),
  zstd: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]),
  bzip2: Buffer.from("BZh"),
  xz: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a]),
} as const;

const DECOMPRESSORS = { gzip: createGunzip, zstd: createZstdDecompress } as const;

/** Undefined where the bytes are not packed by anything known. */
export function packingOf(start: Uint8Array): Packing | undefined {
  const [found] = Object.entries(MAGIC).find(([, magic]) => magic.equals(start.subarray(0, magic.length))) ?? [];
  return found as Packing | undefined;
}

/** Whether this code can read what is packed so. */
export const isReadable = (packing: Packing): packing is keyof typeof DECOMPRESSORS => packing in DECOMPRESSORS;

/** Decompresses what begins like gzip or zstd; everything else comes as it is. */
export async function* unpacked(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const chunks = source[Symbol.asyncIterator]();
  const first = await chunks.next();
  const rest = { [Symbol.asyncIterator]: () => chunks };
  async function* all(): AsyncGenerator<Uint8Array> {
    if (!first.done) yield first.value;
    yield* rest;
  }
  const packing = first.done ? undefined : packingOf(first.value);
  if (packing === undefined || !isReadable(packing)) return yield* all();
  const decompress = DECOMPRESSORS[packing]();
  const done = pipeline(Readable.from(all()), decompress);
  done.catch(() => undefined);
  yield* decompress as AsyncIterable<Uint8Array>;
  await done;
}
