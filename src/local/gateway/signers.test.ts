import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import { describe, expect, test } from "vitest";
import { signedRegion } from "./git-credential.ts";
import { EMPTY, KEY, NOW, presentedIn, request, SECRET, signedByAws4, STAMP, verify } from "./testing/signed-requests.ts";

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
