import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { createRequire } from "node:module";

import { SignatureV4 } from "@smithy/signature-v4";
import { describe, expect, test } from "vitest";

import { signedRegion } from "./git-credential.ts";
import { isFailure, type Presented, type SignedRequest, type VerificationFailure } from "./signed-request.ts";
import { parseSignature, verifySignature } from "./sigv4.ts";

const KEY = "AKIAIOSFODNN7EXAMPLE";
const SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

const request = (part: Partial<SignedRequest>): SignedRequest => ({
  method: "GET",
  rawPath: "/",
  rawQuery: "",
  headers: {},
  payloadSha256: EMPTY,
  ...part,
});

function presentedIn(signed: SignedRequest): Presented {
  const outcome = parseSignature(signed);
  if (!outcome || isFailure(outcome)) throw new Error(`not a signature: ${JSON.stringify(outcome)}`);
  return outcome;
}

const verify = (signed: SignedRequest, now: string | Date, secretKey = SECRET): VerificationFailure | undefined =>
  verifySignature(presentedIn(signed), { secretKey, request: signed, now: new Date(now) });

describe("examples of AWS's documentation", () => {
  const host = "examplebucket.s3.amazonaws.com";
  const noon = "2013-05-24T00:00:00Z";
  const s3 = (signedHeaders: string, signature: string, part: Partial<SignedRequest>) => {
    const authorization = `AWS4-HMAC-SHA256 Credential=${KEY}/20130524/us-east-1/s3/aws4_request,SignedHeaders=${signedHeaders},Signature=${signature}`;
    const content = part.payloadSha256 ?? EMPTY;
    const headers = { host, "x-amz-content-sha256": content, ...part.headers, authorization };
    return request({ ...part, headers });
  };
  const date = { "x-amz-date": "20130524T000000Z" };

  test.each([
    [
      "GET Object with a range",
      s3("host;range;x-amz-content-sha256;x-amz-date", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41", {
        rawPath: "/test.txt",
        headers: { ...date, range: "bytes=0-9" },
      }),
    ],
    [
      "PUT Object",
      s3(
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        {
          method: "PUT",
          rawPath: "/test%24file.text",
          payloadSha256: sha256("Welcome to Amazon S3."),
          headers: { ...date, date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
        },
      ),
    ],
    [
      "PUT Object, the path sent unencoded",
      s3(
        "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        {
          method: "PUT",
          rawPath: "/test$file.text",
          payloadSha256: sha256("Welcome to Amazon S3."),
          headers: { ...date, date: "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY" },
        },
      ),
    ],
    [
      "GET Bucket Lifecycle",
      s3("host;x-amz-content-sha256;x-amz-date", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543", {
        rawQuery: "lifecycle",
        headers: date,
      }),
    ],
    [
      "List Objects",
      s3("host;x-amz-content-sha256;x-amz-date", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7", {
        rawQuery: "max-keys=2&prefix=J",
        headers: date,
      }),
    ],
    [
      "presigned GET",
      request({
        rawPath: "/test.txt",
        headers: { host },
        rawQuery: `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${KEY}%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404`,
      }),
    ],
  ])("%s", (_name, signed) => {
    expect(verify(signed, noon)).toBeUndefined();
    expect(verify(signed, noon, `${SECRET}x`)).toMatchObject({ code: "SignatureDoesNotMatch", status: 403 });
    expect(verify({ ...signed, rawPath: "/other.txt" }, noon)?.code).toBe("SignatureDoesNotMatch");
  });

  test("IAM ListUsers, signed with the secret of the general guide", () => {
    const signed = request({
      rawQuery: "Action=ListUsers&Version=2010-05-08",
      headers: {
        host: "iam.amazonaws.com",
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
        "x-amz-date": "20150830T123600Z",
        authorization:
          "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
      },
    });
    expect(verify(signed, "2015-08-30T12:36:00Z", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")).toBeUndefined();
  });
});

interface Aws4Request {
  readonly method?: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}
