import { createHash, createHmac, timingSafeEqual } from "node:crypto";

import type { CredentialScope } from "./signed-request.ts";

/** SHA-256 in lower-case hex. */
export const sha256Hex = (data: string | Uint8Array): string => createHash("sha256").update(data).digest("hex");

/** HMAC-SHA-256. */
export const hmacSha256 = (key: string | Uint8Array, data: string): Buffer => createHmac("sha256", key).update(data).digest();

/** The scope as it stands in a credential and in a string to sign. */
export const scopeText = ({ date, region, service }: CredentialScope): string => `${date}/${region}/${service}/aws4_request`;

const CACHE_SIZE = 512;
const cache = new Map<string, Buffer>();

/**
 * The SigV4 signing key, which holds for one secret, day, region and service.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html#calculate-signature
 */
export function signingKey(secretKey: string, scope: CredentialScope): Buffer {
  const name = `${secretKey}\n${scopeText(scope)}`;
  const known = cache.get(name);
  if (known) return known;
  const key = [scope.date, scope.region, scope.service, "aws4_request"].reduce<Buffer>(hmacSha256, Buffer.from(`AWS4${secretKey}`));
  if (cache.size >= CACHE_SIZE) cache.clear();
  cache.set(name, key);
  return key;
}

/** Compares two signatures in a time that does not depend on where they differ. */
export function signaturesEqual(expected: string, presented: string): boolean {
  const a = Buffer.from(expected);
  const b = Buffer.from(presented);
  return a.length === b.length && timingSafeEqual(a, b);
}
