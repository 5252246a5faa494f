import { afterAll, beforeAll, expect, test } from "vitest";
import { digestOf } from "../digest.ts";
import { MEDIA_TYPES } from "../media-types.ts";
import { type DockerRegistry, startDockerRegistry } from "../testing/docker-registry.ts";
import { type Fault, faultProxy, type SeenRequest } from "../testing/fault-proxy.ts";
import { startResumingRegistry } from "../testing/resuming-registry.ts";
import { memoryBlob, noise } from "../testing/sample-images.ts";
import { registryClient } from "./registry-client.ts";

let registry: DockerRegistry;
beforeAll(async () => void (registry = await startDockerRegistry()));
afterAll(() => registry[Symbol.asyncDispose]());

/** The repository `a` behind a proxy with faults. Waits take no time. */
async function behind(decide: (seen: SeenRequest, before: number) => Fault | undefined, target = registry.url) {
  const proxy = await faultProxy(target, decide);
  const client = registryClient({ clock: { now: () => new Date(0), sleep: () => Promise.resolve() } });
  return {
    proxy,
    repository: client.repository({ registry: proxy.host, repository: "a" }),
    async [Symbol.asyncDispose]() {
      await client.close();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

const answering =
  (body: string, headers: Record<string, string> = {}) =>
  ({ path }: SeenRequest): Fault | undefined =>
    path === "/v2/" ? undefined : { kind: "answer", status: 200, headers, body };

test("a manifest that is asked for by its digest is no other, whatever digest the registry gives with it", async () => {
  const other = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [] });
  await using it = await behind(
    answering(other, { "content-type": MEDIA_TYPES.ociIndex, "docker-content-digest": digestOf(Buffer.from(other)) }),
  );
  await expect(it.repository.getManifest(digestOf(Buffer.from("wanted")))).rejects.toMatchObject({ kind: "corrupt" });
  expect((await it.repository.getManifest("1"))?.digest).toBe(digestOf(Buffer.from(other)));
});

test("what is longer than any manifest is not read on", async () => {
  await using it = await behind(answering(" ".repeat(4 * 1024 * 1024 + 1), { "content-type": MEDIA_TYPES.ociIndex }));
  await expect(it.repository.getManifest("1")).rejects.toThrow("the manifest has more than 4 MiB");
});

test("a layer without bytes has the digest of none", async () => {
  await using it = await behind(answering(""));
  const read = async (digest: string) => {
    let bytes = 0;
    for await (const chunk of it.repository.blob({ digest, size: 0 }).read()) bytes += chunk.length;
    return bytes;
  };
  await expect(read(digestOf(Buffer.from("some")))).rejects.toMatchObject({ kind: "corrupt" });
  expect(await read(digestOf(Buffer.alloc(0)))).toBe(0);
});

test("an upload that was taken up and that the registry put together wrong is sent anew", async () => {
  const large = noise("put together", 9_000_000);
  let [patches, commits] = [0, 0];
  await using resuming = await startResumingRegistry();
  await using it = await behind(({ method }) => {
    if (method === "PATCH" && (patches += 1) === 1) return { kind: "cutUpload", afterBytes: 3_000_000 };
    return method === "PUT" && (commits += 1) === 1
      ? { kind: "answer", status: 400, body: '{"errors":[{"code":"DIGEST_INVALID"}]}' }
      : undefined;
  }, resuming.url);
  await it.repository.uploadBlob(memoryBlob(large));
  expect([resuming.stored.get(digestOf(large))?.equals(large), commits]).toEqual([true, 2]);
});

test("an upload whose end was not told is not sent again where the layer is there", async () => {
  const large = noise("not told", 5_000_000);
  await using losing = await startResumingRegistry({ losesAnswer: true });
  await using it = await behind(() => undefined, losing.url);
  expect(await it.repository.uploadBlob(memoryBlob(large))).toBe(large.length);
  expect([losing.stored.has(digestOf(large)), it.proxy.count("PUT", "uploads"), it.proxy.count("PATCH", "uploads")]).toEqual([true, 2, 1]);
});

test("an upload of which the registry keeps a part at a time arrives whole", async () => {
  const large = noise("in parts", 9_000_000);
  await using keeping = await startResumingRegistry({ mostAtOnce: 4_000_000 });
  await using it = await behind(() => undefined, keeping.url);
  await it.repository.uploadBlob(memoryBlob(large));
  expect(keeping.stored.get(digestOf(large))?.equals(large)).toBe(true);
  expect(it.proxy.seen.filter(({ method }) => method === "PATCH").map(({ headers }) => headers["content-range"])).toEqual([
    undefined,
    "4000000-8999999",
    "8000000-8999999",
  ]);
});

test("an upload that is lost at its end is sent anew where the layer is not there", async () => {
  const large = noise("lost at its end", 5_000_000);
  let commits = 0;
  await using it = await behind(({ method }) =>
    method === "PUT" && (commits += 1) === 1
      ? { kind: "answer", status: 404, body: '{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}' }
      : undefined,
  );
  await it.repository.uploadBlob(memoryBlob(large));
  expect(await it.repository.headBlob(digestOf(large))).toBe(large.length);
});

test("an upload during which the token ends is sent anew with another, never the rest of it alone", async () => {
  const large = noise("a token ends", 5_000_000);
  let tokens = 0;
  const challenge = (headers: SeenRequest["headers"]): Fault => ({
    kind: "answer",
    status: 401,
    headers: { "www-authenticate": `Bearer realm="http://${headers.host}/token"` },
  });
  await using it = await behind(({ method, path, headers }, before) => {
    if (path.startsWith("/token")) return { kind: "answer", status: 200, body: `{"token":"t${(tokens += 1)}","expires_in":9999}` };
    return path === "/v2/" || (method === "PATCH" && before === 0 && headers.authorization === "Bearer t1")
      ? challenge(headers)
      : undefined;
  });
  await it.repository.uploadBlob(memoryBlob(large));
  expect([await it.repository.headBlob(digestOf(large)), it.proxy.count("PATCH", "uploads")]).toEqual([large.length, 2]);
});

test("a registry that looks at no digest gets no layer of other bytes", async () => {
  const status: Record<string, number> = { GET: 200, POST: 202, DELETE: 204 };
  await using it = await behind(({ method }) => ({
    kind: "answer",
    status: status[method] ?? 201,
    headers: { location: "/v2/a/blobs/uploads/1" },
  }));
  await using source = await behind(answering("x".repeat(50_000)));
  await expect(it.repository.uploadBlob(source.repository.blob(memoryBlob(noise("wanted", 50_000)).blob))).rejects.toMatchObject({
    kind: "corrupt",
    registry: source.proxy.host,
  });
});

test("a manifest that a registry stored as another one is told", async () => {
  const stored = digestOf(Buffer.from("another"));
  await using it = await behind(({ method }) =>
    method === "PUT" ? { kind: "answer", status: 201, headers: { "docker-content-digest": stored } } : undefined,
  );
  await expect(it.repository.putManifest("1", { mediaType: MEDIA_TYPES.ociIndex, bytes: Buffer.from("{}") })).rejects.toMatchObject({
    kind: "corrupt",
    says: expect.stringContaining(`calls it ${stored}`),
  });
});

test("a list that never ends is given up, and is not taken for one that ended", async () => {
  await using it = await behind(({ path }) => ({
    kind: "answer",
    status: 200,
    headers: { link: `<${path.split("?")[0]}?n=more>; rel="next"` },
    body: '{"manifests":[]}',
  }));
  await expect(it.repository.listReferrers(digestOf(Buffer.from("never")))).rejects.toThrow("its list has more than 1000 pages");
});

test("a layer is there when its last byte is", async () => {
  const bytes = noise("arriving", 50_000);
  const [arrived, asked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let isThere = false;
  await using it = await behind(({ headers }) =>
    headers.range === "bytes=49999-49999" ? (asked.resolve(), { kind: "hold", until: arrived.promise }) : undefined,
  );
  await it.repository.uploadBlob(memoryBlob(bytes));
  const waiting = it.repository.awaitBlob(memoryBlob(bytes).blob).then((found) => [found, isThere]);
  await Promise.race([asked.promise, waiting]);
  isThere = true;
  arrived.resolve();
  expect(await waiting).toEqual([true, true]);
});

test.each(["GET", "HEAD", "PUT"])(
  "a %s that is not answered ends with the work that it is part of",
  async (method) => {
    const ending = new AbortController();
    await using it = await behind(({ path }) =>
      path === "/v2/" ? undefined : (ending.abort(new Error("out of time")), { kind: "hold", until: new Promise(() => undefined) }),
    );
    await using client = registryClient();
    const repository = client.repository({ registry: it.proxy.host, repository: "a" }, { signal: ending.signal });
    const asked = {
      GET: () => repository.getManifest("1"),
      HEAD: () => repository.headManifest("1"),
      PUT: () => repository.putManifest("1", { mediaType: "x", bytes: Buffer.from("{}") }),
    }[method];
    await expect(asked?.()).rejects.toThrow("out of time");
  },
  10_000,
);
