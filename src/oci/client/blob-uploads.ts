import { getDefaultHighWaterMark } from "node:stream";
import { readPrivateEcrHost } from "../../kit/image-ref-ecr.ts";
import { RegistryError } from "../errors.ts";
import type { BlobSource } from "./blob-reader.ts";
import { headBlob } from "./blob-reader.ts";
import type { Answer } from "./exchange.ts";
import type { RepositoryAddress } from "./repository-address.ts";
import { askOffset, cancelUpload, offsetFrom, openUpload, sessionFrom, temporary, uploading, withDigest } from "./upload-sessions.ts";
import type { UploadSession } from "./upload-sessions.ts";

/** Blobs up to this size go in one request; larger ones can be taken up again where a connection broke. */
const LARGEST_WHOLE_BYTES = 4 * 1024 * 1024;

/**
 * Uploads a blob, from where a broken connection left off.
 * @param session an upload that is open already; one is opened otherwise
 * @returns the number of bytes sent, repeated ones included
 * @throws RegistryError of the source or of the registry, once tries are used up
 */
export async function uploadBlob(address: RepositoryAddress, source: BlobSource, session?: UploadSession): Promise<number> {
  const { exchange, context } = address;
  const isWhole = source.blob.size <= LARGEST_WHOLE_BYTES;
  let upload: OpenUpload = {
    session: session ?? (await openUpload(address)),
    offset: 0,
    sentBytes: 0,
    isProvedThere: provesDigests(address),
  };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await (isWhole ? sendWhole(address, source, upload) : sendResumable(address, source, upload));
    } catch (error) {
      if (!isWorthwhile(error, upload)) return await giveUp(address, upload, error);
      await exchange.patience.wait(error, attempt, context.signal).catch((last: unknown) => giveUp(address, upload, last));
      const isResumable = !isWhole && !isTurnedDown(error) && error.says !== KEPT_NONE;
      const { sentBytes } = upload;
      const there = isResumable ? await askOffset(address, source.blob.digest, upload.session) : undefined;
      upload = { ...(there ?? { session: await openUpload(address), offset: 0 }), sentBytes, isProvedThere: false };
    }
  }
}

/** The state of one upload across its tries. `sentBytes` and `session` are kept up to date while sending. */
interface OpenUpload {
  session: UploadSession;
  readonly offset: number;
  sentBytes: number;
  /** Whether the registry alone looks whether the bytes are right: what it turns down is read again and proved, to tell whose fault it was. */
  readonly isProvedThere: boolean;
}

/** A failure that has used up tries of its own, of the source for example: sending again would not help. */
class TriedEnough extends Error {
  override readonly name = "TriedEnough";
}

/**
 * ECR answers so to a second part of an upload, whether it kept it or not: only a new upload tells.
 * @see https://github.com/aws/containers-roadmap/issues/2831
 */
const KEPT_NONE = "it kept none of the bytes sent";

async function sendWhole(address: RepositoryAddress, source: BlobSource, upload: OpenUpload): Promise<number> {
  const url = withDigest(upload.session.location, source.blob.digest);
  const answer = await sendBody(address, {
    method: "PUT",
    url,
    source,
    upload,
    headers: {},
    expect: [200, 201, 202, 204],
  });
  await answer.body.dump();
  return upload.sentBytes;
}

async function sendResumable(address: RepositoryAddress, source: BlobSource, upload: OpenUpload): Promise<number> {
  let { offset } = upload;
  while (offset < source.blob.size) {
    const headers: Record<string, string> = offset === 0 ? {} : { "content-range": `${offset}-${source.blob.size - 1}` };
    const url = upload.session.location;
    const answer = await sendBody(address, {
      method: "PATCH",
      url,
      source,
      upload: { ...upload, offset },
      headers,
      // ECR's answer is 201 (github.com/aws/containers-roadmap/issues/2831).
      expect: [200, 201, 202, 204],
    });
    await answer.body.dump();
    upload.sentBytes += source.blob.size - offset;
    upload.session = sessionFrom(address, answer);
    const received = offsetFrom(answer) ?? source.blob.size;
    if (received <= offset) throw temporary(address, KEPT_NONE);
    offset = received;
  }
  await commit(address, upload.session, source.blob.digest);
  return upload.sentBytes;
}

