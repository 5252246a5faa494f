import { registryClient } from "../../src/oci/client/registry-client.ts";
import { gzipSync } from "node:zlib";
import { MEDIA_TYPES } from "../../src/oci/media-types.ts";
import { noise, pushSample } from "../../src/oci/testing/sample-images.ts";

/** One image of the set: its name in the upstream registry. */
export interface SampleImage {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
}

/**
 * Pushes 40 images whose layers are shared as in biocontainers: three families with a base of two layers each, and one
 * layer of its own for each image, sizes spread over a factor of ten.
 * @returns the images and the bytes of all layers, each counted once
 */
export async function pushSampleSet(
  registry: string,
  totalBytes: number,
): Promise<{ readonly images: readonly SampleImage[]; readonly bytes: number }> {
  await using client = registryClient();
  const baseBytes = Math.round(totalBytes * 0.05);
  const bases = [0, 1, 2].map((family) => [layer(`base-${family}`, Math.round(baseBytes / 3)), layer(`tools-${family}`, baseBytes)]);
  const own = sizes(COUNT, totalBytes - 4 * baseBytes);
  const images: SampleImage[] = [];
  for (const [index, size] of own.entries()) {
    const repository = `biocontainers/tool${index}`;
    const layers = [...(bases[index % bases.length] ?? []), layer(`own-${index}`, size)];
    const { digest } = await pushSample(client.repository({ registry, repository }), "1.0--0", {
      layers,
      layerType: MEDIA_TYPES.ociLayerGzip,
    });
    images.push({ repository, tag: "1.0--0", digest });
  }
  return { images, bytes: own.reduce((sum, size) => sum + size, 4 * baseBytes) };
}

const COUNT = 40;

/** Real gzip: skopeo looks, and compresses what is not. */
const layer = (seed: string, sizeBytes: number): Buffer => gzipSync(noise(seed, sizeBytes), { level: 0 });

/** Sizes in a geometric row from 1 to 10, together `total`. */
function sizes(count: number, total: number): readonly number[] {
  const shares = Array.from({ length: count }, (_, index) => 10 ** (((index * 17) % count) / (count - 1)));
  const sum = shares.reduce((all, share) => all + share, 0);
  return shares.map((share) => Math.round((share / sum) * total));
}
