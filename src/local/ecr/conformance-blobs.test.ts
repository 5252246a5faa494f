import { describe, expect, test } from "vitest";
import { noise } from "../../oci/testing/sample-images.ts";
import { type Algorithm, conformanceRegistry, digestBy, locationOf, octets, ONE, TWO } from "./testing/conformance.ts";
import { V2 } from "./testing/registry.ts";

const registry = conformanceRegistry();
const at = (location: string, parameters: Readonly<Record<string, string>>): string => {
  const url = new URL(location, registry.url);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
};

/** Begins an upload and gives its address. */
async function begin(name = ONE): Promise<string> {
  const answer = await registry.user.http("POST", `${name}/blobs/uploads/`);
  expect(answer.status).toBe(202);
  return locationOf(answer);
}

interface Upload {
  readonly bytes: Buffer;
  /** The digest that is claimed. */
  readonly digest: string;
}

const chunksOf = (bytes: Buffer, count: number): readonly { readonly body: Buffer; readonly range: string }[] => {
  const size = Math.ceil(bytes.length / count);
  return Array.from({ length: count }, (_, index) => {
    const body = bytes.subarray(index * size, (index + 1) * size);
    return { body, range: `${index * size}-${index * size + body.length - 1}` };
  });
};

/** Sends chunks by PATCH, the last by PUT where asked for, and before each one that is out of order where asked for. */
async function chunked({ bytes, digest }: Upload, { count, putLast, outOfOrder }: { readonly count: number; readonly putLast?: boolean; readonly outOfOrder?: boolean }): Promise<Response> {
  const chunks = chunksOf(bytes, count);
  let location = await begin();
  let last: Response | undefined;
  for (const [index, { body, range }] of chunks.entries()) {
    const send = async (to: string, chunk: typeof body, said: string, isLast: boolean) =>
      registry.user.http(putLast && isLast ? "PUT" : "PATCH", putLast && isLast ? at(to, { digest }) : to, { body: chunk, headers: { ...octets, "content-range": said } });
    if (outOfOrder) {
      const wrong = chunks[index + 1] ?? chunks[0]!;
      expect((await send(location, wrong.body, wrong.range, wrong === chunks.at(-1))).status).toBe(416);
      const status = await registry.user.http("GET", location);
      expect([status.status, status.headers.get("range")]).toEqual([204, `0-${Math.max(0, index * chunks[0]!.body.length - 1)}`]);
      location = locationOf(status);
    }
    last = await send(location, body, range, index === chunks.length - 1);
    if (last.status !== 202) return last;
    location = locationOf(last);
  }
  return putLast ? last! : registry.user.http("PUT", at(location, { digest }), { headers: octets });
}

const FORMS: Readonly<Record<string, (upload: Upload) => Promise<Response>>> = {
  "one POST": ({ bytes, digest }) => registry.user.http("POST", `${ONE}/blobs/uploads/?digest=${digest}`, { body: bytes, headers: octets }),
  "POST and PUT": async ({ bytes, digest }) => registry.user.http("PUT", at(await begin(), { digest }), { body: bytes, headers: octets }),
  "one chunk": (upload) => chunked(upload, { count: 1 }),
  "three chunks": (upload) => chunked(upload, { count: 3 }),
  "three chunks, the last by PUT": (upload) => chunked(upload, { count: 3, putLast: true }),
  "chunks after ones out of order": (upload) => chunked(upload, { count: 3, outOfOrder: true }),
  "chunks after ones out of order, the last by PUT": (upload) => chunked(upload, { count: 3, outOfOrder: true, putLast: true }),
  "a stream without a range": async ({ bytes, digest }) => {
    const patched = await registry.user.http("PATCH", await begin(), { body: bytes, headers: octets });
    expect(patched.status).toBe(202);
    return registry.user.http("PUT", at(locationOf(patched), { digest }), { headers: octets });
  },
};
const ALGORITHMS: readonly Algorithm[] = ["sha256", "sha512"];
const CASES = ALGORITHMS.flatMap((algorithm) => Object.keys(FORMS).map((form) => [form, algorithm] as const));

