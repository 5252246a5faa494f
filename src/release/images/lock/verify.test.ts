import { afterAll, beforeAll, expect, test } from "vitest";
import { registryClient, type RegistryClient } from "../../../oci/client/registry-client.ts";
import { transportFor } from "../../../oci/client/transport.ts";
import { digestOf } from "../../../oci/digest.ts";
import type { Descriptor } from "../../../oci/manifest.ts";
import { MEDIA_TYPES } from "../../../oci/media-types.ts";
import { noise } from "../../../oci/testing/sample-images.ts";
import { type StaticRegistry, staticRegistry } from "../../../oci/testing/static-registry.ts";
import { verifyImage } from "./verify.ts";

let registry: StaticRegistry;
let client: RegistryClient;
beforeAll(async () => {
  registry = await staticRegistry();
  client = registryClient({ transport: transportFor({ upstreams: { "quay.io": registry.url } }) });
});
afterAll(async () => {
  await client.close();
  await registry[Symbol.asyncDispose]();
});

const layer = (about: Pick<Descriptor, "digest" | "size">): Descriptor => ({ mediaType: MEDIA_TYPES.ociLayerTar, ...about });
const image = (...layers: readonly Descriptor[]): string =>
  registry.manifest({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: { mediaType: MEDIA_TYPES.ociConfig, ...registry.blob(Buffer.from('{"os":"linux","architecture":"amd64"}')) },
    layers,
  }).digest;
const problemsOf = async (digest: string, named = digest) =>
  (await verifyImage({ name: "cicd", client }, { image: "tool", target: `quay.io/tool@${named}`, digest }, { deep: false })).problems;

test("a layer that is not there, or in another size, is named without reading one; so is an image that is named by another digest", async () => {
  const there = layer(registry.blob(noise("there", 3000)));
  const absent = digestOf(Buffer.from("absent"));
  const whole = image(there);
  expect(await problemsOf(whole)).toEqual([]);
  expect(await problemsOf(image(there, layer({ digest: absent, size: 10 })))).toEqual([`the layer ${absent} is not there`]);
  expect(await problemsOf(image({ ...there, size: 3001 }))).toEqual([`the layer ${there.digest} has 3000 bytes, the manifest says 3001`]);
  expect(await problemsOf(whole, absent)).toEqual([`it is named by ${absent}, not by ${whole}`]);
  const index = registry.manifest({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociIndex,
    manifests: [{ mediaType: MEDIA_TYPES.ociManifest, digest: absent, size: 10 }],
  }).digest;
  expect(await problemsOf(index)).toEqual([`the manifest ${absent} is not there`]);
});