// aws4 comes without types.
const aws4 = createRequire(import.meta.url)("aws4") as { sign(request: object, keys: object): Aws4Request };

const NOW = new Date("2026-11-21T10:00:00Z");
const STAMP = "20261121T100000Z";

function signedByAws4(options: Record<string, unknown>): SignedRequest {
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

describe("requests signed by aws4", () => {
  test.each([
    ["a JSON body", { service: "ecr", host: "127.0.0.1:4577", path: "/", body: "{}" }],
    ["a query body", { service: "sts", host: "127.0.0.1:4577", path: "/", body: "Action=GetCallerIdentity&Version=2011-06-15" }],
    [
      "an encoded ARN in the path",
      {
        service: "lambda",
        host: "127.0.0.1",
        path: "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A111122223333%3Afunction%3Af/invocations",
        body: "1",
      },
    ],
    ["query values out of order", { service: "omics", host: "127.0.0.1", path: "/run?name=b%2Fc&maxResults=10&a=&name=a" }],
    ["dot segments", { service: "omics", host: "127.0.0.1", path: "/a//./b/../c/" }],
    ["S3 key with odd characters", { service: "s3", host: "127.0.0.1", path: "/bucket/a%20b/%C3%BC(x)'*%26.txt" }],
    ["S3 presigned", { service: "s3", host: "127.0.0.1", path: "/b/k?X-Amz-Date=" + STAMP, signQuery: true, headers: {} }],
  ])("%s", (_name, options) => {
    const signed = signedByAws4(options);
    expect(verify(signed, NOW)).toBeUndefined();
    expect(verify({ ...signed, headers: { ...signed.headers, host: "evil" } }, NOW)?.code).toMatch(/Signature/);
  });
});

describe("made by the AWS CLI 1.45 and boto3 1.44", () => {
  const host = "127.0.0.1:4577";
  const at = "2026-11-21T03:25:00Z";
  const git = (userName: string, password: string, repository: string) =>
    request({
      rawPath: `/v1/repos/${repository}/info/refs`,
      rawQuery: "service=git-upload-pack",
      headers: { host, authorization: `Basic ${Buffer.from(`${userName}:${password}`).toString("base64")}` },
    });

  test("aws codecommit credential-helper", () => {
    const signed = git(KEY, "20261121T032424Zf8257600dc0e024544b8c156533eb6d61ea87508d71f81077be762592809a56a", "my%20repo");
    expect(verify(signed, at)).toBeUndefined();
    expect(signedRegion(presentedIn(signed), SECRET, signed)).toBe("eu-west-1");
    expect(verify({ ...signed, rawPath: "/v1/repos/y/info/refs" }, at)?.code).toBe("InvalidSignatureException");
    expect(verify(signed, "2026-11-21T03:40:00Z")?.message).toContain("Signature expired");
  });
  test("aws codecommit credential-helper with a session token", () => {
    const signed = git(`${KEY}%tok/en=`, "20261121T032424Z7bbea01116c99eb6675c3a19fd782ff6b4d5aabaa70c731a05dddc65f0e9234a", "x");
    expect(presentedIn(signed)).toMatchObject({ kind: "git", accessKeyId: KEY, sessionToken: "tok/en=" });
    expect(verify(signed, at)).toBeUndefined();
    expect(verify({ ...signed, rawPath: "/v1/repos/x/git-upload-pack", method: "POST" }, at)).toBeUndefined();
  });
  test.each([
    ["aws s3 presign", "/bucket/a%20b%2Bc.txt", "Signature=aeI4DMD7FkRESxBq66NdwByBsPQ%3D&Expires=1795232064"],
    [
      "aws s3 presign with a session token",
      "/bucket/k",
      "Signature=FV90xKpj7JdsUE6yazYSB0NytpE%3D&x-amz-security-token=tok%2Fen%3D&Expires=1795232065",
    ],
    [
      "response overrides and a version",
      "/b/k",
      "response-content-type=text%2Fplain%3B%20x%3D1&versionId=v&Signature=SCw8q8RBci9erfNZK2abBk4PcYY%3D&x-amz-security-token=tok%2Fen%3D&Expires=1795232065",
    ],
  ])("Signature Version 2: %s", (_name, rawPath, query) => {
    const signed = request({ rawPath, rawQuery: `AWSAccessKeyId=${KEY}&${query}`, headers: { host } });
    expect(presentedIn(signed)).toMatchObject({ kind: "query-v2", accessKeyId: KEY });
    expect(verify(signed, at)).toBeUndefined();
    expect(verify({ ...signed, rawPath: `${rawPath}x` }, at)?.code).toBe("SignatureDoesNotMatch");
    expect(verify({ ...signed, method: "PUT" }, at)?.code).toBe("SignatureDoesNotMatch");
    expect(verify(signed, "2026-11-21T03:34:26Z")).toMatchObject({ code: "AccessDenied", message: "Request has expired" });
  });
});

class Sha256 {
  private readonly hash: Hash | Hmac;
  constructor(secret?: Uint8Array) {
    this.hash = secret ? createHmac("sha256", secret) : createHash("sha256");
  }
  update(data: string | Uint8Array) {
    this.hash.update(data);
  }
  digest() {
    return Promise.resolve(new Uint8Array(this.hash.digest()));
  }
  reset() {}
}

const signer = (service: string) =>
  new SignatureV4({
    service,
    region: "us-east-1",
    sha256: Sha256 as never,
    uriEscapePath: service !== "s3",
    applyChecksum: service === "s3",
    credentials: { accessKeyId: KEY, secretAccessKey: SECRET, sessionToken: "session" },
  });
const toRaw = (query: Record<string, unknown> = {}) =>
  Object.entries(query)
    .flatMap(([name, value]) => [value].flat().map((one) => `${encodeURIComponent(name)}=${encodeURIComponent(String(one))}`))
    .join("&");

describe("requests signed by @smithy/signature-v4", () => {
  test.each([
    ["s3", "/bucket/a%20b/%C3%BC%2B%28x%29%27%2A%26"],
    ["s3", "/bucket//a/../b"],
    ["lambda", "/functions/arn%3Aaws%3Alambda%3A1/versions"],
    ["omics", "/workflow/1/version/1.0.0"],
  ])("%s %s", async (service, path) => {
    const out = await signer(service).sign(
      {
        method: "PUT",
        protocol: "http:",
        hostname: "127.0.0.1",
        path,
        query: { b: ["2", "1"], a: "x y" },
        headers: { host: "127.0.0.1:4577" },
      },
      { signingDate: NOW },
    );
    const headers = out.headers;
    const signed = request({
      method: "PUT",
      rawPath: path,
      rawQuery: toRaw(out.query),
      headers,
      payloadSha256: headers["x-amz-content-sha256"] ?? EMPTY,
    });
    expect(presentedIn(signed)).toMatchObject({
      kind: "header",
      sessionToken: "session",
      scope: { service, region: "us-east-1", date: "20261121" },
    });
    expect(verify(signed, NOW)).toBeUndefined();
    expect(verify({ ...signed, method: "GET" }, NOW)?.code).toMatch(/^(SignatureDoesNotMatch|InvalidSignatureException)$/);
  });

  test("a presigned S3 URL expires, and is refused before its time", async () => {
    const out = await signer("s3").presign(
      {
        method: "GET",
        protocol: "http:",
        hostname: "127.0.0.1",
        path: "/b/k",
        query: {},
        headers: { host: "127.0.0.1", "x-amz-content-sha256": "UNSIGNED-PAYLOAD" },
      },
      { signingDate: NOW, expiresIn: 60, unhoistableHeaders: new Set(), unsignableHeaders: new Set(["x-amz-content-sha256"]) },
    );
    const signed = request({ rawPath: "/b/k", rawQuery: toRaw(out.query), headers: { host: "127.0.0.1" } });
    expect(verify(signed, NOW)).toBeUndefined();
    expect(verify(signed, new Date(NOW.getTime() + 61_000))).toMatchObject({ code: "AccessDenied", message: "Request has expired" });
    expect(verify(signed, new Date(NOW.getTime() - 3_600_000))).toMatchObject({
      code: "AccessDenied",
      message: "Request is not yet valid",
    });
  });
});

describe("what is refused", () => {
  const base = signedByAws4({ service: "sts", host: "127.0.0.1", path: "/", body: "Action=X" });
  const authorization = base.headers["authorization"] ?? "";
  const withAuthorization = (text: string) => parseSignature({ ...base, headers: { ...base.headers, authorization: text } });

  test("a body that is not the one signed", () => {
    expect(verify({ ...base, payloadSha256: sha256("Action=Y") }, NOW)?.code).toBe("SignatureDoesNotMatch");
  });
  test("a clock more than 15 minutes away, either way", () => {
    expect(verify(base, "2026-11-21T10:15:00Z")).toBeUndefined();
    expect(verify(base, "2026-11-21T10:15:01Z")).toMatchObject({
      code: "SignatureDoesNotMatch",
      message: "Signature expired: 20261121T100000Z is now earlier than 20261121T100001Z (20261121T101501Z - 15 min.)",
    });
    expect(verify(base, "2026-11-21T09:44:59Z")?.message).toContain("Signature not yet current");
    const s3 = signedByAws4({ service: "s3", host: "127.0.0.1", path: "/" });
    expect(verify(s3, "2026-11-21T11:00:00Z")).toMatchObject({ code: "RequestTimeTooSkewed", status: 403 });
  });
  test("a scope of another day", () => {
    const signed = { ...base, headers: { ...base.headers, "x-amz-date": "20261122T000000Z" } };
    expect(verify(signed, "2026-11-22T00:00:00Z")?.message).toContain("'20261121' != '20261122'");
  });
  test("an x-amz- header that S3 would obey and nobody signed", () => {
    const s3 = signedByAws4({ service: "s3", host: "127.0.0.1", path: "/b/k" });
    const signed = { ...s3, headers: { ...s3.headers, "x-amz-acl": "public-read" } };
    expect(verify(signed, NOW)).toMatchObject({ code: "AccessDenied", message: expect.stringContaining("x-amz-acl") });
  });
  test("a signature that does not cover the host", () => {
    const signed = {
      ...base,
      headers: { ...base.headers, authorization: authorization.replace(/SignedHeaders=[^,]+/, "SignedHeaders=x-amz-date") },
    };
    expect(verify(signed, NOW)?.message).toContain("'Host' or ':authority'");
  });
  test.each([
    [
      "no parts",
      "AWS4-HMAC-SHA256 x",
      "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter.",
    ],
    [
      "a short scope",
      "AWS4-HMAC-SHA256 Credential=A/20261121/aws4_request, SignedHeaders=host, Signature=ab",
      'expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request"',
    ],
    ["SigV4A", "AWS4-ECDSA-P256-SHA256 Credential=A/20261121/s3/aws4_request, SignedHeaders=host, Signature=ab", "AWS4-ECDSA-P256-SHA256"],
  ])("an Authorization header with %s", (_name, text, message) => {
    expect(withAuthorization(text)).toMatchObject({ status: 400, message: expect.stringContaining(message) });
  });
  test("a presigned URL that lacks a parameter or lives too long", () => {
    const query =
      "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F20261121%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20261121T100000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=00";
    expect(parseSignature(request({ rawQuery: query }))).toMatchObject({
      code: "AuthorizationQueryParametersError",
      message: expect.stringContaining("X-Amz-Expires parameters"),
    });
    expect(parseSignature(request({ rawQuery: `${query}&X-Amz-Expires=604801` }))).toMatchObject({
      code: "AuthorizationQueryParametersError",
      message: expect.stringContaining("604800"),
    });
  });
  test("other ways to sign in are left to others", () => {
    expect(parseSignature(request({}))).toBeUndefined();
    expect(withAuthorization("Bearer x")).toBeUndefined();
    expect(withAuthorization(`Basic ${Buffer.from("AWS:token").toString("base64")}`)).toBeUndefined();
  });
});
