import { parseImageRef } from "../../kit/image-ref.ts";
import type { RegistryClient, Repository } from "../../oci/client/registry-client.ts";
import { configuredPlatform } from "../../oci/copy/platform.ts";
import { blobsHeld, formatPlatform, type ImageManifest, type Manifest, type Platform, readManifest } from "../../oci/manifest.ts";
import type { LockedImage } from "./lock/lock.ts";

/** What an approver is told of an image beside its name: all of it follows from its digest. */
export interface ImageFacts {
  /** For which it is offered, as `linux/amd64`; absent where nothing in it says so. */
  readonly platforms?: string[];
  /** Compressed bytes of its configuration and layers, as its manifest says; of several platforms those of the largest, as ECR counts them. */
  readonly bytes?: number;
}

/** Reads what the manifest in ECR says of an image. @throws RegistryError; InvalidManifest */
export async function readImageFacts(
  client: RegistryClient,
  { target, digest }: Pick<LockedImage, "target" | "digest">,
): Promise<ImageFacts> {
  const repository = client.repository(parseImageRef(target));
  const [manifest] = await manifestsOf(repository, [digest]);
  if (!manifest) return {};
  if (manifest.kind === "image") return facts(await configuredPlatform(repository, manifest.config), [manifest]);
  // Attestations are listed as images of no platform.
  const offered = manifest.manifests.filter(({ platform }) => platform?.os !== "unknown");
  return facts(
    offered.flatMap(({ platform }) => platform ?? []),
    await manifestsOf(
      repository,
      offered.map((each) => each.digest),
    ),
  );
}

function facts(platforms: readonly Platform[], manifests: readonly Manifest[]): ImageFacts {
  const sizes = manifests.flatMap((one) => (one.kind === "image" ? [bytesOf(one)] : []));
  const names = [...new Set(platforms.map(formatPlatform))];
  return { ...(names.length > 0 && { platforms: names }), ...(sizes.length > 0 && { bytes: Math.max(...sizes) }) };
}

const bytesOf = (manifest: ImageManifest): number => blobsHeld(manifest).reduce((sum, { size }) => sum + size, 0);

/** Those that are there. */
async function manifestsOf(repository: Repository, digests: readonly string[]): Promise<readonly Manifest[]> {
  const stored = await Promise.all(digests.map((digest) => repository.getManifest(digest)));
  return stored.flatMap((one) => (one ? [readManifest(one.bytes, one.mediaType)] : []));
}
