import { createHmac } from "node:crypto";

import { signatureFailure } from "./signature-failures.ts";
import type { Presented, SignedRequest, VerificationFailure } from "./signed-request.ts";
import { queryPairs } from "./sigv4-canonical.ts";
import { signaturesEqual } from "./signing-key.ts";

// https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
const SUBRESOURCES = new Set([
  "accelerate",
  "acl",
  "cors",
  "delete",
  "lifecycle",
  "location",
  "logging",
  "notification",
  "partNumber",
  "policy",
  "replication",
  "requestPayment",
  "restore",
  "tagging",
  "torrent",
  "uploadId",
  "uploads",
  "versionId",
  "versioning",
  "versions",
  "website",
  "response-cache-control",
  "response-content-disposition",
  "response-content-encoding",
  "response-content-language",
  "response-content-type",
  "response-expires",
]);

/** Reads the query of an S3 URL presigned with Signature Version 2, which `aws s3 presign` of CLI v1 still makes in us-east-1. */
export function parseSignatureV2(request: SignedRequest): Presented | VerificationFailure {
  const query = new Map(queryPairs(request.rawQuery));
  const accessKeyId = query.get("AWSAccessKeyId");
  const signature = query.get("Signature");
  const expires = query.get("Expires");
  const sessionToken = query.get("x-amz-security-token");
  if (!accessKeyId || !signature || !expires || !/^\d+$/.test(expires))
    return signatureFailure("missing", "s3", "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters");
  return {
    kind: "query-v2",
    accessKeyId,
    scope: { date: "", region: "", service: "s3" },
    signedHeaders: [],
    signature,
    timestamp: expires,
    ...(sessionToken !== undefined && { sessionToken }),
  };
}

/** Verifies an S3 URL presigned with Signature Version 2. */
export function verifySignatureV2(
  presented: Presented,
  by: { readonly secretKey: string; readonly request: SignedRequest; readonly now: Date },
): VerificationFailure | undefined {
  if (by.now.getTime() > Number(presented.timestamp) * 1000) return signatureFailure("presignedExpired", "s3");
  const expected = createHmac("sha1", by.secretKey).update(stringToSign(by.request, presented.timestamp)).digest("base64");
  // A `+` of the base64 that was not percent-encoded stays one here: queryPairs does not make it a space.
  return signaturesEqual(expected, presented.signature) ? undefined : signatureFailure("mismatch", "s3");
}

function stringToSign(request: SignedRequest, expires: string): string {
  const query = queryPairs(request.rawQuery);
  const inQuery = new Map(query);
  const entity = (name: string): string => request.headers[name] ?? inQuery.get(name) ?? "";
  const amz = [...Object.entries(request.headers), ...query]
    .filter(([name]) => name.startsWith("x-amz-"))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}:${value.trim()}\n`)
    .join("");
  return `${request.method}\n${entity("content-md5")}\n${entity("content-type")}\n${expires}\n${amz}${resource(request, query)}`;
}

function resource(request: SignedRequest, query: readonly (readonly [string, string])[]): string {
  const bucket = /^(.+?)\.(?:s3[.-].*amazonaws\.com|localhost)(?::\d+)?$/.exec(request.headers["host"] ?? "")?.[1];
  const path = bucket === undefined ? request.rawPath : `/${bucket}${request.rawPath}`;
  const asked = query
    .filter(([name]) => SUBRESOURCES.has(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => (value === "" ? name : `${name}=${value}`));
  return asked.length === 0 ? path : `${path}?${asked.join("&")}`;
}
