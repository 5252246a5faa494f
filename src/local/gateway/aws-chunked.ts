import { createHash, type Hash } from "node:crypto";

import { AwsError } from "./aws-error.ts";
import { type ChunkSource, readChunkSource } from "./chunk-source.ts";
import { checksumOf, type ChecksumAlgorithm, startChecksum } from "./checksums.ts";
import type { CredentialScope } from "./signed-request.ts";
import { hmacSha256, scopeText, sha256Hex, signaturesEqual } from "./signing-key.ts";

/** The values of `x-amz-content-sha256` that announce a body in aws-chunked encoding. */
export const CHUNKED_PAYLOADS = [
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
] as const;
export type ChunkedPayload = (typeof CHUNKED_PAYLOADS)[number];

/** How the first chunk's signature follows from the request's. Verify the request before decoding its body. */
export interface ChunkSigning {
  /** `signingKey(secret, scope)` */
  readonly key: Buffer;
  readonly scope: CredentialScope;
  /** As signed: `20130524T000000Z`. */
  readonly timestamp: string;
  /** The signature of the request itself. */
  readonly seedSignature: string;
}

/** What the headers of the request say of its body. */
export interface ChunkedBody {
  readonly payload: ChunkedPayload;
  /** The value of `x-amz-decoded-content-length`. */
  readonly decodedLength: number;
  /** The names of `x-amz-trailer`, in lower case. */
  readonly trailers: readonly string[];
  /** Needed by both signed payloads. */
  readonly signing?: ChunkSigning;
}

/** A body being decoded. */
export interface DecodedBody {
  /**
   * The bytes without their framing. Whoever stores them must do so only when the iteration ends without an error:
   * signatures, length and checksums are verified on the way and at the end.
   * @throws AwsError SignatureDoesNotMatch, IncompleteBody, BadDigest, MalformedTrailerError, InvalidRequest
   */
  readonly bytes: AsyncGenerator<Buffer>;
  /** The trailers by lower-case name; empty until `bytes` has ended. */
  trailers(): Readonly<Record<string, string>>;
}

/**
 * Decodes a body in aws-chunked encoding.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
 */
export function decodeAwsChunked(body: AsyncIterable<Uint8Array>, how: ChunkedBody): DecodedBody {
  const trailers: Record<string, string> = {};
  return { bytes: decode(readChunkSource(body), how, trailers), trailers: () => trailers };
}

async function* decode(source: ChunkSource, how: ChunkedBody, trailers: Record<string, string>): AsyncGenerator<Buffer> {
  const signatures = how.payload.startsWith("STREAMING-AWS4") ? signatureChain(how) : undefined;
  const checksums = how.trailers.flatMap((name) => checksumOf(name) ?? []).map((name) => ({ name, state: startChecksum(name) }));
  let length = 0;
  for (;;) {
    const { size, signature } = parseChunkHeader(await source.line());
    signatures?.begin();
    for await (const piece of source.take(size)) {
      length += piece.length;
      if (length > how.decodedLength) throw wrongLength();
      signatures?.update(piece);
      for (const { state } of checksums) state.update(piece);
      yield piece;
    }
    signatures?.verifyChunk(signature);
    if (size === 0) break;
    await source.lineBreak();
  }
  if (length !== how.decodedLength) throw wrongLength();
  await readTrailers(source, how, { into: trailers, signatures });
  for (const { name, state } of checksums) compareChecksum(name, await state.digest(), trailers[`x-amz-checksum-${name}`]);
}

function parseChunkHeader(line: string): { size: number; signature: string } {
  const match = /^([0-9a-fA-F]{1,12})(?:;chunk-signature=([0-9a-f]{64}))?$/.exec(line);
  if (!match?.[1])
    throw new AwsError(
      400,
      "InvalidRequest",
      `The chunk header "${line.slice(0, 100)}" is not of the form <hex size>;chunk-signature=<signature>.`,
    );
  return { size: Number.parseInt(match[1], 16), signature: match[2] ?? "" };
}

interface SignatureChain {
  begin(): void;
  update(bytes: Uint8Array): void;
  verifyChunk(presented: string): void;
  verifyTrailer(text: string, presented: string): void;
}

const EMPTY_SHA256 = sha256Hex("");

function signatureChain({ signing }: ChunkedBody): SignatureChain {
  if (!signing) throw mismatch();
  let previous = signing.seedSignature;
  let hash: Hash;
  const verify = (kind: "PAYLOAD" | "TRAILER", rest: string, presented: string): void => {
    const toSign = `AWS4-HMAC-SHA256-${kind}\n${signing.timestamp}\n${scopeText(signing.scope)}\n${previous}\n${rest}`;
    const expected = hmacSha256(signing.key, toSign).toString("hex");
    if (!signaturesEqual(expected, presented)) throw mismatch();
    previous = expected;
  };
  return {
    begin() {
      hash = createHash("sha256");
    },
    update(bytes) {
      hash.update(bytes);
    },
    verifyChunk: (presented) => verify("PAYLOAD", `${EMPTY_SHA256}\n${hash.digest("hex")}`, presented),
    verifyTrailer: (text, presented) => verify("TRAILER", sha256Hex(text), presented),
  };
}

const SIGNATURE_TRAILER = "x-amz-trailer-signature";

// The body ends with an empty line; a client that sends no trailers may leave even that out.
async function readTrailers(
  source: ChunkSource,
  how: ChunkedBody,
  to: { readonly into: Record<string, string>; readonly signatures: SignatureChain | undefined },
): Promise<void> {
  let signed = "";
  let signature = "";
  for (let line = await source.lineOrEnd(); line !== undefined && line !== ""; line = await source.lineOrEnd()) {
    const [name, value] = parseTrailer(line);
    if (name === SIGNATURE_TRAILER) signature = value;
    else {
      if (!how.trailers.includes(name)) throw malformedTrailer(`the trailer ${name} was not announced in x-amz-trailer`);
      to.into[name] = value;
      signed += `${name}:${value}\n`;
    }
  }
  const lacking = how.trailers.find((name) => to.into[name] === undefined);
  if (lacking !== undefined) throw malformedTrailer(`the announced trailer ${lacking} did not come`);
  if (how.payload === "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") to.signatures?.verifyTrailer(signed, signature);
}

function parseTrailer(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  if (colon < 1) throw malformedTrailer(`"${line.slice(0, 100)}" is not of the form name:value`);
  return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
}

function compareChecksum(algorithm: ChecksumAlgorithm, computed: Buffer, sent: string | undefined): void {
  if (sent === computed.toString("base64")) return;
  throw new AwsError(400, "BadDigest", `The ${algorithm.toUpperCase()} you specified did not match the calculated checksum.`);
}

const mismatch = (): AwsError =>
  new AwsError(
    403,
    "SignatureDoesNotMatch",
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
  );

const wrongLength = (): AwsError =>
  new AwsError(400, "IncompleteBody", "You did not provide the number of bytes specified by the x-amz-decoded-content-length HTTP header");

const malformedTrailer = (why: string): AwsError =>
  new AwsError(
    400,
    "MalformedTrailerError",
    `The request contained trailing data that was not well-formed or did not conform to our published schema: ${why}.`,
  );
