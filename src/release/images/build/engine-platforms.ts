import { join } from "node:path";
import { parseImageRef } from "../../../kit/image-ref.ts";
import type { RegistryClient } from "../../../oci/client/registry-client.ts";
import { RegistryError } from "../../../oci/errors.ts";
import { baseFromRegistry } from "../../../oci/image/base-image.ts";
import type { BuiltImage } from "../../../oci/image/built-image.ts";
import type { Layer } from "../../../oci/image/layer.ts";
import { InvalidManifest, parsePlatform } from "../../../oci/manifest.ts";
import { readBases } from "./bases.ts";
import { type EngineBuild, makeWithEngine } from "./engine-build.ts";
import { takeImage } from "./engine-image.ts";
import { labelsOf } from "./labels.ts";
import { hashSource } from "./source-files.ts";

/**
 * Has an engine build for each platform in turn. The images are ready to be pushed, and nothing is pushed before all of them are.
 * @throws ReleaseError ImagesFailed with the engine's last lines; RegistryError; DockerfileError where a base is not for a platform
 */
export async function makeForPlatforms(build: EngineBuild, client: RegistryClient): Promise<readonly BuiltImage[]> {
  const { engine, workshop, item, context, work } = build;
  const labels = labelsOf(item, { hash: await hashSource(context, item), bases: await readBases(client, item, context) });
  const images: BuiltImage[] = [];
  for (const platform of item.platforms ?? []) {
    const folder = join(work, `engine-${platform.replaceAll("/", "-")}`);
    const id = await makeWithEngine({ ...build, work: folder, client, labels, platform, isOneOfSeveral: true });
    images.push(await takeImage({ engine, id, known: await knownLayers(build, client, platform), folder, signal: workshop.signal }));
  }
  return images;
}

/** The layers of the bases, and of the image that is in ECR, for this platform. */
async function knownLayers({ item, context }: EngineBuild, client: RegistryClient, platform: string): Promise<ReadonlyMap<string, Layer>> {
  const bases = await readBases(client, { ...item, platforms: [platform] }, context);
  const resolve = baseFromRegistry(client);
  const found = await Promise.all(
    [...bases.map(({ ref }) => ref), parseImageRef(item.target_image)].map(async (ref) => {
      try {
        return (await resolve(ref, parsePlatform(platform))).layers;
      } catch (error) {
        // What is not there, or not for this platform, has no layers to offer.
        if (error instanceof InvalidManifest || (error instanceof RegistryError && error.kind === "missing")) return [];
        throw error;
      }
    }),
  );
  return new Map(found.flat().map((layer) => [layer.diffId, layer]));
}
