import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { conformanceRegistry, digestBy, ONE, type Raw, rawRequests } from "../testing/conformance.ts";
import { V2 } from "../testing/registry.ts";

const registry = conformanceRegistry();

const raw = rawRequests(registry);

const IMAGE = "application/vnd.oci.image.manifest.v1+json";
const empty = JSON.stringify({ schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [] });
const refused = ({ status, body }: Raw) => [status, body && (JSON.parse(body) as { errors: { code: string }[] }).errors[0]!.code];

describe("names that lead elsewhere", () => {
  test.each([
    "/v2/../../etc/passwd/manifests/latest",
    `${V2}../../../etc/manifests/latest`,
    `${V2}%2e%2e/%2e%2e/etc/manifests/latest`,
    `${V2}a%00b/manifests/latest`,
    `${V2}UPPER/manifests/latest`,
    `${V2}a//b/manifests/latest`,
    `${V2}${"a".repeat(300)}/manifests/latest`,
    `${V2}a%0d%0aset-cookie:%20x=1/manifests/latest`,
    "/v2/999988887777/us-east-1/x/manifests/latest",
    "/v2/111122223333/mars-1/x/manifests/latest",
  ])("%s names no repository", async (path) => {
    const answer = await raw("GET", path);
    expect([403, 404]).toContain(answer.status);
    expect(["NAME_UNKNOWN", "DENIED"]).toContain(refused(answer)[1]);
    expect(answer.headers).not.toHaveProperty("set-cookie");
    // A push there makes nothing, whatever it is called.
    expect((await raw("POST", path.replace("manifests/latest", "blobs/uploads/"))).status).toBeGreaterThanOrEqual(400);
  });

  test("a name of two lines makes no line of the log, also where IAM would refuse it", async () => {
    for (const name of ["999988887777/us-east-1/x%0aforged", `${V2.slice("/v2/".length)}x%0dforged`, "999988887777/us-east-1/x%00forged"])
      for (const rest of ["manifests/latest", "blobs/uploads/", "tags/list"])
        expect((await raw("GET", `/v2/${name}/${rest}`)).status).toBe(404);
    expect(registry.log.filter((line) => line.includes("forged"))).toEqual([]);
  });

  test.each(["../../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%00", "x%0d%0ax"])("an upload is never %s", async (id) => {
    for (const method of ["GET", "PATCH", "PUT", "DELETE"]) {
      const answer = await raw(method, `${V2}${ONE}/blobs/uploads/${id}`, { body: "abc" });
      expect(answer.status).toBe(404);
    }
  });

  test.each([".hidden", "-dash", "a".repeat(129), "two%20words", "a%0d%0aset-cookie:%20x=1", "a%2fb", "tag%00", "ümlaut"])(
    "a tag is never %s",
    async (tag) => {
      const answer = await raw("PUT", `${V2}${ONE}/manifests/${tag}`, {
        body: empty,
        headers: { "content-type": "application/vnd.oci.image.index.v1+json" },
      }).catch((error: Error) => error);
      // Bytes that are no HTTP at all never leave the client.
      if (answer instanceof Error) return expect(answer.message).toMatch(/unescaped characters/);
      expect([400, 404, 405]).toContain(answer.status);
      expect(answer.headers).not.toHaveProperty("set-cookie");
    },
  );

  test.each([
    "sha256:xyz",
    "sha256:",
    "sha256:../../x",
    "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
    `sha256:${"0".repeat(65)}`,
    `SHA256:${"0".repeat(64)}`,
    `sha512:${"0".repeat(64)}`,
  ])("a digest is never %s", async (digest) => {
    for (const kind of ["blobs", "referrers", "manifests"])
      expect([400, 404]).toContain((await raw("GET", `${V2}${ONE}/${kind}/${digest}`)).status);
    expect(refused(await raw("PUT", `${V2}${ONE}/manifests/${digest}`, { body: empty, headers: { "content-type": IMAGE } }))[0]).toBe(
      /\//.test(digest) ? 404 : 400,
    );
    expect((await raw("POST", `${V2}${ONE}/blobs/uploads/?mount=${digest}&from=${ONE}`)).status).toBe(400);
    expect((await raw("DELETE", `${V2}${ONE}/manifests/${digest}`)).status).toBeGreaterThanOrEqual(400);
  });
});

