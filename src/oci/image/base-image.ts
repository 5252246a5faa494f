import { buffer } from "node:stream/consumers";
import type { ImageRef } from "../../kit/image-ref.ts";
import { formatImageRef, referenceOf } from "../../kit/image-ref.ts";
import type { RegistryClient, Repository } from "../client/registry-client.ts";
import { mustHave } from "../copy/tagged.ts";
import { digestForPlatform, LARGEST_CONFIG_BYTES } from "../copy/platform.ts";
import { InvalidManifest, readManifest } from "../manifest.ts";
import type { ImageManifest, Platform } from "../manifest.ts";
import type { ImageConfig } from "./built-image.ts";
import type { Layer } from "./layer.ts";

/** An image to build on, or to copy files from. */
export interface BaseImage {
  readonly config: ImageConfig;
  readonly layers: readonly Layer[];
}

/** Finds the images that a Dockerfile names. @throws RegistryError or InvalidManifest where that fails */
export type ResolveBase = (image: ImageRef, platform: Platform) => Promise<BaseImage>;

/** Reads base images from their registries; layers are read only as far as a build needs their files. */
export function baseFromRegistry(client: RegistryClient): ResolveBase {
  return async (image, platform) => {
    const repository = client.repository(image);
    const manifest = await imageManifest(repository, { image, reference: referenceOf(image), platform });
    const config = await readConfig(repository, image, manifest);
    const { registry, repository: name } = image;
    const layers = manifest.layers.map((descriptor, index) => ({
      descriptor,
      diffId: config.rootfs.diff_ids[index] ?? "",
      source: repository.blob(descriptor),
      origin: { registry, repository: name },
    }));
    return { config, layers };
  };
}

interface Wanted {
  readonly image: ImageRef;
  readonly reference: string;
  readonly platform: Platform;
}

async function imageManifest(repository: Repository, { image, reference, platform }: Wanted): Promise<ImageManifest> {
  const stored = await mustHave(repository, image, reference);
  const manifest = readManifest(stored.bytes, stored.mediaType);
  if (manifest.kind === "image") return manifest;
  return imageManifest(repository, {
    image,
    reference: await digestForPlatform(repository, { source: image, stored, platform }),
    platform,
  });
}

async function readConfig(repository: Repository, image: ImageRef, { config }: ImageManifest): Promise<ImageConfig> {
  // Charts and Singularity's images lie in registries as well.
  const text = config.size > LARGEST_CONFIG_BYTES ? "" : (await buffer(repository.blob(config).read())).toString("utf8");
  const isOfImage = text.startsWith("{") && "rootfs" in (JSON.parse(text) as object);
  if (!isOfImage) throw new InvalidManifest(`${formatImageRef(image)} is no container image: nothing can be built on it`);
  return JSON.parse(text) as ImageConfig;
}
