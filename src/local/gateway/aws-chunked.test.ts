import { createHmac } from "node:crypto";

import { describe, expect, test } from "vitest";

import { type ChunkedBody, decodeAwsChunked } from "./aws-chunked.ts";
import { CHECKSUM_ALGORITHMS, crc32c, startChecksum } from "./checksums.ts";
import { sha256Hex, signingKey } from "./signing-key.ts";

const scope = { date: "20130524", region: "us-east-1", service: "s3" };
const key = signingKey("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", scope);
const signing = (seedSignature: string) => ({ key, scope, timestamp: "20130524T000000Z", seedSignature });

async function* split(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function decode(encoded: string | Buffer, how: ChunkedBody, pieceSize = 4096) {
  const body = decodeAwsChunked(split(Buffer.from(encoded), pieceSize), how);
  const pieces: Buffer[] = [];
  for await (const piece of body.bytes) pieces.push(piece);
  return { bytes: Buffer.concat(pieces), trailers: body.trailers() };
}

const A = (count: number) => "a".repeat(count);

describe("signed chunks, example of AWS's documentation", () => {
  const how: ChunkedBody = {
    payload: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    decodedLength: 66_560,
    trailers: [],
    signing: signing("4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"),
  };
  const body =
    `10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n${A(65_536)}\r\n` +
    `400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n${A(1024)}\r\n` +
    `0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n\r\n`;

  test.each([1, 7, 65_536, 1_000_000])("in pieces of %i bytes", async (size) => {
    expect((await decode(body, how, size)).bytes.toString()).toBe(A(66_560));
  });
  test.each([
    ["a byte of the first chunk", body.replace("\r\na", "\r\nb")],
    ["a byte of the second chunk", body.replace(/a\r\n0;/, "b\r\n0;")],
    ["a signature", body.replace("ad80", "ad81")],
    ["a chunk without a signature", body.replace(/;chunk-signature=0055\w+/, "")],
  ])("%s changed", async (_name, changed) => {
    await expect(decode(changed, how)).rejects.toMatchObject({ code: "SignatureDoesNotMatch", status: 403 });
  });
  test("cut off, at the end of a chunk and within one", async () => {
    await expect(decode(body.slice(0, body.indexOf("400;")), how)).rejects.toMatchObject({ code: "IncompleteBody" });
    await expect(decode(body.slice(0, 1000), how)).rejects.toMatchObject({ code: "IncompleteBody" });
  });
  test("another length than announced", async () => {
    await expect(decode(body, { ...how, decodedLength: 66_561 })).rejects.toMatchObject({ code: "IncompleteBody" });
    await expect(decode(body, { ...how, decodedLength: 66_559 })).rejects.toMatchObject({ code: "IncompleteBody" });
  });
});

describe("signed chunks with a signed trailer, example of AWS's documentation", () => {
  const how: ChunkedBody = {
    payload: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    decodedLength: 66_560,
    trailers: ["x-amz-checksum-crc32c"],
    signing: signing("106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"),
  };
  const body =
    `10000;chunk-signature=b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\r\n${A(65_536)}\r\n` +
    `400;chunk-signature=1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\r\n${A(1024)}\r\n` +
    `0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n` +
    `x-amz-checksum-crc32c:sOO8/Q==\r\n` +
    `x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n`;

  test("decodes and reports the trailer", async () => {
    expect(await decode(body, how, 13)).toMatchObject({ bytes: Buffer.from(A(66_560)), trailers: { "x-amz-checksum-crc32c": "sOO8/Q==" } });
  });
  test("a changed or unsigned trailer", async () => {
    await expect(decode(body.replace("sOO8", "sOO9"), how)).rejects.toMatchObject({ code: "SignatureDoesNotMatch" });
    await expect(decode(body.replace(/x-amz-trailer-signature.*\r\n/, ""), how)).rejects.toMatchObject({ code: "SignatureDoesNotMatch" });
  });
});

describe("unsigned chunks with a checksum as trailer", () => {
  const text = "The quick brown fox jumps over the lazy dog";
  const encode = (trailer: string) =>
    `10\r\n${text.slice(0, 16)}\r\n${(text.length - 16).toString(16)}\r\n${text.slice(16)}\r\n0\r\n${trailer}\r\n\r\n`;
  const how = (name: string): ChunkedBody => ({
    payload: "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
    decodedLength: text.length,
    trailers: [`x-amz-checksum-${name}`],
  });

  // Values of other implementations: zlib.crc32, RFC 3720's check, sha1sum, sha256sum, the AWS CRT.
  test.each([
    ["crc32", "QU+jOQ=="],
    ["crc32c", "ImIEBA=="],
    ["sha1", "L9ThxnotKPzthJ7hu3bnORuT6xI="],
    ["sha256", "16j7swfXgJRpypq8sAguT41WUeRtPNt2LQLQvzfJ5ZI="],
  ])("%s", async (name, value) => {
    expect((await decode(encode(`x-amz-checksum-${name}:${value}`), how(name), 5)).bytes.toString()).toBe(text);
    await expect(decode(encode(`x-amz-checksum-${name}:${value.replace(/^./, "+")}`), how(name))).rejects.toMatchObject({
      code: "BadDigest",
    });
  });
  test("crc64nvme", async () => {
    const state = startChecksum("crc64nvme");
    state.update(Buffer.from(text));
    const value = (await state.digest()).toString("base64");
    expect((await decode(encode(`x-amz-checksum-crc64nvme:${value}`), how("crc64nvme"))).bytes.toString()).toBe(text);
  });
  test("an announced trailer that does not come, and one nobody announced", async () => {
    await expect(decode(`${encode("").slice(0, -4)}\r\n`, how("crc32"))).rejects.toMatchObject({ code: "MalformedTrailerError" });
    await expect(decode(encode("x-amz-checksum-sha1:eA=="), how("crc32"))).rejects.toMatchObject({ code: "MalformedTrailerError" });
  });
  test("garbage where a chunk should begin, and a chunk longer than it says", async () => {
    await expect(decode("hello\r\n", how("crc32"))).rejects.toMatchObject({ code: "InvalidRequest" });
    await expect(decode("1\r\nab\r\n", how("crc32"))).rejects.toMatchObject({ code: "InvalidRequest" });
  });
});

describe("checksums", () => {
  // The check values of the CRC catalogue for "123456789".
  test.each([
    ["crc32", "cbf43926"],
    ["crc32c", "e3069283"],
    ["crc64nvme", "ae8b14860a799888"],
  ] as const)("%s", async (name, expected) => {
    const state = startChecksum(name);
    for (const digit of "123456789") state.update(Buffer.from(digit));
    expect((await state.digest()).toString("hex")).toBe(expected);
  });
  test("each is the same whatever the pieces", async () => {
    const bytes = Buffer.from(createHmac("sha512", "x").update("y").digest("hex").repeat(3));
    for (const name of CHECKSUM_ALGORITHMS) {
      const [whole, pieces] = [startChecksum(name), startChecksum(name)];
      whole.update(bytes);
      for (let at = 0; at < bytes.length; at += 13) pieces.update(bytes.subarray(at, at + 13));
      expect(await pieces.digest()).toEqual(await whole.digest());
    }
    expect(crc32c(bytes.subarray(100), crc32c(bytes.subarray(0, 100)))).toBe(crc32c(bytes));
    expect(sha256Hex("")).toMatch(/^e3b0c442/);
  });
});
