import type { Readable } from "node:stream";
import { checksumOf, startChecksum } from "../gateway/checksums.ts";
import type { Blob, BlobStore } from "../storage/blobs.ts";
import { badDigest } from "./errors.ts";

/** What a client says of the body it sends. */
export interface Expected {
  readonly ContentMD5?: string | undefined;
  /** The request's headers: those named `x-amz-checksum-…` hold checksums. */
  readonly http?: Readonly<Record<string, string>> | undefined;
}

/** A stored body. */
export interface Received {
  readonly blob: Blob;
  /** Those that the client sent and that were right, by their member in the API: `ChecksumCRC32`. */
  readonly checksums: Record<string, string>;
}

/** Stores a body and verifies what the client said of it. @throws AwsError BadDigest */
export async function receiveBody(
  blobs: BlobStore,
  body: Readable | Uint8Array | string | undefined,
  expected: Expected,
): Promise<Received> {
  const checks = Object.entries(expected.http ?? {}).flatMap(([name, value]) => {
    const algorithm = checksumOf(name);
    return algorithm ? [{ algorithm, value, state: startChecksum(algorithm) }] : [];
  });
  const bytes = body ?? new Uint8Array();
  const source = typeof bytes === "string" || bytes instanceof Uint8Array ? [Buffer.from(bytes)] : (bytes as AsyncIterable<Buffer>);
  async function* checked(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      for (const { state } of checks) state.update(chunk);
      yield chunk;
    }
    for (const { state, value } of checks) if ((await state.digest()).toString("base64") !== value) throw badDigest();
  }
  const blob = await blobs.write(checked());
  if (expected.ContentMD5 !== undefined && Buffer.from(expected.ContentMD5, "base64").toString("hex") !== blob.md5) throw badDigest();
  return { blob, checksums: Object.fromEntries(checks.map(({ algorithm, value }) => [`Checksum${algorithm.toUpperCase()}`, value])) };
}
