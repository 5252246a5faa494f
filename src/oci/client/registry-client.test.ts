import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Clock } from "../../kit/clock.ts";
import { systemRandom } from "../../kit/random.ts";
import { digestOf } from "../digest.ts";
import { RegistryError } from "../errors.ts";
import { MEDIA_TYPES } from "../media-types.ts";
import { startDockerRegistry } from "../testing/docker-registry.ts";
import type { DockerRegistry } from "../testing/docker-registry.ts";
import { faultProxy } from "../testing/fault-proxy.ts";
import type { Fault, SeenRequest } from "../testing/fault-proxy.ts";
import { startResumingRegistry } from "../testing/resuming-registry.ts";
import { memoryBlob, noise, pushIndex, pushSample } from "../testing/sample-images.ts";
import { registryClient } from "./registry-client.ts";
import type { RegistryClientOptions } from "./registry-client.ts";

let registry: DockerRegistry;
beforeAll(async () => void (registry = await startDockerRegistry()));
afterAll(async () => registry[Symbol.asyncDispose]());

/** Waits are noted, not waited for. */
function fastClock(): Clock & { readonly waits: number[] } {
  const waits: number[] = [];
  let ms = 0;
  return { waits, now: () => new Date(ms), sleep: (wait) => (waits.push(wait), (ms += wait), Promise.resolve()) };
}

type Decide = (seen: SeenRequest, before: number) => Fault | undefined;

