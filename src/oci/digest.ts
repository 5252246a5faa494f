import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";

/** A content address: `sha256:` or `sha512:` and lower-case hexadecimal digits (OCI image spec, "Digests"). */
export type Digest = string;

/** The sha256 digest of bytes that are in memory. */
export const digestOf = (bytes: Uint8Array | string): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** A hash of the algorithm that the digest names. The digest must have been parsed: others throw. */
export const hashFor = (digest: Digest): Hash => createHash(digest.slice(0, digest.indexOf(":")));

/** Whether the bytes are those that the digest names. */
export const isDigestOf = (digest: Digest, bytes: Uint8Array): boolean =>
  digest.endsWith(`:${hashFor(digest).update(bytes).digest("hex")}`);
