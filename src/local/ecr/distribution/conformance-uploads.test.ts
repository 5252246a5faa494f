import { CreatePullThroughCacheRuleCommand, DeleteRepositoryCommand } from "@aws-sdk/client-ecr";
import { describe, expect, test } from "vitest";
import { noise } from "../../../oci/testing/sample-images.ts";
import { conformanceRegistry, digestBy, locationOf, octets, ONE } from "../testing/conformance.ts";
import { createRepository } from "../testing/registry.ts";

// What the suite does not ask and clients meet all the same.

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

const codeOf = async (answer: Response): Promise<readonly [number, string]> => [
  answer.status,
  ((await answer.json()) as { errors: { code: string }[] }).errors[0]!.code,
];

/** A blob of 2048 bytes that is there. */
async function pushed(): Promise<{ readonly bytes: Buffer; readonly digest: string }> {
  const bytes = noise("ranges", 2048);
  const digest = digestBy("sha256", bytes);
  expect((await registry.user.http("POST", `${ONE}/blobs/uploads/?digest=${digest}`, { body: bytes })).status).toBe(201);
  return { bytes, digest };
}

describe("an upload", () => {
  test.each([
    ["9-0", "abc", 400, "BLOB_UPLOAD_INVALID"],
    ["the first three", "abc", 400, "BLOB_UPLOAD_INVALID"],
    ["0-9", "abc", 400, "SIZE_INVALID"],
    ["7-9", "abc", 416, "BLOB_UPLOAD_INVALID"],
  ])("refuses a chunk that says it is %s", async (range, body, status, code) => {
    const location = await begin();
    expect(await codeOf(await registry.user.http("PATCH", location, { body, headers: { "content-range": range } }))).toEqual([
      status,
      code,
    ]);
    expect((await registry.user.http("GET", location)).headers.get("range")).toBe("0-0");
  });

  test.each([
    ["a longer", "abcdef"],
    ["a shorter", "ab"],
  ])("refuses %s body than the range of its chunk says, sent without its length", async (_what, text) => {
    const location = await begin();
    const send = (body: string) =>
      fetch(new URL(location, registry.url), {
        method: "PATCH",
        body: new Blob([body]).stream(),
        duplex: "half",
        headers: {
          ...octets,
          "content-range": "0-2",
          authorization: `Basic ${Buffer.from(`AWS:${registry.user.password}`).toString("base64")}`,
        },
      } as RequestInit);
    expect(await codeOf(await send(text))).toEqual([400, "SIZE_INVALID"]);
    const range = (await registry.user.http("GET", location)).headers.get("range");
    expect(range).toBe(text === "ab" ? "0-1" : "0-0");
  });

  test("that was cancelled is over", async () => {
    const location = await begin();
    expect((await registry.user.http("DELETE", location)).status).toBe(204);
    for (const method of ["GET", "PATCH", "PUT", "DELETE"])
      expect((await registry.user.http(method, at(location, { digest: digestBy("sha256", "x") }))).status).toBe(404);
  });

  test("is over with its repository, and not begun in the next of that name", async () => {
    const { ecr, http } = registry.user;
    await createRepository(ecr, "conformance/gone");
    const location = locationOf(await http("POST", "conformance/gone/blobs/uploads/"));
    await ecr.send(new DeleteRepositoryCommand({ repositoryName: "conformance/gone" }));
    await createRepository(ecr, "conformance/gone");
    expect(await codeOf(await http("PATCH", location, { body: "abc" }))).toEqual([404, "BLOB_UPLOAD_UNKNOWN"]);
  });

  test("of another repository is not found in this one", async () => {
    const id = (await begin()).split("/").at(-1)!;
    expect(await codeOf(await registry.user.http("PATCH", `conformance/two/blobs/uploads/${id}`, { body: "abc" }))).toEqual([
      404,
      "BLOB_UPLOAD_UNKNOWN",
    ]);
  });

  test("ends with a digest, of a kind that is known", async () => {
    const location = await begin();
    expect(await codeOf(await registry.user.http("PUT", location))).toEqual([400, "DIGEST_INVALID"]);
    for (const digest of ["md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:ABCDEF", "sha256", ""])
      expect(await codeOf(await registry.user.http("PUT", at(location, { digest })))).toEqual([400, "DIGEST_INVALID"]);
    expect(
      (await registry.user.http("PUT", at(location, { digest: digestBy("sha256", "abc") }), { body: "abc", headers: octets })).status,
    ).toBe(201);
  });

  test.each(["sha256", "sha512"] as const)("ends with the %s of its bytes, and of no others", async (algorithm) => {
    const finish = async (bytes: string) =>
      registry.user.http("PUT", at(await begin(), { digest: digestBy(algorithm, "true") }), { body: bytes });
    expect(await codeOf(await finish("false"))).toEqual([400, "DIGEST_INVALID"]);
    expect((await finish("true")).status).toBe(201);
  });

  test("that ended with a false digest can be ended with the right one", async () => {
    const location = locationOf(await registry.user.http("PATCH", await begin(), { body: "abcd" }));
    expect(await codeOf(await registry.user.http("PUT", at(location, { digest: digestBy("sha256", "other") })))).toEqual([
      400,
      "DIGEST_INVALID",
    ]);
    expect((await registry.user.http("PUT", at(location, { digest: digestBy("sha256", "abcd") }))).status).toBe(201);
  });
});

