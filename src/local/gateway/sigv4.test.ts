import { describe, expect, test } from "vitest";
import type { SignedRequest } from "./signed-request.ts";
import { parseSignature } from "./sigv4.ts";
import { EMPTY, KEY, NOW, request, SECRET, sha256, signedByAws4, verify } from "./testing/signed-requests.ts";

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
