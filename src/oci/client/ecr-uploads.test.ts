import { expect, test } from "vitest";
import { fastClock } from "../testing/behind-faults.ts";
import { ecrUploads } from "../testing/ecr-uploads.ts";
import { memoryBlob, noise } from "../testing/sample-images.ts";
import { registryClient } from "./registry-client.ts";
import { transportFor } from "./transport.ts";

const LARGE = noise("more than one request takes", 9_000_000);

async function upload(registry: { readonly url: string }): Promise<number> {
  await using client = registryClient({ clock: fastClock(), transport: transportFor({ ecrEndpoint: registry.url }) });
  return await client
    .repository({ registry: "111122223333.dkr.ecr.us-east-1.amazonaws.com", repository: "lab/tool" })
    .uploadBlob(memoryBlob(LARGE));
}

test("a layer goes into Amazon ECR, which answers the PATCH with 201", async () => {
  await using registry = await ecrUploads({ second: "discards" });
  expect(await upload(registry)).toBe(LARGE.length);
  expect(registry.asked).toEqual(["POST 1", "PATCH 1", "PUT 1"]);
  expect(registry.blobs.get(memoryBlob(LARGE).blob.digest)?.equals(LARGE)).toBe(true);
});

test.each(["discards", "keeps"] as const)(
  "a layer whose connection broke arrives whole in a registry that %s what comes later, and does not say so",
  async (second) => {
    await using registry = await ecrUploads({ second, cut: 3_000_000 });
    await upload(registry);
    // The second part is tried once; then the layer is sent anew.
    expect(registry.asked.filter((one) => one.startsWith("PATCH"))).toEqual(["PATCH 1", "PATCH 1", "PATCH 2"]);
    expect(registry.blobs.get(memoryBlob(LARGE).blob.digest)?.equals(LARGE)).toBe(true);
  },
);
