import { parseGitCredential, signedRegion } from "./git-credential.ts";
import { signatureFailure } from "./signature-failures.ts";
import type { CredentialScope, Presented, SignedRequest, VerificationFailure } from "./signed-request.ts";
import { canonicalRequests, queryPairs } from "./sigv4-canonical.ts";
import { parseSignatureV2, verifySignatureV2 } from "./sigv2.ts";
import { hmacSha256, scopeText, sha256Hex, signaturesEqual, signingKey } from "./signing-key.ts";

const ALGORITHM = "AWS4-HMAC-SHA256";
const SKEW_MS = 15 * 60_000;
const WEEK_SECONDS = 604_800;

/**
 * Reads how a request is signed, verifying nothing.
 * @returns undefined when it carries no AWS signature (it is anonymous, or signed in by other means);
 *   a failure when it carries one that can't be read
 */
export function parseSignature(request: SignedRequest): Presented | VerificationFailure | undefined {
  const authorization = request.headers["authorization"];
  if (authorization !== undefined) {
    if (authorization.startsWith("AWS4-")) return parseHeader(authorization, request);
    return parseGitCredential(authorization);
  }
  if (/(^|&)X-Amz-(Algorithm|Signature|Credential)=/.test(request.rawQuery)) return parseQuery(request);
  if (/(^|&)AWSAccessKeyId=/.test(request.rawQuery)) return parseSignatureV2(request);
  return undefined;
}

/**
 * Verifies what {@link parseSignature} read, with the secret of its access key.
 * The caller checks the session token against the access key, and the body against `x-amz-content-sha256`.
 * @returns the failure to answer with, or undefined when the signature holds at `now`
 */
export function verifySignature(
  presented: Presented,
  { secretKey, request, now }: { readonly secretKey: string; readonly request: SignedRequest; readonly now: Date },
): VerificationFailure | undefined {
  const { kind, scope } = presented;
  if (kind === "query-v2") return verifySignatureV2(presented, { secretKey, request, now });
  const late = checkTime(presented, now);
  if (late) return late;
  if (kind === "git")
    return signedRegion(presented, secretKey, request) === undefined ? signatureFailure("mismatch", scope.service) : undefined;
  return checkSignedHeaders(presented, request) ?? checkSignature(presented, secretKey, request);
}

function parseHeader(authorization: string, request: SignedRequest): Presented | VerificationFailure {
  const [algorithm, rest] = splitOnce(authorization, " ");
  const fields = new Map(rest.split(",").map((field) => splitOnce(field.trim(), "=")));
  const date = request.headers["x-amz-date"] ?? request.headers["date"];
  const scope = parseCredential(fields.get("Credential") ?? "");
  const service = scope?.service ?? "";
  if (algorithm !== ALGORITHM)
    return signatureFailure("incomplete", service, `Unsupported signing algorithm "${algorithm}"; ${ALGORITHM} is needed.`);
  const lacking = ["Credential", "Signature", "SignedHeaders"]
    .filter((name) => !fields.get(name))
    .map((name) => `Authorization header requires '${name}' parameter.`);
  if (date === undefined) lacking.push("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.");
  if (lacking.length > 0) return signatureFailure("incomplete", service, `${lacking.join(" ")} Authorization=${ALGORITHM}`);
  if (!scope) return signatureFailure("incomplete", service, badCredential(fields.get("Credential") ?? ""));
  return {
    kind: "header",
    ...scopeOf(scope),
    signedHeaders: (fields.get("SignedHeaders") ?? "").split(";"),
    signature: fields.get("Signature") ?? "",
    timestamp: basicTimestamp(date ?? ""),
    ...token(request.headers["x-amz-security-token"]),
  };
}

function parseQuery(request: SignedRequest): Presented | VerificationFailure {
  const query = new Map(queryPairs(request.rawQuery));
  const credential = query.get("X-Amz-Credential") ?? "";
  const scope = parseCredential(credential);
  const service = scope?.service ?? "s3";
  if (query.has("X-Amz-Algorithm") && query.get("X-Amz-Algorithm") !== ALGORITHM)
    return signatureFailure("malformedQuery", service, `X-Amz-Algorithm only supports "${ALGORITHM}"`);
  const needed = ["Algorithm", "Credential", "Signature", "Date", "SignedHeaders"];
  // Other services than S3 take a URL without a lifetime as valid for the usual 15 minutes.
  if (service === "s3") needed.push("Expires");
  if (needed.some((name) => !query.get(`X-Amz-${name}`))) return signatureFailure("malformedQuery", service);
  if (!scope)
    return signatureFailure("malformedQuery", service, `Error parsing the X-Amz-Credential parameter; ${badCredential(credential)}`);
  const expires = query.get("X-Amz-Expires") ?? String(SKEW_MS / 1000);
  const wrong = wrongLifetime(expires);
  if (wrong) return signatureFailure("malformedQuery", service, wrong);
  return {
    kind: "query",
    ...scopeOf(scope),
    signedHeaders: (query.get("X-Amz-SignedHeaders") ?? "").split(";"),
    signature: query.get("X-Amz-Signature") ?? "",
    timestamp: query.get("X-Amz-Date") ?? "",
    expiresSeconds: Number(expires),
    ...token(query.get("X-Amz-Security-Token")),
  };
}

