import { hashFor } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import type { Descriptor } from "../manifest.ts";
import { blobRequest, inRanges } from "./blob-ranges.ts";
import { asRegistryError } from "./exchange.ts";
import { describe } from "./repository-address.ts";
import type { RepositoryAddress } from "./repository-address.ts";

export interface ReadOptions {
  /** Whether whoever gets the bytes proves their digest: their number alone is looked at here. @default false */
  readonly isProvedThere?: boolean;
  /** Whether each chunk is done with when the next is asked for: its memory is then used again. @default false */
  readonly isLent?: boolean;
}

/** A blob that can be read, more than once and from any offset. */
export interface BlobSource {
  readonly blob: Pick<Descriptor, "digest" | "size">;
  /**
   * The bytes from `offset` on. A read from 0 proves size and digest: its last bytes come only once they are right.
   * @throws RegistryError `corrupt` for other bytes
   */
  read(offset?: number, options?: ReadOptions): AsyncIterable<Uint8Array>;
}

/** The size of the blob in bytes; undefined where the repository does not have it. */
export async function headBlob(address: RepositoryAddress, digest: string): Promise<number | undefined> {
  const answer = await address.exchange.send({ ...blobRequest(address, digest), method: "HEAD", expect: [200, 404] });
  await answer.body.dump();
  return answer.status === 404 ? undefined : Number(answer.headers["content-length"] ?? 0);
}

/**
 * Waits until the registry can send all of a blob, and reads its last byte alone. A registry that caches answers for
 * blobs that it still brings; their end comes when they are there.
 * @returns false where the repository does not have it
 * @throws RegistryError
 */
export async function awaitBlob(address: RepositoryAddress, { digest, size }: BlobSource["blob"]): Promise<boolean> {
  const { exchange, context } = address;
  const headers: Record<string, string> = size > 0 ? { range: `bytes=${size - 1}-${size - 1}` } : {};
  return exchange.patience.again(async () => {
    const { status, body } = await exchange.sendOnce({ ...blobRequest(address, digest), method: "GET", headers, expect: [200, 206, 404] });
    // Who knows no ranges would send everything: that it begins has to be enough.
    if (status === 200 && size > 1) {
      body.destroy();
      return true;
    }
    await body.text().catch(asRegistryError(address.registry, `read ${describe(address, digest)}`, context.signal));
    return status !== 404;
  }, context.signal);
}

/**
 * Reads a blob of the registry. A connection that breaks is taken up again where it broke, by Range; each one that
 * brought bytes starts the count of tries anew.
 */
export function blobSource(address: RepositoryAddress, blob: Pick<Descriptor, "digest" | "size">): BlobSource {
  return { blob, read: (offset = 0, options = {}) => checked(address, blob, offset, options) };
}

async function* checked(
  address: RepositoryAddress,
  blob: BlobSource["blob"],
  offset: number,
  { isProvedThere = false, isLent = false }: ReadOptions,
): AsyncGenerator<Uint8Array> {
  const { digest, size } = blob;
  const hash = offset === 0 && !isProvedThere ? hashFor(digest) : undefined;
  const prove = (): void => {
    const found = hash?.digest("hex");
    if (found !== undefined && !digest.endsWith(`:${found}`)) throw corrupt(address, digest, `the bytes have the digest ${found}`);
  };
  let position = offset;
  for await (const chunk of inRanges(address, blob, { offset, isLent })) {
    if (chunk.length === 0) continue;
    position += chunk.length;
    if (position > size) throw corrupt(address, digest, `it sends more than the ${size} bytes that the manifest names`);
    hash?.update(chunk);
    if (position === size) prove();
    yield chunk;
  }
  if (position !== size) throw corrupt(address, digest, `it sent ${position} bytes, the manifest names ${size}`);
  if (size === 0) prove();
}

const corrupt = (address: RepositoryAddress, digest: string, says: string): RegistryError =>
  new RegistryError({ kind: "corrupt", registry: address.registry, doing: `read ${describe(address, digest)}`, says });
