import type { Presented, SignedRequest } from "./signed-request.ts";

const RESERVED = /[!'()*]/g;

/** Percent-encodes everything but the unreserved characters of RFC 3986, as SigV4 asks. */
export const encodeRfc3986 = (text: string): string =>
  encodeURIComponent(text).replace(RESERVED, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);

/** Percent-decodes; a text that is not valid percent-encoding of UTF-8 comes back as it is. */
export function decodePercent(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Splits a raw query into decoded pairs, in order; a name without `=` has an empty value. */
export const queryPairs = (rawQuery: string, decode = decodePercent): [string, string][] =>
  rawQuery
    .split("&")
    .filter((part) => part !== "")
    .map((part) => {
      const equals = part.indexOf("=");
      return equals < 0 ? [decode(part), ""] : [decode(part.slice(0, equals)), decode(part.slice(equals + 1))];
    });

/**
 * The canonical requests that a conforming client may have signed for what arrived, likeliest first.
 * There is more than one only where clients differ: a `+` in a query means a space to some and itself to others.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function* canonicalRequests(request: SignedRequest, presented: Presented): Generator<string> {
  const { signedHeaders, scope, kind } = presented;
  const tail = `${canonicalHeaders(request, signedHeaders)}\n${signedHeaders.join(";")}\n${payloadHash(request, presented)}`;
  for (const path of canonicalPaths(request.rawPath, scope.service))
    for (const query of canonicalQueries(request.rawQuery, kind === "query")) yield `${request.method}\n${path}\n${query}\n${tail}`;
}

const canonicalHeaders = (request: SignedRequest, names: readonly string[]): string =>
  names.map((name) => `${name}:${(request.headers[name] ?? "").trim().replace(/ {2,}/g, " ")}\n`).join("");

function payloadHash({ headers, payloadSha256 }: SignedRequest, { kind, scope }: Presented): string {
  if (kind === "query" && scope.service === "s3") return headers["x-amz-content-sha256"] ?? "UNSIGNED-PAYLOAD";
  return payloadSha256;
}

// S3 signs the key as it is, encoded once; every other service signs the encoded path encoded once more, with
// dot segments and empty segments removed. A few clients skip that removal, so the path as sent comes second.
function canonicalPaths(rawPath: string, service: string): readonly string[] {
  const path = rawPath === "" ? "/" : rawPath;
  if (service === "s3")
    return distinct(
      mapSegments(path, (segment) => encodeRfc3986(decodePercent(segment))),
      path,
    );
  return distinct(mapSegments(withoutDotSegments(path), encodeRfc3986), mapSegments(path, encodeRfc3986));
}

const mapSegments = (path: string, change: (segment: string) => string): string => path.split("/").map(change).join("/");

function withoutDotSegments(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  const isFolder = kept.length > 0 && /\/\.{0,2}$/.test(path);
  return `/${kept.join("/")}${isFolder ? "/" : ""}`;
}

function canonicalQueries(rawQuery: string, isPresigned: boolean): readonly string[] {
  const canonical = (query: string): string =>
    queryPairs(query)
      .filter(([name]) => !(isPresigned && name === "X-Amz-Signature"))
      .map(([name, value]): [string, string] => [encodeRfc3986(name), encodeRfc3986(value)])
      .sort(byNameThenValue)
      .map(([name, value]) => `${name}=${value}`)
      .join("&");
  if (!rawQuery.includes("+")) return [canonical(rawQuery)];
  return [canonical(rawQuery.replaceAll("+", "%20")), canonical(rawQuery)];
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const byNameThenValue = (a: readonly [string, string], b: readonly [string, string]): number => order(a[0], b[0]) || order(a[1], b[1]);

const distinct = (first: string, second: string): readonly string[] => (first === second ? [first] : [first, second]);