function wrongLifetime(expires: string): string | undefined {
  if (!/^-?\d+$/.test(expires)) return "X-Amz-Expires should be a number";
  if (Number(expires) < 0) return "X-Amz-Expires must be non-negative";
  if (Number(expires) > WEEK_SECONDS)
    return "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds";
  return undefined;
}

type Credential = CredentialScope & { readonly accessKeyId: string };

// An access key never holds a slash, a scope has exactly four parts after it.
function parseCredential(text: string): Credential | undefined {
  const match = /^([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request$/.exec(text);
  if (!match) return undefined;
  const [, accessKeyId = "", date = "", region = "", service = ""] = match;
  return { accessKeyId, date, region, service };
}

const scopeOf = ({ accessKeyId, date, region, service }: Credential) => ({ accessKeyId, scope: { date, region, service } });

const badCredential = (credential: string): string =>
  `the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request", found "${credential}".`;

const token = (value: string | undefined): { sessionToken?: string } =>
  value === undefined || value === "" ? {} : { sessionToken: value };

function checkTime({ kind, scope, timestamp, expiresSeconds }: Presented, now: Date): VerificationFailure | undefined {
  const signedAt = parseTimestamp(timestamp);
  if (Number.isNaN(signedAt))
    return signatureFailure("incomplete", scope.service, `Date must be in ISO-8601 'basic format'. Got '${timestamp}'.`);
  if (timestamp.slice(0, 8) !== scope.date)
    return signatureFailure(
      "mismatch",
      scope.service,
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${scope.date}' != '${timestamp.slice(0, 8)}', from '${timestamp}'.`,
    );
  const age = now.getTime() - signedAt;
  if (kind === "query") return checkLifetime({ age, expiresSeconds: expiresSeconds ?? 0, service: scope.service });
  if (Math.abs(age) <= SKEW_MS) return undefined;
  return signatureFailure("skewed", scope.service, scope.service === "s3" ? undefined : skewMessage(timestamp, signedAt, now));
}

function checkLifetime(of: { age: number; expiresSeconds: number; service: string }): VerificationFailure | undefined {
  if (of.age > of.expiresSeconds * 1000) return signatureFailure("presignedExpired", of.service);
  if (of.age < -SKEW_MS) return signatureFailure("presignedExpired", of.service, "Request is not yet valid");
  return undefined;
}

function skewMessage(timestamp: string, signedAt: number, now: Date): string {
  const isLate = signedAt < now.getTime();
  const limit = formatTimestamp(now.getTime() + (isLate ? -SKEW_MS : SKEW_MS));
  const around = `${limit} (${formatTimestamp(now.getTime())} ${isLate ? "-" : "+"} 15 min.)`;
  return isLate
    ? `Signature expired: ${timestamp} is now earlier than ${around}`
    : `Signature not yet current: ${timestamp} is still later than ${around}`;
}

function checkSignedHeaders({ scope, signedHeaders }: Presented, { headers }: SignedRequest): VerificationFailure | undefined {
  if (!signedHeaders.includes("host") && !signedHeaders.includes(":authority"))
    return signatureFailure("incomplete", scope.service, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.");
  if (scope.service !== "s3") return undefined;
  // A header that S3 acts on and nobody signed could have been added on the way.
  const unsigned = Object.keys(headers).filter((name) => name.startsWith("x-amz-") && !signedHeaders.includes(name));
  if (unsigned.length === 0) return undefined;
  return signatureFailure(
    "headersNotSigned",
    scope.service,
    `There were headers present in the request which were not signed: ${unsigned.join(", ")}`,
  );
}

function checkSignature(presented: Presented, secretKey: string, request: SignedRequest): VerificationFailure | undefined {
  const { scope, timestamp, signature } = presented;
  const key = signingKey(secretKey, scope);
  for (const canonical of canonicalRequests(request, presented)) {
    const toSign = `${ALGORITHM}\n${timestamp}\n${scopeText(scope)}\n${sha256Hex(canonical)}`;
    if (signaturesEqual(hmacSha256(key, toSign).toString("hex"), signature)) return undefined;
  }
  return signatureFailure("mismatch", scope.service);
}

// A Date header may hold an HTTP date; what is signed is always its ISO-8601 basic form.
function basicTimestamp(date: string): string {
  if (/^\d{8}T/.test(date)) return date;
  const parsed = Date.parse(date);
  return Number.isNaN(parsed) ? date : formatTimestamp(parsed);
}

function parseTimestamp(text: string): number {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z?$/.exec(text);
  if (!match) return Number.NaN;
  const [, year, month, day, hour, minute, second] = match;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

const formatTimestamp = (epochMs: number): string => `${new Date(epochMs).toISOString().replace(/[-:]/g, "").slice(0, 15)}Z`;

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}
