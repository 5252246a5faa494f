import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readManifest } from "../manifest.ts";
import { MEDIA_TYPES } from "../media-types.ts";
import { behindFaults, type Decide } from "../testing/behind-faults.ts";
import { type DockerRegistry, startDockerRegistry } from "../testing/docker-registry.ts";
import { noise, pushIndex, pushSample } from "../testing/sample-images.ts";
import { registryClient } from "./registry-client.ts";

let registry: DockerRegistry;
beforeAll(async () => {
  registry = await startDockerRegistry();
});
afterAll(async () => registry[Symbol.asyncDispose]());

const through = (name: string, decide: Decide) => behindFaults(registry.url, name, decide);

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