describe("a blob", () => {
  // RFC 9110 section 14: a range that is not well-formed, or of another unit, is as none; one that can't be satisfied is refused.
  test.each([
    ["bytes=0-0", 206, "bytes 0-0/2048", 1],
    ["bytes=2047-", 206, "bytes 2047-2047/2048", 1],
    ["bytes=-5000", 206, "bytes 0-2047/2048", 2048],
    ["BYTES=0-9", 206, "bytes 0-9/2048", 10],
    ["bytes=2048-", 416, "bytes */2048", 0],
    ["bytes=-0", 416, "bytes */2048", 0],
    ["bytes=0-99999999999999999999", 206, "bytes 0-2047/2048", 2048],
    ["bytes=0-1,5-6", 200, null, 2048],
    ["bytes=a-b", 200, null, 2048],
    ["bytes=-", 200, null, 2048],
    ["lines=0-1", 200, null, 2048],
  ])("answers Range: %s", async (range, status, contentRange, length) => {
    const { bytes, digest } = await pushed();
    const answer = await registry.user.http("GET", `${ONE}/blobs/${digest}`, { headers: { range } });
    const body = Buffer.from(await answer.arrayBuffer());
    expect([answer.status, answer.headers.get("content-range"), answer.headers.get("content-length")]).toEqual([
      status,
      contentRange,
      String(length),
    ]);
    const first = Number(/bytes (\d+)/.exec(contentRange ?? "")?.[1] ?? 0);
    if (status !== 416) expect(body.equals(bytes.subarray(first, first + length))).toBe(true);
  });

  test("answers a range to who holds its beginning, and the whole to who holds another's", async () => {
    const { digest } = await pushed();
    const asked = (etag: string) =>
      registry.user.http("GET", `${ONE}/blobs/${digest}`, { headers: { range: "bytes=1024-", "if-range": etag } });
    expect([(await asked(`"${digest}"`)).status, (await asked('"other"')).status]).toEqual([206, 200]);
  });

  test("without bytes has no ranges", async () => {
    const digest = digestBy("sha256", "");
    await registry.user.http("PUT", at(await begin(), { digest }));
    const answer = await registry.user.http("GET", `${ONE}/blobs/${digest}`, { headers: { range: "bytes=0-0" } });
    expect([answer.status, answer.headers.get("content-range")]).toEqual([416, "bytes */0"]);
  });

  test("says the same of itself to HEAD and GET", async () => {
    const { digest } = await pushed();
    const [head, get] = await Promise.all(["HEAD", "GET"].map((method) => registry.user.http(method, `${ONE}/blobs/${digest}`)));
    const said = ({ headers }: Response) =>
      Object.fromEntries(
        ["content-type", "content-length", "docker-content-digest", "etag", "accept-ranges"].map((name) => [name, headers.get(name)]),
      );
    expect(said(head!)).toEqual(said(get!));
    expect(said(get!)).toMatchObject({ "content-length": "2048", "docker-content-digest": digest });
    await get!.arrayBuffer();
  });

  test("is mounted by its digest in either algorithm, with or without account and region in the name of where it is", async () => {
    const bytes = noise("two names", 300);
    for (const algorithm of ["sha256", "sha512"] as const) {
      const digest = digestBy(algorithm, bytes);
      await registry.user.http("POST", `${ONE}/blobs/uploads/?digest=${digest}`, { body: bytes });
      const mounted = await registry.user.http("POST", `conformance/two/blobs/uploads/?mount=${digest}&from=${ONE}`);
      expect([mounted.status, mounted.headers.get("docker-content-digest")]).toEqual([201, digest]);
    }
  });

  test("is not mounted from a repository that is encrypted otherwise, or that a cache fills", async () => {
    const { ecr, http } = registry.user;
    await createRepository(ecr, "conformance/kms", { encryptionConfiguration: { encryptionType: "KMS" } });
    await ecr.send(new CreatePullThroughCacheRuleCommand({ ecrRepositoryPrefix: "cached", upstreamRegistryUrl: "quay.io" }));
    await createRepository(ecr, "cached/one");
    const bytes = noise("not mounted", 300);
    const digest = digestBy("sha256", bytes);
    for (const name of ["conformance/kms", "cached/one"]) {
      expect((await http("POST", `${name}/blobs/uploads/?digest=${digest}`, { body: bytes })).status).toBe(201);
      expect((await http("POST", `conformance/two/blobs/uploads/?mount=${digest}&from=${name}`)).status).toBe(202);
    }
  });
});
