import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { isFailure, type Presented, type SignedRequest, type VerificationFailure } from "../signed-request.ts";
import { parseSignature, verifySignature } from "../sigv4.ts";

/** The keys of AWS's own examples. */
export const KEY = "AKIAIOSFODNN7EXAMPLE";
export const SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
/** The hash of no body. */
export const EMPTY = sha256("");

/** `GET /` but for what is given. */
export const request = (part: Partial<SignedRequest>): SignedRequest => ({
  method: "GET",
  rawPath: "/",
  rawQuery: "",
  headers: {},
  payloadSha256: EMPTY,
  ...part,
});

/** @throws Error where the request presents none */
export function presentedIn(signed: SignedRequest): Presented {
  const outcome = parseSignature(signed);
  if (!outcome || isFailure(outcome)) throw new Error(`not a signature: ${JSON.stringify(outcome)}`);
  return outcome;
}

/** Why the signature does not hold at that time; undefined: it does. */
export const verify = (signed: SignedRequest, now: string | Date, secretKey = SECRET): VerificationFailure | undefined =>
  verifySignature(presentedIn(signed), { secretKey, request: signed, now: new Date(now) });

interface Aws4Request {
  readonly method?: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}
// aws4 comes without types.
const aws4 = createRequire(import.meta.url)("aws4") as { sign(request: object, keys: object): Aws4Request };

/** When requests of the tests are signed. */
export const NOW = new Date("2026-11-21T10:00:00Z");
export const STAMP = "20261121T100000Z";

/** A request to eu-west-1 as the `aws4` package signs it. */
export function signedByAws4(options: Record<string, unknown>): SignedRequest {
  const of = { region: "eu-west-1", headers: { "X-Amz-Date": STAMP }, ...options };
  const out = aws4.sign(of, { accessKeyId: KEY, secretAccessKey: SECRET });
  const [rawPath = "/", rawQuery = ""] = out.path.split("?");
  const headers = Object.fromEntries(Object.entries(out.headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
  return {
    method: out.method ?? (out.body ? "POST" : "GET"),
    rawPath,
    rawQuery,
    headers,
    payloadSha256: headers["x-amz-content-sha256"] ?? sha256(out.body ?? ""),
  };
}
