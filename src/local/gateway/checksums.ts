import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import { Crc64Nvme } from "@aws-sdk/crc64-nvme";

/** The checksums S3 clients send beside MD5: in the header or trailer `x-amz-checksum-<name>`, in base64. */
export const CHECKSUM_ALGORITHMS = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

/** A checksum being computed. */
export interface Checksum {
  update(bytes: Uint8Array): void;
  /** The bytes of the result, big-endian. Ask once, at the end. */
  digest(): Promise<Buffer>;
}

/**
 * Starts a checksum.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
export function startChecksum(algorithm: ChecksumAlgorithm): Checksum {
  switch (algorithm) {
    case "crc32":
      return rolling(crc32);
    case "crc32c":
      return rolling(crc32c);
    case "crc64nvme":
      return crc64();
    case "sha1":
    case "sha256":
      return hash(algorithm);
  }
}

/** The algorithm of a header or trailer named `x-amz-checksum-<name>`, or undefined for any other name. */
export function checksumOf(headerName: string): ChecksumAlgorithm | undefined {
  const name = /^x-amz-checksum-(.+)$/.exec(headerName)?.[1];
  return CHECKSUM_ALGORITHMS.find((algorithm) => algorithm === name);
}

function rolling(step: (bytes: Uint8Array, before: number) => number): Checksum {
  let value = 0;
  return {
    update: (bytes) => {
      value = step(bytes, value);
    },
    digest: async () => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value >>> 0);
      return bytes;
    },
  };
}

function crc64(): Checksum {
  const state = new Crc64Nvme();
  return { update: (bytes) => state.update(bytes), digest: async () => Buffer.from(await state.digest()) };
}

function hash(algorithm: "sha1" | "sha256"): Checksum {
  const state = createHash(algorithm);
  return { update: (bytes) => void state.update(bytes), digest: async () => state.digest() };
}

// Castagnoli's polynomial, reversed (RFC 3720, appendix B.4). Eight tables of 256, end to end, take eight bytes a step.
const CRC32C_TABLES = ((): Uint32Array => {
  const tables = new Uint32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
    tables[byte] = value;
  }
  for (let index = 256; index < tables.length; index++) {
    const shorter = tables[index - 256] as number;
    tables[index] = (shorter >>> 8) ^ (tables[shorter & 0xff] as number);
  }
  return tables;
})();

/** CRC-32C of `bytes`, continuing from the value of what came before. */
export function crc32c(bytes: Uint8Array, before = 0): number {
  const at = (table: number, index: number): number => CRC32C_TABLES[table * 256 + (index & 0xff)] as number;
  let crc = ~before;
  let position = 0;
  for (; position + 8 <= bytes.length; position += 8) {
    const low = crc ^ word(bytes, position);
    const high = word(bytes, position + 4);
    crc =
      at(7, low) ^
      at(6, low >>> 8) ^
      at(5, low >>> 16) ^
      at(4, low >>> 24) ^
      at(3, high) ^
      at(2, high >>> 8) ^
      at(1, high >>> 16) ^
      at(0, high >>> 24);
  }
  for (; position < bytes.length; position++) crc = at(0, crc ^ (bytes[position] as number)) ^ (crc >>> 8);
  return ~crc >>> 0;
}

const word = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16) | ((bytes[at + 3] as number) << 24);
