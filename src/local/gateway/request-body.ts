import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { AwsError } from "./aws-error.ts";
import { CHUNKED_PAYLOADS, type ChunkedPayload, type ChunkSigning, decodeAwsChunked } from "./aws-chunked.ts";

export interface BodyHeaders {
  readonly headers: Readonly<Record<string, string>>;
  readonly chunks?: ChunkSigning;
}

/**
 * The body of an S3 request as its bytes: aws-chunked framing removed, and whatever the signature promises of the
 * content verified while it is read, so that a reader who reaches the end has the bytes that were signed.
 */
export function openBody(raw: Readable, { headers, chunks }: BodyHeaders): Readable {
  const payload = headers["x-amz-content-sha256"];
  if (payload === undefined || payload === "UNSIGNED-PAYLOAD") return raw;
  if (CHUNKED_PAYLOADS.includes(payload as ChunkedPayload)) {
    const decoded = decodeAwsChunked(raw as AsyncIterable<Uint8Array>, {
      payload: payload as ChunkedPayload,
      decodedLength: Number(headers["x-amz-decoded-content-length"]),
      trailers: (headers["x-amz-trailer"] ?? "")
        .split(",")
        .map((name) => name.trim().toLowerCase())
        .filter((name) => name !== ""),
      ...(chunks && { signing: chunks }),
    });
    return Readable.from(decoded.bytes, { objectMode: false });
  }
  return Readable.from(verified(raw, payload), { objectMode: false });
}

async function* verified(raw: Readable, expected: string): AsyncGenerator<Buffer> {
  const hash = createHash("sha256");
  for await (const chunk of raw) {
    hash.update(chunk as Buffer);
    yield chunk as Buffer;
  }
  const found = hash.digest("hex");
  if (found !== expected)
    throw new AwsError(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.", {
      ClientComputedContentSHA256: expected,
      S3ComputedContentSHA256: found,
    });
}
