import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { digestOf } from "../../../oci/digest.ts";
import { startAccounts, type TestAccounts } from "../../testing/accounts.ts";
import { codeOf, createRepository, signIn, V2, type RegistryUser } from "../testing/registry.ts";

// The rules of the OCI distribution specification 1.1, each by its request.

let accounts: TestAccounts;
let user: RegistryUser;
beforeAll(async () => {
  accounts = await startAccounts();
  user = await signIn(accounts);
  for (const name of ["spec", "other"]) await createRepository(user.ecr, name);
});
afterAll(async () => {
  await user[Symbol.asyncDispose]();
  await accounts[Symbol.asyncDispose]();
});

const OCI = "application/vnd.oci.image.manifest.v1+json";
const INDEX = "application/vnd.oci.image.index.v1+json";
const begin = async (name = "spec") => (await user.http("POST", `${name}/blobs/uploads/`)).headers.get("location")!;
const put = async (text: string, name = "spec") => {
  expect((await user.http("POST", `${name}/blobs/uploads/?digest=${digestOf(text)}`, { body: text })).status).toBe(201);
  return { mediaType: "application/octet-stream", digest: digestOf(text), size: text.length };
};
const putManifest = (reference: string, manifest: object, mediaType = OCI) =>
  user.http("PUT", `spec/manifests/${reference}`, { body: JSON.stringify(manifest), headers: { "content-type": mediaType } });
const manifestOf = async (seed: string, more: object = {}) => ({
  schemaVersion: 2,
  mediaType: OCI,
  config: await put(`{"seed":"${seed}"}`),
  layers: [await put(`layer ${seed}`)],
  ...more,
});

describe("uploads", () => {
  test.each([["sha256"], ["sha512"]])("a blob arrives by POST and PUT under its %s", async (algorithm) => {
    const digest = `${algorithm}:${createHash(algorithm).update("by put").digest("hex")}`;
    const answer = await user.http("PUT", `${await begin()}?digest=${digest}`, { body: "by put" });
    expect([answer.status, answer.headers.get("location")]).toEqual([201, `${V2}spec/blobs/${digest}`]);
    expect(await (await user.http("GET", `spec/blobs/${digest}`)).text()).toBe("by put");
  });

  test("chunks arrive in order; one out of order is refused and the rest can follow", async () => {
    const location = await begin();
    const chunk = (body: string, start: number) =>
      user.http("PATCH", location, { body, headers: { "content-range": `${start}-${start + body.length - 1}` } });
    expect((await chunk("second", 5)).status).toBe(416);
    const first = await chunk("first", 0);
    expect([first.status, first.headers.get("range")]).toEqual([202, "0-4"]);
    expect((await chunk("again", 0)).status).toBe(416);
    expect((await user.http("GET", location)).headers.get("range")).toBe("0-4");
    const last = await user.http("PUT", `${location}?digest=${digestOf("first second")}`, {
      body: " second",
      headers: { "content-range": "5-11" },
    });
    expect(last.status).toBe(201);
  });

  test("a false digest, a text that is no digest and an upload that is gone are refused", async () => {
    const location = await begin();
    expect(await codeOf(await user.http("PUT", `${location}?digest=${digestOf("a")}`, { body: "b" }))).toBe("DIGEST_INVALID");
    expect(await codeOf(await user.http("PUT", `${await begin()}?digest=sha256:abc`, { body: "b" }))).toBe("DIGEST_INVALID");
    const cancelled = await begin();
    expect((await user.http("DELETE", cancelled)).status).toBe(204);
    expect(await codeOf(await user.http("PATCH", cancelled, { body: "x" }))).toBe("BLOB_UPLOAD_UNKNOWN");
  });

  test("a blob is mounted from a repository that has it, and uploaded where none has", async () => {
    const { digest } = await put("mounted", "other");
    const from = `${V2.slice("/v2/".length)}other`;
    expect((await user.http("POST", `spec/blobs/uploads/?mount=${digest}&from=${from}`)).status).toBe(201);
    expect((await user.http("POST", `spec/blobs/uploads/?mount=${digestOf("nobody's")}&from=${from}`)).status).toBe(202);
  });

  test("an empty blob is a blob", async () => {
    await put("");
    const answer = await user.http("GET", `spec/blobs/${digestOf("")}`);
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
  });
});

test("ranges of a blob are read; one beyond its end is refused", async () => {
  const { digest } = await put("0123456789");
  const read = async (range: string) => {
    const answer = await user.http("GET", `spec/blobs/${digest}`, { headers: { range } });
    return [answer.status, answer.headers.get("content-range"), await answer.text()];
  };
  expect(await read("bytes=2-4")).toEqual([206, "bytes 2-4/10", "234"]);
  expect(await read("bytes=8-")).toEqual([206, "bytes 8-9/10", "89"]);
  expect(await read("bytes=-3")).toEqual([206, "bytes 7-9/10", "789"]);
  expect((await read("bytes=10-"))[0]).toBe(416);
});

