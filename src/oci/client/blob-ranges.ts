import { buffer } from "node:stream/consumers";
import { RegistryError } from "../errors.ts";
import type { Descriptor } from "../manifest.ts";
import { lent } from "./chunk-memory.ts";
import { asRegistryError } from "./exchange.ts";
import type { Answer } from "./exchange.ts";
import { LentBody } from "./lent-body.ts";
import { describe, scopeOf, urlIn } from "./repository-address.ts";
import type { RepositoryAddress } from "./repository-address.ts";

/** Part of a blob: from `start` up to, not including, `end`. */
interface Span {
  readonly digest: string;
  readonly start: number;
  readonly end: number;
  /** Of the whole blob. */
  readonly size: number;
  /** Whether the span ends before the blob does, so that the request has to say where. */
  readonly isPart: boolean;
  /** Whether chunks are done with when the next is asked for. */
  readonly isLent: boolean;
}

/** Each range is held in memory until those before it have been taken. */
const RANGE_BYTES = 8 * 1024 * 1024;

/** A server between here and the blob sends all of it whatever range is asked for. */
class RangeIgnored extends Error {
  override readonly name = "RangeIgnored";
}

/**
 * The bytes of a blob from `offset` on, unchecked. Large blobs are read over several connections at once where the
 * client is told to: object stores give each connection only so much.
 */
export function inRanges(
  address: RepositoryAddress,
  { digest, size }: Pick<Descriptor, "digest" | "size">,
  { offset, isLent }: Reading,
): AsyncIterable<Uint8Array> {
  const span: Span = { digest, start: offset, end: size, size, isPart: false, isLent };
  return address.exchange.rangesPerBlob > 1 && size - offset > 2 * RANGE_BYTES ? sideBySide(address, span) : resumed(address, span);
}

/** From where a blob is read, and whether its chunks are done with when the next is asked for. */
export interface Reading {
  readonly offset: number;
  readonly isLent: boolean;
}

async function* sideBySide(address: RepositoryAddress, span: Span): AsyncGenerator<Uint8Array> {
  let position = span.start;
  try {
    for await (const bytes of readAhead(address, { ...span, isPart: true, isLent: false }, address.exchange.rangesPerBlob)) {
      position += bytes.length;
      yield bytes;
    }
    return;
  } catch (error) {
    if (!(error instanceof RangeIgnored)) throw error;
  }
  yield* resumed(address, { ...span, start: position });
}

async function* readAhead(address: RepositoryAddress, span: Span, atOnce: number): AsyncGenerator<Buffer> {
  const coming: Promise<Buffer>[] = [];
  let next = span.start;
  const ask = (): void => {
    for (; coming.length < atOnce && next < span.end; next += RANGE_BYTES) {
      const range = buffer(resumed(address, { ...span, start: next, end: Math.min(span.end, next + RANGE_BYTES) }));
      // Its failure is seen when its turn comes; an earlier one may end the reading before.
      range.catch(() => undefined);
      coming.push(range);
    }
  };
  ask();
  for (let range = coming.shift(); range; range = coming.shift()) {
    const bytes = await range;
    ask();
    yield bytes;
  }
}

/** The bytes of a span, over as many connections as it takes, one after another. */
async function* resumed(address: RepositoryAddress, span: Span): AsyncGenerator<Uint8Array> {
  const { exchange, context } = address;
  let position = span.start;
  for (let attempt = 1; position < span.end || span.end === 0; attempt += 1) {
    const startedAt = position;
    try {
      for await (const chunk of await bodyOf(address, { ...span, start: position })) {
        position += chunk.length;
        attempt = 0;
        // Whoever takes it may give its memory away.
        yield chunk;
      }
      if (position >= span.end) return;
      const isRest = startedAt > span.start || attempt > 1;
      throw isRest && position === startedAt ? tooShort(address, span, position) : endedAt(address, span, position);
    } catch (error) {
      if (error instanceof RangeIgnored) throw error;
      const failure = asFailure(address, span, error);
      if (failure.status === 416) throw tooShort(address, span, position);
      if (!failure.temporary) throw failure;
      await exchange.patience.wait(failure, Math.max(1, attempt), context.signal);
    }
  }
}

/** A cache may have cut it off: the rest is asked for. */
const endedAt = (address: RepositoryAddress, span: Span, position: number): RegistryError =>
  new RegistryError({ kind: "unavailable", ...about(address, span), says: `it ended after ${position} of ${span.size} bytes` });

/** Asked for what lacks, the registry has no more: that is all of the blob. */
const tooShort = (address: RepositoryAddress, span: Span, position: number): RegistryError =>
  new RegistryError({
    kind: "corrupt",
    ...about(address, span),
    says: `it sends ${position} of the ${span.size} bytes that the manifest names`,
    tries: 2,
  });

function rangeHeader({ start, end, isPart }: Span): Record<string, string> {
  if (isPart) return { range: `bytes=${start}-${end - 1}` };
  return start > 0 ? { range: `bytes=${start}-` } : {};
}

async function bodyOf(address: RepositoryAddress, span: Span): Promise<AsyncIterable<Uint8Array>> {
  const { digest, start, isPart, isLent } = span;
  const asked = { ...blobRequest(address, digest), method: "GET" as const, headers: rangeHeader(span), isLent };
  const answer = await address.exchange.sendOnce({ ...asked, expect: [200, 206] });
  if (isPart && answer.status !== 206) {
    answer.body.destroy();
    throw new RangeIgnored(`${address.registry} sends whole blobs only`);
  }
  const bytes = skip(answer, start);
  return isLent && !(answer.body instanceof LentBody) ? lent(bytes) : bytes;
}

/** A registry or cache that knows no Range sends everything: what is there already is thrown away. */
const skip = ({ status, body }: Answer, offset: number): AsyncIterable<Uint8Array> =>
  status === 206 || offset === 0 ? body : without(body, offset);

async function* without(bytes: AsyncIterable<Uint8Array>, skipped: number): AsyncGenerator<Uint8Array> {
  let left = skipped;
  for await (const chunk of bytes) {
    if (left >= chunk.length) left -= chunk.length;
    else {
      yield left === 0 ? chunk : chunk.subarray(left);
      left = 0;
    }
  }
}

function asFailure(address: RepositoryAddress, span: Span, error: unknown): RegistryError {
  try {
    return asRegistryError(address.registry, about(address, span).doing, address.context.signal)(error);
  } catch (failure) {
    if (failure instanceof RegistryError) return failure;
    throw failure;
  }
}

const about = (address: RepositoryAddress, { digest }: Pick<Span, "digest">) => ({
  registry: address.registry,
  doing: `read ${describe(address, digest)}`,
});

/** What all requests for a blob have in common. */
export const blobRequest = (address: RepositoryAddress, digest: string) => ({
  ...about(address, { digest }),
  url: urlIn(address, `blobs/${digest}`),
  scopes: [scopeOf(address, "pull")],
  context: address.context,
});
