import { addAbortSignal, Readable } from "node:stream";
import { GetObjectCommand, type GetObjectCommandOutput, type S3Client } from "@aws-sdk/client-s3";
import { formatS3Uri, type S3Uri } from "../kit/s3-uri.ts";
import { naming } from "./naming.ts";

/** A connection to S3 that broke, or fell silent, again and again while an object was read: the object is not to blame, and it may pass. */
export class ObjectCutShort extends Error {
  override readonly name = "ObjectCutShort";
  /** As of a connection that was reset: whoever judges what passes looks at this. */
  readonly code = "ECONNRESET";
}

/** How often a connection may break before the next byte comes. */
const TRIES = 3;

/**
 * An object as a stream that goes on where a connection broke, or fell silent for longer than the client bears.
 * @param signal ends it with its reason
 * @throws the SDK's NoSuchKey and others, with the URI in front of the message; the stream: ObjectCutShort
 */
export const openSteadily = async (s3: S3Client, at: S3Uri, signal?: AbortSignal): Promise<Readable> =>
  (await openSized(s3, at, signal)).body;

/** The same, with how many bytes it will be. */
export async function openSized(
  s3: S3Client,
  at: S3Uri,
  signal?: AbortSignal,
): Promise<{ readonly size: number; readonly body: Readable }> {
  const first = await ask({ s3, at, signal }, {}).catch(naming(at));
  return { size: first.ContentLength ?? 0, body: Readable.from(steadily({ s3, at, signal }, first), { objectMode: false }) };
}

interface Reading {
  readonly s3: S3Client;
  readonly at: S3Uri;
  readonly signal: AbortSignal | undefined;
}

const ask = (
  { s3, at: { bucket, key }, signal }: Reading,
  from: { readonly Range?: string; readonly IfMatch?: string | undefined },
): Promise<GetObjectCommandOutput> =>
  s3.send(new GetObjectCommand({ Bucket: bucket, Key: key, ...from }), signal && { abortSignal: signal });

async function* steadily(reading: Reading, first: GetObjectCommandOutput): AsyncGenerator<Buffer> {
  const size = first.ContentLength ?? 0;
  let [body, offset, broken] = [bytesOf(reading, first), 0, 0];
  try {
    while (offset < size) {
      const piece = await body.next().catch((error: Error) => error);
      reading.signal?.throwIfAborted();
      const chunk = piece instanceof Error || piece.done ? undefined : piece.value;
      if (chunk) {
        [offset, broken] = [offset + chunk.length, 0];
        yield chunk;
      } else {
        broken += 1;
        body = await again(reading, {
          offset,
          size,
          etag: first.ETag,
          broken,
          why: piece instanceof Error ? piece : new Error("it ended early"),
        });
      }
    }
    // What follows the last byte is the checksum's word.
    await body.next().catch((error: Error) => Promise.reject(cutShort(reading.at, offset, error)));
  } finally {
    await body.return?.();
  }
}

interface Break {
  readonly offset: number;
  readonly size: number;
  readonly etag: string | undefined;
  readonly broken: number;
  readonly why: Error;
}

async function again(reading: Reading, { offset, size, etag, broken, why }: Break): Promise<AsyncIterator<Buffer, unknown>> {
  // Bytes that are not the object's are among those that went on already.
  if (broken > TRIES || /checksum mismatch/i.test(why.message)) throw cutShort(reading.at, offset, why);
  try {
    return bytesOf(reading, await ask(reading, { Range: `bytes=${offset}-${size - 1}`, IfMatch: etag }));
  } catch (error) {
    reading.signal?.throwIfAborted();
    throw cutShort(reading.at, offset, error as Error);
  }
}

function bytesOf({ signal }: Reading, { Body }: GetObjectCommandOutput): AsyncIterator<Buffer, unknown> {
  const body = Body as Readable;
  return (signal ? addAbortSignal(signal, body) : body)[Symbol.asyncIterator]();
}

const cutShort = (at: S3Uri, offset: number, cause: Error): ObjectCutShort =>
  new ObjectCutShort(`${formatS3Uri(at)}: the connection broke again and again after ${offset} bytes: ${cause.message}`, { cause });
