import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { digestOf } from "../digest.ts";
import { behindFaults, type Decide, readAll } from "../testing/behind-faults.ts";
import { type DockerRegistry, startDockerRegistry } from "../testing/docker-registry.ts";
import { startResumingRegistry } from "../testing/resuming-registry.ts";
import { memoryBlob, noise } from "../testing/sample-images.ts";
import { registryClient, type RegistryClientOptions } from "./registry-client.ts";

let registry: DockerRegistry;
beforeAll(async () => {
  registry = await startDockerRegistry();
});
afterAll(async () => registry[Symbol.asyncDispose]());

const through = (name: string, decide: Decide, options?: RegistryClientOptions) => behindFaults(registry.url, name, decide, options);

describe("blobs", () => {
  const small = noise("small", 50_000);
  const large = noise("large", 9_000_000);

  test("go up in one request or resumable, and come back whole", async () => {
    await using client = registryClient();
    const repository = client.repository({ registry: registry.host, repository: "blobs/whole" });
    for (const bytes of [Buffer.alloc(0), small, large]) {
      const { blob } = memoryBlob(bytes);
      expect(await repository.uploadBlob(memoryBlob(bytes))).toBe(bytes.length);
      expect(await repository.headBlob(blob.digest)).toBe(bytes.length);
      expect(digestOf(await readAll(repository.blob(blob).read()))).toBe(blob.digest);
      expect(
        (await readAll(repository.blob(blob).read(Math.floor(bytes.length / 2)))).equals(bytes.subarray(Math.floor(bytes.length / 2))),
      ).toBe(true);
    }
    expect(await repository.headBlob(digestOf("absent"))).toBeUndefined();
  });

  test("a download that breaks goes on by Range where it broke", async () => {
    await using it = await through("blobs/cut", ({ method, path }, before) =>
      method === "GET" && path.includes("/blobs/") && before < 3 ? { kind: "cut", afterBytes: 2_000_000 } : undefined,
    );
    await it.repository.uploadBlob(memoryBlob(large));
    const { blob } = memoryBlob(large);
    expect(digestOf(await readAll(it.repository.blob(blob).read()))).toBe(blob.digest);
    const ranges = it.proxy.seen
      .filter(({ method, path }) => method === "GET" && path.includes(blob.digest))
      .map(({ headers }) => headers.range);
    expect(ranges).toHaveLength(4);
    expect(ranges.slice(1).every((range) => /^bytes=[1-9]\d+-$/.test(range ?? ""))).toBe(true);
  });

  test("a large blob is read over several connections, in order, also where some break or ranges are ignored", async () => {
    const huge = noise("huge", 30_000_000);
    const { blob } = memoryBlob(huge);
    const cuts =
      (ranges: RegExp): Decide =>
      ({ method, path, headers }, before) => {
        if (method !== "GET" || !path.includes("/blobs/")) return undefined;
        if (!ranges.test(headers.range ?? "")) return { kind: "dropRange" };
        return before === 1 ? { kind: "cut", afterBytes: 1_000_000 } : undefined;
      };
    await using it = await through("blobs/ranges", cuts(/./), { rangesPerBlob: 3 });
    await it.repository.uploadBlob(memoryBlob(huge));
    expect(digestOf(await readAll(it.repository.blob(blob).read()))).toBe(blob.digest);
    expect(it.proxy.count("GET", blob.digest)).toBe(5);
    await using ignoring = await through("blobs/ranges", cuts(/none/), { rangesPerBlob: 3 });
    expect(digestOf(await readAll(ignoring.repository.blob(blob).read()))).toBe(blob.digest);
    expect((await readAll(ignoring.repository.blob(blob).read(100))).equals(huge.subarray(100))).toBe(true);
  });

  test("an upload that breaks goes on where the registry stands", async () => {
    let patches = 0;
    await using resuming = await startResumingRegistry();
    await using it = await behindFaults(resuming.url, "a", ({ method }) =>
      method === "PATCH" && (patches += 1) < 3 ? { kind: "cutUpload", afterBytes: 3_000_000 } : undefined,
    );
    const sent = await it.repository.uploadBlob(memoryBlob(large));
    expect(resuming.stored.get(digestOf(large))?.equals(large)).toBe(true);
    expect(sent).toBeGreaterThan(0);
    const patched = it.proxy.seen.filter(({ method }) => method === "PATCH").map(({ headers }) => headers["content-range"]);
    // Bytes of a broken connection may still arrive when the next one asks: then it is refused once, and goes on from there.
    expect(patched.length).toBeGreaterThanOrEqual(3);
    expect(patched[0]).toBeUndefined();
    for (const range of patched.slice(1)) expect(range).toMatch(/^[1-9]\d+-8999999$/);
  });

  test("an upload that a registry cannot go on with begins anew", async () => {
    let patches = 0;
    await using it = await through("blobs/again", ({ method }) =>
      method === "PATCH" && (patches += 1) < 3 ? { kind: "cutUpload", afterBytes: 3_000_000 } : undefined,
    );
    await it.repository.uploadBlob(memoryBlob(large));
    const { blob } = memoryBlob(large);
    expect(digestOf(await readAll(it.repository.blob(blob).read()))).toBe(blob.digest);
  });

  test("bytes that are not those of the digest are never handed over whole", async () => {
    await using it = await through("blobs/lies", ({ method, path }) =>
      method === "GET" && path.includes("/blobs/") ? { kind: "flip" } : undefined,
    );
    await it.repository.uploadBlob(memoryBlob(small));
    const { blob } = memoryBlob(small);
    let handedOver = 0;
    const read = async () => {
      for await (const chunk of it.repository.blob(blob).read()) handedOver += chunk.length;
    };
    await expect(read()).rejects.toMatchObject({ kind: "corrupt" });
    expect(handedOver).toBeLessThan(small.length);
    await using client = registryClient();
    const target = client.repository({ registry: registry.host, repository: "blobs/lied-to" });
    await expect(target.uploadBlob(it.repository.blob(blob))).rejects.toMatchObject({ kind: "corrupt" });
    expect(await target.headBlob(blob.digest)).toBeUndefined();
  });

  test("are mounted from another repository of the registry", async () => {
    await using client = registryClient();
    await client.repository({ registry: registry.host, repository: "blobs/from" }).uploadBlob(memoryBlob(small));
    const repository = client.repository({ registry: registry.host, repository: "blobs/to" });
    const { digest } = memoryBlob(small).blob;
    expect(await repository.beginUpload({ digest, from: "blobs/from" })).toBeUndefined();
    expect(await repository.headBlob(digest)).toBe(small.length);
    const session = await repository.beginUpload({ digest: digestOf("absent"), from: "blobs/from" });
    expect(session?.location.pathname).toContain("/blobs/uploads/");
  });
});
