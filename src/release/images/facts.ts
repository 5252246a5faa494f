import { BatchGetImageCommand, type ECRClient, GetDownloadUrlForLayerCommand } from "@aws-sdk/client-ecr";
import { parseImageRef } from "../../kit/image-ref.ts";
import { LARGEST_CONFIG_BYTES } from "../../oci/copy/platform.ts";
import {
  blobsHeld,
  type Descriptor,
  formatPlatform,
  type ImageManifest,
  type Manifest,
  type Platform,
  readManifest,
} from "../../oci/manifest.ts";
import { MEDIA_TYPES } from "../../oci/media-types.ts";
import type { LockedImage } from "./lock/lock.ts";

/** What an approver is told of an image beside its name: all of it follows from its digest. */
export interface ImageFacts {
  /** For which it is offered, as `linux/amd64`; absent where nothing in it says so. */
  readonly platforms?: string[];
  /** Compressed bytes of its configuration and layers, as its manifest says; of several platforms those of the largest, as ECR counts them. */
  readonly bytes?: number;
}

/** Reads what the manifest in ECR says of an image. @throws the SDK's errors; InvalidManifest */
export async function readImageFacts(ecr: ECRClient, { target, digest }: Pick<LockedImage, "target" | "digest">): Promise<ImageFacts> {
  const { repository } = parseImageRef(target);
  const [manifest] = await manifestsOf(ecr, repository, [digest]);
  if (!manifest) return {};
  if (manifest.kind === "image") return facts(await configured(ecr, repository, manifest.config), [manifest]);
  // Attestations are listed as images of no platform.
  const offered = manifest.manifests.filter(({ platform }) => platform?.os !== "unknown");
  return facts(
    offered.flatMap(({ platform }) => platform ?? []),
    await manifestsOf(
      ecr,
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

/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_BatchGetImage.html */
const IDS_AT_ONCE = 100;
// Without the types of indexes ECR gives an image of its own choice out of one.
const TYPES = [MEDIA_TYPES.ociIndex, MEDIA_TYPES.dockerList, MEDIA_TYPES.ociManifest, MEDIA_TYPES.dockerManifest];

async function manifestsOf(ecr: ECRClient, repositoryName: string, digests: readonly string[]): Promise<readonly Manifest[]> {
  const found: Manifest[] = [];
  for (let at = 0; at < digests.length; at += IDS_AT_ONCE) {
    const imageIds = digests.slice(at, at + IDS_AT_ONCE).map((imageDigest) => ({ imageDigest }));
    const { images = [] } = await ecr.send(new BatchGetImageCommand({ repositoryName, imageIds, acceptedMediaTypes: TYPES }));
    found.push(
      ...images.map(({ imageManifest = "", imageManifestMediaType }) => readManifest(Buffer.from(imageManifest), imageManifestMediaType)),
    );
  }
  return found;
}

/** The platform of an image that is no index; a configuration of megabytes is none of a container image. */
async function configured(ecr: ECRClient, repositoryName: string, { digest, size }: Descriptor): Promise<readonly Platform[]> {
  if (size > LARGEST_CONFIG_BYTES) return [];
  const { downloadUrl = "" } = await ecr.send(new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest: digest }));
  const { os, architecture, variant } = (await (
    await fetch(downloadUrl, { signal: AbortSignal.timeout(PATIENCE_MS) })
  ).json()) as Partial<Platform>;
  return os && architecture ? [{ os, architecture, ...(variant && { variant }) }] : [];
}

const PATIENCE_MS = 30_000;
