import { hashFor } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import type { Descriptor } from "../manifest.ts";
import { asRegistryError } from "./exchange.ts";
import type { Answer } from "./exchange.ts";
import { describe, scopeOf, urlIn } from "./repository-address.ts";
import type { RepositoryAddress } from "./repository-address.ts";

/** A blob that can be read, more than once and from any offset. */
export interface BlobSource {
  readonly blob: Pick<Descriptor, "digest" | "size">;
  /**
   * The bytes from `offset` on. A read from 0 proves size and digest: its last bytes come only once they are right.
   * @throws RegistryError `corrupt` for other bytes
   */
  read(offset?: number): AsyncIterable<Uint8Array>;
}

/** The size of the blob in bytes; undefined where the repository does not have it. */
export async function headBlob(address: RepositoryAddress, digest: string): Promise<number | undefined> {
  const answer = await address.exchange.send({ ...request(address, digest), method: "HEAD", expect: [200, 404] });
  await answer.body.dump();
  return answer.status === 404 ? undefined : Number(answer.headers["content-length"] ?? 0);
}

/**
 * Reads a blob of the registry. A connection that breaks is taken up again where it broke, by Range; each one that
 * brought bytes starts the count of tries anew.
 */
export function blobSource(address: RepositoryAddress, blob: Pick<Descriptor, "digest" | "size">): BlobSource {
  return { blob, read: (offset = 0) => checked(address, blob, offset) };
}

async function* checked(address: RepositoryAddress, { digest, size }: Pick<Descriptor, "digest" | "size">, offset: number): AsyncGenerator<Uint8Array> {
  const hash = offset === 0 ? hashFor(digest) : undefined;
  let held: Uint8Array | undefined;
  let position = offset;
  for await (const chunk of resumed(address, { digest, size }, offset)) {
    position += chunk.length;
    if (position > size) throw corrupt(address, digest, `it sends more than the ${size} bytes that the manifest names`);
    hash?.update(chunk);
    if (held !== undefined) yield held;
    held = chunk;
  }
  if (position !== size) throw corrupt(address, digest, `it sent ${position} bytes, the manifest names ${size}`);
  const found = hash?.digest("hex");
  if (found !== undefined && !digest.endsWith(`:${found}`)) throw corrupt(address, digest, `the bytes have the digest ${found}`);
  if (held !== undefined) yield held;
}

/** The bytes from `offset` on, over as many connections as it takes. */
async function* resumed(address: RepositoryAddress, { digest, size }: Pick<Descriptor, "digest" | "size">, offset: number): AsyncGenerator<Uint8Array> {
  const { exchange, context, registry } = address;
  let position = offset;
  for (let attempt = 1; position < size || size === 0; attempt += 1) {
    try {
      for await (const chunk of await bodyFrom(address, digest, position)) {
        yield chunk;
        position += chunk.length;
        attempt = 0;
      }
      if (position >= size) return;
      throw new RegistryError({ kind: "unavailable", registry, doing: `read ${describe(address, digest)}`, says: `it ended after ${position} of ${size} bytes` });
    } catch (error) {
      const failure = asFailure(address, digest, error);
      if (!failure.temporary || attempt >= exchange.retries.attempts) throw failure;
      await exchange.clock.sleep(exchange.waitAfter(failure, Math.max(1, attempt)), context.signal);
    }
  }
}

async function bodyFrom(address: RepositoryAddress, digest: string, offset: number): Promise<AsyncIterable<Uint8Array>> {
  const headers: Record<string, string> = offset === 0 ? {} : { range: `bytes=${offset}-` };
  const answer = await address.exchange.send({ ...request(address, digest), method: "GET", headers, expect: [200, 206] });
  return skip(answer, offset);
}

/** A registry or cache that knows no Range sends everything: what is there already is thrown away. */
async function* skip({ status, headers, body }: Answer, offset: number): AsyncGenerator<Uint8Array> {
  const start = status === 206 ? Number(/^bytes (\d+)-/.exec(headers["content-range"] ?? "")?.[1] ?? offset) : 0;
  let left = offset - start;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    if (left >= chunk.length) left -= chunk.length;
    else {
      yield left === 0 ? chunk : chunk.subarray(left);
      left = 0;
    }
  }
}

function asFailure(address: RepositoryAddress, digest: string, error: unknown): RegistryError {
  try {
    return asRegistryError(address.registry, `read ${describe(address, digest)}`, address.context.signal)(error);
  } catch (failure) {
    if (failure instanceof RegistryError) return failure;
    throw failure;
  }
}

const request = (address: RepositoryAddress, digest: string) => ({
  registry: address.registry,
  url: urlIn(address, `blobs/${digest}`),
  scopes: [scopeOf(address, "pull")],
  doing: `read ${describe(address, digest)}`,
  context: address.context,
});

const corrupt = (address: RepositoryAddress, digest: string, says: string): RegistryError =>
  new RegistryError({ kind: "corrupt", registry: address.registry, doing: `read ${describe(address, digest)}`, says });
