import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { gzipSync } from "node:zlib";
import { registryClient } from "../../src/oci/client/registry-client.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { fileOf, tarOf } from "../../src/oci/image/tar-writer.ts";
import { MEDIA_TYPES } from "../../src/oci/media-types.ts";
import { realLayers } from "./real-layers.ts";
import type { Layer } from "./real-layers.ts";
import { noise, pushSample } from "../../src/oci/testing/sample-images.ts";
import type { Sample } from "../../src/oci/testing/sample-images.ts";

/** One image of the set: its name in the upstream registry. */
export interface SampleImage {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

export interface SampleSet {
  readonly images: readonly SampleImage[];
  /** Bytes of all layers, each counted once. */
  readonly bytes: number;
}

/**
 * How images share layers. In biocontainers each has a layer of its own on one of a few small bases, so that hardly
 * anything is there twice; images of one laboratory are built on a few large ones.
 */
export const SHARINGS = {
  biocontainers: { families: 2, baseShares: [0.0015, 0.0085] },
  families: { families: 3, baseShares: [1 / 60, 1 / 20] },
} as const;

export type Sharing = keyof typeof SHARINGS;

/**
 * Pushes 40 images of a few families: the layers of the family's base, and one layer of its own for each image, sizes
 * spread over a factor of ten.
 */
export async function pushSampleSet(
  registry: string,
  { totalBytes, sharing }: { readonly totalBytes: number; readonly sharing: Sharing },
): Promise<SampleSet> {
  await using client = registryClient();
  const layer = await realLayers();
  const { families, baseShares } = SHARINGS[sharing];
  const bases = await Promise.all(
    Array.from({ length: families }, (_, family) =>
      Promise.all(baseShares.map((share, index) => layer(`base-${family}-${index}`, Math.round(totalBytes * share)))),
    ),
  );
  const baseBytes = bases.flat().reduce((sum, { bytes }) => sum + bytes.length, 0);
  const images: SampleImage[] = [];
  let bytes = baseBytes;
  for (const [index, size] of sizes(COUNT, totalBytes - baseBytes).entries()) {
    const repository = `biocontainers/tool${index}`;
    const own = await layer(`own-${index}`, size);
    const { digest } = await pushSample(
      client.repository({ registry, repository }),
      "1.0--0",
      sampleOf([...(bases[index % bases.length] ?? []), own]),
    );
    images.push({ repository, tag: "1.0--0", digest });
    bytes += own.bytes.length;
  }
  return { images, bytes };
}

/** Pushes an image with one layer. */
export async function pushOneLayer(registry: string, sizeBytes: number): Promise<SampleImage> {
  await using client = registryClient();
  const [repository, tag] = [`one-layer/mib${sizeBytes / 1024 ** 2}`, "1"];
  const layers = [await plainLayer(repository.replace("/", "-"), sizeBytes)];
  const { digest } = await pushSample(client.repository({ registry, repository }), tag, sampleOf(layers));
  return { repository, tag, digest };
}

const COUNT = 40;

const sampleOf = (layers: readonly Layer[]): Sample => ({
  layers: layers.map(({ bytes }) => bytes),
  diffIds: layers.map(({ diffId }) => diffId),
  layerType: MEDIA_TYPES.ociLayerGzip,
});

/** One layer of any size: its bytes are noise, which matters to nobody who does not unpack it. */
async function plainLayer(seed: string, sizeBytes: number): Promise<Layer> {
  const archive = await buffer(Readable.from(tarOf([fileOf(`opt/${seed}`, noise(seed, sizeBytes))])));
  return { bytes: gzipSync(archive, { level: 0 }), diffId: digestOf(archive) };
}

/** Sizes in a geometric row from 1 to 10, together `total`. */
function sizes(count: number, total: number): readonly number[] {
  const shares = Array.from({ length: count }, (_, index) => 10 ** (((index * 17) % count) / (count - 1)));
  const sum = shares.reduce((all, share) => all + share, 0);
  return shares.map((share) => Math.round((share / sum) * total));
}