describe("manifests", () => {
  test("come back byte for byte by tag and digest", async () => {
    const manifest = await manifestOf("bytes", { annotations: { a: "b" }, unknownMember: [1] });
    const digest = digestOf(JSON.stringify(manifest));
    expect((await putManifest("bytes", manifest)).headers.get("docker-content-digest")).toBe(digest);
    for (const reference of ["bytes", digest]) {
      const answer = await user.http("GET", `spec/manifests/${reference}`);
      expect([answer.headers.get("content-type"), digestOf(await answer.text())]).toEqual([OCI, digest]);
      expect((await user.http("HEAD", `spec/manifests/${reference}`)).headers.get("docker-content-digest")).toBe(digest);
    }
  });

  test("are refused when they are no JSON, lack a blob, or are not what their digest says", async () => {
    const manifest = await manifestOf("refused");
    const missing = { ...manifest, layers: [{ mediaType: "x/y", digest: digestOf("not there"), size: 9 }] };
    const text = await user.http("PUT", "spec/manifests/v1", { body: "{", headers: { "content-type": OCI } });
    expect([text.status, await codeOf(text)]).toEqual([400, "MANIFEST_INVALID"]);
    expect(await codeOf(await putManifest("v1", missing))).toBe("MANIFEST_BLOB_UNKNOWN");
    expect(await codeOf(await putManifest(digestOf("other"), manifest))).toBe("DIGEST_INVALID");
    expect(await codeOf(await putManifest("-bad", manifest))).toBe("TAG_INVALID");
    expect(await codeOf(await user.http("GET", "spec/manifests/nobody"))).toBe("MANIFEST_UNKNOWN");
    expect(await codeOf(await user.http("GET", "absent/manifests/v1"))).toBe("NAME_UNKNOWN");
  });

  test("of 4 MB are taken, an index of nothing and a nested one too", async () => {
    expect((await putManifest("large", await manifestOf("large", { annotations: { big: "A".repeat(3_900_000) } }))).status).toBe(201);
    const empty = { schemaVersion: 2, mediaType: INDEX, manifests: [] };
    expect((await putManifest("empty", empty, INDEX)).status).toBe(201);
    const nested = {
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [{ mediaType: INDEX, digest: digestOf(JSON.stringify(empty)), size: JSON.stringify(empty).length }],
    };
    expect((await putManifest("nested", nested, INDEX)).status).toBe(201);
    expect((await user.http("DELETE", `spec/manifests/${digestOf(JSON.stringify(empty))}`)).status).toBe(405);
  });

  test("tell who refers to them, before and after they are there", async () => {
    const subject = await manifestOf("subject");
    const digest = digestOf(JSON.stringify(subject));
    const sbom = await manifestOf("sbom", {
      artifactType: "application/x-sbom",
      annotations: { "org.x": "y" },
      subject: { mediaType: OCI, digest, size: 1 },
    });
    const answer = await putManifest(digestOf(JSON.stringify(sbom)), sbom);
    expect([answer.status, answer.headers.get("oci-subject")]).toEqual([201, digest]);
    await putManifest("subject", subject);
    const referrers = async (query = "") => {
      const found = await user.http("GET", `spec/referrers/${digest}${query}`);
      return {
        type: found.headers.get("content-type"),
        filter: found.headers.get("oci-filters-applied"),
        manifests: ((await found.json()) as { manifests: object[] }).manifests,
      };
    };
    expect(await referrers()).toMatchObject({
      type: INDEX,
      manifests: [{ artifactType: "application/x-sbom", annotations: { "org.x": "y" }, digest: digestOf(JSON.stringify(sbom)) }],
    });
    expect(await referrers("?artifactType=application/x-other")).toMatchObject({ filter: "artifactType", manifests: [] });
  });

  test("go by tag and by digest; a blob alone does not", async () => {
    const manifest = await manifestOf("gone");
    const digest = digestOf(JSON.stringify(manifest));
    await putManifest("gone", manifest);
    await putManifest("gone-too", manifest);
    expect((await user.http("DELETE", "spec/manifests/gone")).status).toBe(202);
    expect((await user.http("HEAD", `spec/manifests/${digest}`)).status).toBe(200);
    expect((await user.http("DELETE", `spec/manifests/${digest}`)).status).toBe(202);
    expect((await user.http("GET", "spec/manifests/gone-too")).status).toBe(404);
    expect((await user.http("DELETE", `spec/blobs/${manifest.config.digest}`)).status).toBe(405);
  });
});

test("tags are listed in order and in pages", async () => {
  await createRepository(user.ecr, "tags");
  const empty = { body: JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [] }), headers: { "content-type": INDEX } };
  for (const tag of ["c", "a", "b", "A"]) await user.http("PUT", `tags/manifests/${tag}`, empty);
  const list = async (path: string) => {
    const answer = await user.http("GET", path);
    return { tags: ((await answer.json()) as { tags: string[] }).tags, next: /<(.*)>/.exec(answer.headers.get("link") ?? "")?.[1] };
  };
  expect(await list("tags/tags/list")).toEqual({ tags: ["A", "a", "b", "c"], next: undefined });
  const first = await list("tags/tags/list?n=3");
  expect(first.tags).toEqual(["A", "a", "b"]);
  expect(await list(first.next!)).toEqual({ tags: ["c"], next: undefined });
  expect((await list("tags/tags/list?n=0")).tags).toEqual([]);
  expect((await user.http("GET", "tags/tags/list?n=many")).status).toBe(400);
});

test("a path that is not well-formed names nothing", async () => {
  expect((await user.http("GET", `${accounts.url}/v2/%E0%A4%A/tags/list`)).status).toBe(404);
});
