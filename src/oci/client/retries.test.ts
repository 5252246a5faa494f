import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemRandom } from "../../kit/random.ts";
import { RegistryError } from "../errors.ts";
import { behindFaults, type Decide, fastClock, readAll } from "../testing/behind-faults.ts";
import { type DockerRegistry, startDockerRegistry } from "../testing/docker-registry.ts";
import { memoryBlob, noise, pushSample } from "../testing/sample-images.ts";
import { registryClient, type RegistryClientOptions } from "./registry-client.ts";

let registry: DockerRegistry;
beforeAll(async () => {
  registry = await startDockerRegistry();
});
afterAll(async () => registry[Symbol.asyncDispose]());

const through = (name: string, decide: Decide, options?: RegistryClientOptions) => behindFaults(registry.url, name, decide, options);

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
    await expect(readAll(it.repository.blob(blob).read())).rejects.toMatchObject(unavailable);
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