describe("manifests that are none", () => {
  test.each([
    ["no JSON", "hello", 400, "MANIFEST_INVALID"],
    ["nothing", "", 400, "MANIFEST_INVALID"],
    ["a list", "[]", 400, "MANIFEST_INVALID"],
    ["null", "null", 400, "MANIFEST_INVALID"],
    ["a number", "7", 400, "MANIFEST_INVALID"],
    ["neither image nor index", '{"schemaVersion":2}', 400, "MANIFEST_INVALID"],
    ["a configuration that is a number", '{"schemaVersion":2,"config":7,"layers":[]}', 400, "MANIFEST_INVALID"],
    ["layers that are numbers", '{"schemaVersion":2,"layers":[1,2]}', 400, "MANIFEST_INVALID"],
    ["a layer whose digest is a number", '{"schemaVersion":2,"layers":[{"digest":7,"size":1}]}', 400, "MANIFEST_INVALID"],
    ["a layer whose digest is none", '{"schemaVersion":2,"layers":[{"digest":"../../x","size":1}]}', 400, "MANIFEST_INVALID"],
    [
      "a layer that is not there",
      `{"schemaVersion":2,"layers":[{"digest":"${digestBy("sha256", "nowhere")}","size":1}]}`,
      404,
      "MANIFEST_BLOB_UNKNOWN",
    ],
    ["a hundred thousand brackets", "[".repeat(100_000), 400, "MANIFEST_INVALID"],
    [
      "a layer of minus one byte",
      `{"schemaVersion":2,"layers":[{"digest":"${digestBy("sha256", "nowhere")}","size":-1}]}`,
      400,
      "MANIFEST_INVALID",
    ],
    ["annotations that are numbers", '{"schemaVersion":2,"layers":[],"annotations":{"a":1}}', 400, "MANIFEST_INVALID"],
    ["an artifact type of two lines", '{"schemaVersion":2,"layers":[],"artifactType":"a/b\\r\\nset-cookie: x=1"}', 400, "MANIFEST_INVALID"],
    ["more than 4 MiB", " ".repeat(4 * 1024 * 1024 + 1), 413, "SIZE_INVALID"],
  ])("%s", async (_what, body, status, code) => {
    expect(refused(await raw("PUT", `${V2}${ONE}/manifests/bad`, { body, headers: { "content-type": IMAGE } }))).toEqual([status, code]);
  });

  test.each([
    ["a manifest that is a number", [7]],
    ["one whose digest is none", [{ digest: "latest", size: 1 }]],
    ["one that is not there", [{ digest: digestBy("sha256", "nowhere"), size: 1 }]],
  ])("an index of %s", async (_what, manifests) => {
    const answer = await raw("PUT", `${V2}${ONE}/manifests/bad`, {
      body: JSON.stringify({ schemaVersion: 2, manifests }),
      headers: { "content-type": "application/vnd.oci.image.index.v1+json" },
    });
    expect([400, 404]).toContain(answer.status);
  });

  test("whose own type has two lines is no answer's header", async () => {
    const body = JSON.stringify({ schemaVersion: 2, mediaType: "application/json\r\nset-cookie: x=1", layers: [] });
    expect(refused(await raw("PUT", `${V2}${ONE}/manifests/bad`, { body }))).toEqual([400, "MANIFEST_INVALID"]);
  });

  test("a subject that is no descriptor makes no referrer", async () => {
    for (const subject of [7, "x", { digest: 7 }, { digest: "../../x" }]) {
      const answer = await raw("PUT", `${V2}${ONE}/manifests/bad`, {
        body: JSON.stringify({ schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [], subject }),
        headers: { "content-type": "application/vnd.oci.image.index.v1+json" },
      });
      expect(refused(answer)).toEqual([400, "MANIFEST_INVALID"]);
    }
  });
});

test.each([
  "Basic",
  "Basic !!!",
  `Basic ${Buffer.from("AWS").toString("base64")}`,
  `Basic ${Buffer.from("AWS:.").toString("base64")}`,
  `Basic ${Buffer.from("AWS:e30.e30").toString("base64")}`,
  `Basic ${Buffer.from("root:x").toString("base64")}`,
  "Bearer x",
])("the credentials %s are none", async (authorization) => {
  const answer = await raw("GET", "/v2/", { headers: { authorization } });
  expect([answer.status, answer.headers["www-authenticate"]]).toEqual([401, 'Basic realm="ECR",service="ecr.amazonaws.com"']);
});

// After every other test of the file, whatever their order.
afterAll(async () => {
  expect(await (await registry.user.http("GET", `${ONE}/tags/list`)).json()).toMatchObject({ tags: [] });
  expect(readdirSync(join(registry.dataDir, "work", "ecr-uploads"))).toEqual([]);
});