/** A client that goes through a proxy with faults, and the repository `name` behind it. */
async function through(name: string, decide: Decide, options: RegistryClientOptions & { readonly target?: string } = {}) {
  const proxy = await faultProxy(options.target ?? registry.url, decide);
  const clock = fastClock();
  const client = registryClient({ clock, ...options });
  const stack = new AsyncDisposableStack();
  stack.use(proxy);
  stack.use(client);
  return {
    proxy,
    clock,
    repository: client.repository({ registry: proxy.host, repository: name }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function read(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe("manifests", () => {
  test("are stored, found by tag and digest, and read back byte for byte", async () => {
    await using client = registryClient();
    const repository = client.repository({ registry: registry.host, repository: "manifests/kept" });
    const image = await pushSample(repository, "1", { layers: [noise("a", 1000)] });
    const index = await pushIndex(repository, "all", [image]);
    expect(await repository.headManifest("1")).toMatchObject({ digest: image.digest, sizeBytes: image.size });
    expect((await repository.getManifest("all"))?.digest).toBe(index.digest);
    expect((await repository.getManifest(image.digest))?.mediaType).toBe(MEDIA_TYPES.ociManifest);
    expect(await repository.headManifest("2")).toBeUndefined();
    expect(await repository.getManifest("2")).toBeUndefined();
  });

  test("a registry that sends other bytes than the digest is not believed", async () => {
    await using it = await through("manifests/lies", ({ method }) => (method === "GET" ? { kind: "flip" } : undefined));
    const image = await pushSample(it.repository, "1", { layers: [] });
    await expect(it.repository.getManifest(image.digest)).rejects.toMatchObject({ kind: "corrupt" });
    await expect(it.repository.getManifest("1")).rejects.toThrow("sent other bytes than promised");
  });

  test("a HEAD without a digest is answered by reading the manifest", async () => {
    await using it = await through("manifests/headless", () => ({ kind: "dropHeader", name: "docker-content-digest" }));
    const image = await pushSample(it.repository, "1", { layers: [] });
    expect((await it.repository.headManifest("1"))?.digest).toBe(image.digest);
  });

  test("schema 1 and web pages are refused in words", async () => {
    const { readManifest } = await import("../manifest.ts");
    expect(() => readManifest(Buffer.from("<html>Log in</html>"), "text/html")).toThrow(
      "a web page (text/html) came instead of a manifest",
    );
    const old = Buffer.from(JSON.stringify({ schemaVersion: 1, name: "a", fsLayers: [] }));
    expect(() => readManifest(old, "application/vnd.docker.distribution.manifest.v1+prettyjws")).toThrow("schema 1");
  });

  test("referrers are found where the registry has no API for them", async () => {
    await using client = registryClient();
    const repository = client.repository({ registry: registry.host, repository: "manifests/referrers" });
    const image = await pushSample(repository, "1", { layers: [] });
    expect(await repository.listReferrers(image.digest)).toEqual([]);
    const signature = await pushSample(repository, "", { layers: [noise("signature", 10)] });
    await pushIndex(repository, image.digest.replace(":", "-"), [signature]);
    expect((await repository.listReferrers(image.digest)).map(({ digest }) => digest)).toEqual([signature.digest]);
    for (const answer of [{ status: 200, body: "<html>" }, { status: 400 }, { status: 405 }]) {
      await using it = await through("manifests/referrers", ({ path }) =>
        path.includes("/referrers/sha256") ? { kind: "answer", ...answer } : undefined,
      );
      expect((await it.repository.listReferrers(image.digest)).map(({ digest }) => digest)).toEqual([signature.digest]);
    }
  });
});

describe("throttling and failures", () => {
  test("E14: 429 is waited out as long as the registry asks, by everybody", async () => {
    await using it = await through("busy/one", (_, before) =>
      before === 0 ? { kind: "answer", status: 429, headers: { "retry-after": "7" } } : undefined,
    );
    expect(await it.repository.headManifest("1")).toBeUndefined();
    expect(Math.max(...it.clock.waits)).toBeGreaterThanOrEqual(7000);
  });

  test("a registry that asks for hours fails at once and says so", async () => {
    const body = JSON.stringify({
      errors: [{ code: "TOOMANYREQUESTS", message: "You have reached your pull rate limit." }],
    });
    await using it = await through("busy/two", ({ path }) =>
      path === "/v2/" ? undefined : { kind: "answer", status: 429, headers: { "retry-after": "21600" }, body },
    );
    await expect(it.repository.getManifest("1")).rejects.toThrow("pull rate limit");
    expect(it.clock.waits).toEqual([]);
  });

  test("a failing registry is tried a limited number of times, with growing waits", async () => {
    const away: Decide = ({ path }) => (path === "/v2/" ? undefined : { kind: "answer", status: 503, body: "upstream is away" });
    await using it = await through("busy/three", away, { retries: { attempts: 4 } });
    const unavailable = { kind: "unavailable", status: 503 };
    await expect(it.repository.headManifest("1")).rejects.toMatchObject(unavailable);
    expect(it.proxy.count("HEAD", "manifests/1")).toBe(4);
    expect(it.clock.waits).toHaveLength(3);
    await expect(it.repository.getManifest("1")).rejects.toMatchObject(unavailable);
    expect(it.proxy.count("GET", "manifests/1")).toBe(4);
    const { blob } = memoryBlob(noise("away", 10));
    await expect(read(it.repository.blob(blob).read())).rejects.toMatchObject(unavailable);
    expect(it.proxy.count("GET", "blobs/sha256")).toBe(4);
    await expect(it.repository.uploadBlob(memoryBlob(noise("away", 10)))).rejects.toMatchObject(unavailable);
    expect(it.proxy.count("POST", "uploads")).toBe(4);
  });

  test("who is turned away together does not come again together: waits grow up to a limit, and half of each is chance", async () => {
    for (const [chance, waits] of [
      ["0000", [100, 200, 400, 500, 500, 500]],
      ["ffff", [200, 400, 800, 1000, 1000, 1000]],
    ] as const) {
      const random = { ...systemRandom, hex: () => chance };
      await using it = await through("busy/chance", ({ path }) => (path === "/v2/" ? undefined : { kind: "answer", status: 503 }), {
        random,
        retries: { longestWaitMs: 1000 },
      });
      await expect(it.repository.headManifest("1")).rejects.toMatchObject({ kind: "unavailable" });
      expect(it.clock.waits).toEqual(waits);
    }
  });

  test("an upload is tried a limited number of times, and then given up in the registry too", async () => {
    for (const method of ["PATCH", "PUT"]) {
      await using it = await through(
        "busy/six",
        (seen) => (seen.method === method ? { kind: "answer", status: 500, body: "disk" } : undefined),
        { retries: { attempts: 3 } },
      );
      await expect(it.repository.uploadBlob(memoryBlob(noise("never", 5_000_000)))).rejects.toThrow("disk");
      expect(it.proxy.count(method, "uploads")).toBe(3);
      expect(it.proxy.count("DELETE", "uploads")).toBe(1);
    }
  });

  test("manifests are stored only as often as the registry's quota allows", async () => {
    await using it = await through("busy/quota", () => undefined, { manifestPutsPerSecond: 10 });
    // Images of their own: docker-registry answers DIGEST_INVALID while another upload writes the same blob's link.
    await Promise.all(["1", "2", "3", "4"].map((tag) => pushSample(it.repository, tag, { layers: [Buffer.from(tag)] })));
    expect(it.clock.waits.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThanOrEqual(100);
    expect(it.proxy.count("PUT", "manifests/")).toBe(4);
  });

  test("broken connections are tried again", async () => {
    await using it = await through("busy/four", (_, before) => (before < 2 ? { kind: "reset" } : undefined));
    expect(await it.repository.headManifest("1")).toBeUndefined();
  });

  test("E14: refused access is not a missing image", async () => {
    const body = JSON.stringify({ errors: [{ code: "DENIED", message: "no basic auth" }] });
    await using it = await through("busy/five", ({ path }) => (path === "/v2/" ? undefined : { kind: "answer", status: 403, body }));
    const failure: unknown = await it.repository.headManifest("1").catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RegistryError);
    expect(failure).toMatchObject({ kind: "denied", temporary: false });
  });

  test("an unknown host is named", async () => {
    await using client = registryClient({ clock: fastClock() });
    const repository = client.repository({ registry: "registry.invalid", repository: "a" });
    await expect(repository.headManifest("1")).rejects.toThrow(/registry\.invalid cannot be reached/);
  });
});

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
      expect(digestOf(await read(repository.blob(blob).read()))).toBe(blob.digest);
      expect(
        (await read(repository.blob(blob).read(Math.floor(bytes.length / 2)))).equals(bytes.subarray(Math.floor(bytes.length / 2))),
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
    expect(digestOf(await read(it.repository.blob(blob).read()))).toBe(blob.digest);
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
    expect(digestOf(await read(it.repository.blob(blob).read()))).toBe(blob.digest);
    expect(it.proxy.count("GET", blob.digest)).toBe(5);
    await using ignoring = await through("blobs/ranges", cuts(/none/), { rangesPerBlob: 3 });
    expect(digestOf(await read(ignoring.repository.blob(blob).read()))).toBe(blob.digest);
    expect((await read(ignoring.repository.blob(blob).read(100))).equals(huge.subarray(100))).toBe(true);
  });

  test("an upload that breaks goes on where the registry stands", async () => {
    let patches = 0;
    await using resuming = await startResumingRegistry();
    await using it = await through(
      "a",
      ({ method }) => (method === "PATCH" && (patches += 1) < 3 ? { kind: "cutUpload", afterBytes: 3_000_000 } : undefined),
      { target: resuming.url },
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
    expect(digestOf(await read(it.repository.blob(blob).read()))).toBe(blob.digest);
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