describe("a blob", () => {
  test.each(CASES)("by %s arrives under its %s", async (form, algorithm) => {
    const bytes = noise(`${form} ${algorithm}`, 3067);
    const digest = digestBy(algorithm, bytes);
    const made = await FORMS[form]!({ bytes, digest });
    expect([made.status, made.headers.get("docker-content-digest")]).toEqual([201, digest]);
    const read = await registry.user.http("GET", locationOf(made));
    expect(Buffer.from(await read.arrayBuffer()).equals(bytes)).toBe(true);
    const head = await registry.user.http("HEAD", `${ONE}/blobs/${digest}`);
    expect([head.status, head.headers.get("content-length"), head.headers.get("docker-content-digest")]).toEqual([200, "3067", digest]);
  });

  test.each(CASES)("by %s under another's %s is refused and nowhere", async (form, algorithm) => {
    const bytes = noise(`bad ${form} ${algorithm}`, 3067);
    const digest = digestBy(algorithm, bytes);
    const refused = await FORMS[form]!({ bytes: Buffer.concat([bytes, Buffer.from("oh no")]), digest });
    expect([refused.status, ((await refused.json()) as { errors: { code: string }[] }).errors[0]!.code]).toEqual([400, "DIGEST_INVALID"]);
    expect((await registry.user.http("HEAD", `${ONE}/blobs/${digest}`)).status).toBe(404);
  });

  test.each(ALGORITHMS.flatMap((algorithm) => [["", algorithm], ["{}", algorithm]] as const))("of %j arrives under its %s", async (text, algorithm) => {
    const digest = digestBy(algorithm, text);
    const made = await registry.user.http("PUT", at(await begin(), { digest }), { body: text, headers: octets });
    expect(made.status).toBe(201);
    const read = await registry.user.http("GET", `${ONE}/blobs/${digest}`);
    expect([read.status, read.headers.get("content-length"), await read.text()]).toEqual([200, String(text.length), text]);
  });

  test("is mounted from where it is, and uploaded by the address of the answer where it is not, or where nobody says", async () => {
    const bytes = noise("mounting", 512);
    const digest = digestBy("sha256", bytes);
    const from = `${V2.slice("/v2/".length)}${TWO}`;
    const missing = await registry.user.http("POST", `${ONE}/blobs/uploads/?mount=${digest}&from=${from}`);
    expect(missing.status).toBe(202);
    expect((await registry.user.http("PUT", at(locationOf(missing), { digest }), { body: bytes, headers: octets })).status).toBe(201);
    const other = await registry.user.http("POST", `${TWO}/blobs/uploads/?mount=${digest}`);
    expect(other.status).toBe(202);
    const mounted = await registry.user.http("POST", `${TWO}/blobs/uploads/?mount=${digest}&from=${V2.slice("/v2/".length)}${ONE}`);
    expect([mounted.status, Buffer.from(await (await registry.user.http("GET", locationOf(mounted))).arrayBuffer()).equals(bytes)]).toEqual([201, true]);
  });

  test.each([
    ["bytes=500-1499", 206, "bytes 500-1499/2048", 1000],
    ["bytes=500-", 206, "bytes 500-2047/2048", 1548],
    ["bytes=-500", 206, "bytes 1548-2047/2048", 500],
    ["bytes=2000-5000", 206, "bytes 2000-2047/2048", 48],
    ["bytes=500-0", 416, "bytes */2048", 0],
    ["bytes=5000-10000", 416, "bytes */2048", 0],
  ])("is read by the range %s", async (range, status, contentRange, length) => {
    const bytes = noise("ranges", 2048);
    const digest = digestBy("sha256", bytes);
    await registry.user.http("POST", `${ONE}/blobs/uploads/?digest=${digest}`, { body: bytes });
    const answer = await registry.user.http("GET", `${ONE}/blobs/${digest}`, { headers: { range } });
    expect([answer.status, answer.headers.get("content-range"), (await answer.arrayBuffer()).byteLength]).toEqual([status, contentRange, length]);
  });

  test.each([
    ["9-0", "abc", 400, "BLOB_UPLOAD_INVALID"],
    ["the first three", "abc", 400, "BLOB_UPLOAD_INVALID"],
    ["0-9", "abc", 400, "SIZE_INVALID"],
    ["7-9", "abc", 416, "BLOB_UPLOAD_INVALID"],
  ])("in a chunk that says %s is refused", async (range, body, status, code) => {
    const location = await begin();
    const answer = await registry.user.http("PATCH", location, { body, headers: { "content-range": range } });
    expect([answer.status, ((await answer.json()) as { errors: { code: string }[] }).errors[0]!.code]).toEqual([status, code]);
    expect((await registry.user.http("GET", location)).headers.get("range")).toBe("0-0");
  });

  test("that nobody pushed is unknown, and an upload that was cancelled is over", async () => {
    expect((await registry.user.http("GET", `${ONE}/blobs/${digestBy("sha256", "nobody")}`)).status).toBe(404);
    const location = await begin();
    expect((await registry.user.http("DELETE", location)).status).toBe(204);
    for (const method of ["GET", "PATCH", "PUT", "DELETE"]) expect((await registry.user.http(method, at(location, { digest: digestBy("sha256", "x") }))).status).toBe(404);
  });
});