/**
 * undici asks for the next chunk when the socket wants more: with a chunk of at least this size, when it has taken all of
 * it. A smaller one may still wait in the stream, and a lent one would change meanwhile.
 * @see https://nodejs.org/api/stream.html#streamgetdefaulthighwatermarkobjectmode
 */
const TAKEN_AT_ONCE = getDefaultHighWaterMark(false);

interface BodyRequest {
  readonly method: "PUT" | "PATCH";
  readonly url: URL;
  readonly source: BlobSource;
  readonly upload: OpenUpload;
  readonly headers: Readonly<Record<string, string>>;
  readonly expect: readonly number[];
}

async function sendBody(address: RepositoryAddress, { method, url, source, upload, headers, expect }: BodyRequest): Promise<Answer> {
  let failed: { readonly error: unknown } | undefined;
  async function* body(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of source.read(upload.offset, { ...upload, isLent: true })) {
        if (method === "PUT") upload.sentBytes += chunk.length;
        yield chunk.byteLength < TAKEN_AT_ONCE ? Uint8Array.from(chunk) : chunk;
      }
    } catch (error) {
      failed = { error };
      throw error;
    }
  }
  const length = String(source.blob.size - upload.offset);
  const asked = {
    method,
    url,
    headers: { ...headers, "content-type": "application/octet-stream", "content-length": length },
    expect,
  };
  try {
    return await address.exchange.sendOnce({ ...uploading(address, source.blob.digest), ...asked, body: body() });
  } catch (error) {
    if (failed === undefined) throw error;
    // Too many bytes are as a wrong one: both are read once more.
    throw isCorrupt(failed.error) && upload.isProvedThere
      ? failed.error
      : new TriedEnough("the source of a blob failed", { cause: failed.error });
  }
}

async function commit(address: RepositoryAddress, { location }: UploadSession, digest: string): Promise<void> {
  const url = withDigest(location, digest);
  const headers = { "content-length": "0" };
  try {
    const answer = await address.exchange.send({
      ...uploading(address, digest),
      method: "PUT",
      url,
      headers,
      expect: [200, 201, 202, 204],
    });
    await answer.body.dump();
  } catch (error) {
    if (!isLost(error)) throw isTurnedDown(error) ? error : new TriedEnough("the upload could not be ended", { cause: error });
    // The answer to an earlier try may have been lost: then the upload is gone and the blob is there.
    if ((await headBlob(address, digest)) === undefined) throw error;
  }
}

/** Whether sending again may help: what passes, an upload that the registry lost, parts that it put together wrong. */
function isWorthwhile(error: unknown, { offset, isProvedThere }: OpenUpload): error is RegistryError {
  if (!(error instanceof RegistryError)) return false;
  return error.temporary || isLost(error) || (isTurnedDown(error) && (isProvedThere || offset > 0));
}

/**
 * ECR computes the digest of every layer that it receives and refuses one with another: to do so here as well costs a
 * tenth of a copy's processor time.
 * @see https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CompleteLayerUpload.html InvalidLayerException
 */
const provesDigests = ({ registry }: RepositoryAddress): boolean => readPrivateEcrHost(registry) !== undefined;

async function giveUp(address: RepositoryAddress, { session }: OpenUpload, error: unknown): Promise<never> {
  address.context.signal?.throwIfAborted();
  await cancelUpload(address, session);
  throw error instanceof TriedEnough ? error.cause : error;
}

const LOST = new Set(["BLOB_UPLOAD_UNKNOWN", "BLOB_UPLOAD_INVALID", "RANGE_INVALID"]);

/** Whether the registry no longer knows the upload, or stands elsewhere in it than it said. */
const isLost = (error: unknown): boolean =>
  error instanceof RegistryError && (LOST.has(error.code ?? "") || error.kind === "missing" || error.status === 416);

const isCorrupt = (error: unknown): boolean => error instanceof RegistryError && error.kind === "corrupt";

/** Whether the bytes may be why. The API page does not say with which code the registry protocol answers for them. */
const isTurnedDown = (error: unknown): boolean => isCorrupt(error) || (error instanceof RegistryError && error.status === 400);
