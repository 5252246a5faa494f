import type { StoredManifest } from "../../oci/client/manifests.ts";
import type { Repository } from "../../oci/client/registry-client.ts";
import { configuredPlatform } from "../../oci/copy/platform.ts";
import { formatPlatform, isPlatform, type Manifest, type Platform, readManifest } from "../../oci/manifest.ts";
import { MEDIA_TYPES } from "../../oci/media-types.ts";

/** The last is what Docker wrote in its first year of schema 2. Charts, Singularity's images and files have others. */
const IMAGE_CONFIGS: ReadonlySet<string> = new Set([MEDIA_TYPES.ociConfig, MEDIA_TYPES.dockerConfig, "application/octet-stream"]);

const RUNS_ON = { os: "linux", architecture: "amd64" } as const;

/**
 * What a user should know of what is no container image, and of one for other platforms than the one that HealthOmics runs tasks on, as a laptop with an
 * ARM processor builds them: it arrives, and its task fails in the middle of a run.
 * @param from has the configuration, where an image that is no index says its platform; without it nothing is said of one
 * @throws RegistryError
 * @see https://docs.aws.amazon.com/omics/latest/dev/workflows-ecr.html
 */
export async function platformRemark({ bytes, mediaType }: StoredManifest, from?: Repository): Promise<string | undefined> {
  const manifest = readManifest(bytes, mediaType);
  if (manifest.kind === "image" && !IMAGE_CONFIGS.has(manifest.config.mediaType))
    return `no task can run in it: it is no container image but ${manifest.artifactType ?? manifest.config.mediaType}`;
  const offered = (await platformsOf(manifest, from)).filter(({ os }) => os !== "unknown");
  if (offered.length === 0 || offered.some((one) => isPlatform(one, RUNS_ON))) return undefined;
  return `HealthOmics runs tasks on ${formatPlatform(RUNS_ON)}, for which this image is not offered, only for ${offered.map(formatPlatform).join(", ")}`;
}

async function platformsOf(manifest: Manifest, from: Repository | undefined): Promise<readonly Platform[]> {
  if (manifest.kind === "index") return manifest.manifests.flatMap(({ platform }) => platform ?? []);
  return from ? await configuredPlatform(from, manifest.config) : [];
}
