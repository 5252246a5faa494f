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
async function behind(decide: (seen: SeenRequest) => Fault | undefined, target = registry.url) {
  const proxy = await faultProxy(target, decide);
  const client = registryClient({ clock: { now: () => new Date(0), sleep: () => Promise.resolve() } });
  return {
    proxy, repository: client.repository({ registry: proxy.host, repository: "a" }),
    async [Symbol.asyncDispose]() {
      await client.close();
      await proxy[Symbol.asyncDispose]();
    },
  };
}

const answering = (body: string, headers: Record<string, string> = {}) => ({ path }: SeenRequest): Fault | undefined => (path === "/v2/" ? undefined : { kind: "answer", status: 200, headers, body });

test("a manifest that is asked for by its digest is no other, whatever digest the registry gives with it", async () => {
  const other = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [] });
  await using it = await behind(answering(other, { "content-type": MEDIA_TYPES.ociIndex, "docker-content-digest": digestOf(Buffer.from(other)) }));
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
    return method === "PUT" && (commits += 1) === 1 ? { kind: "answer", status: 400, body: '{"errors":[{"code":"DIGEST_INVALID"}]}' } : undefined;
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
