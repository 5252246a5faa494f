import type { StoredManifest } from "../../oci/client/manifests.ts";
import { formatPlatform, isPlatform, readManifest } from "../../oci/manifest.ts";

const RUNS_ON = { os: "linux", architecture: "amd64" } as const;

/**
 * What a user should know of an image for several platforms of which none is the one that HealthOmics runs tasks on: it
 * arrives, and its task fails in the middle of a run.
 * @see https://docs.aws.amazon.com/omics/latest/dev/workflows-ecr.html
 */
export function platformRemark({ bytes, mediaType }: StoredManifest): string | undefined {
  const manifest = readManifest(bytes, mediaType);
  const offered = manifest.kind === "index" ? manifest.manifests.flatMap(({ platform }) => (platform && platform.os !== "unknown" ? [platform] : [])) : [];
  if (offered.length === 0 || offered.some((one) => isPlatform(one, RUNS_ON))) return undefined;
  return `HealthOmics runs tasks on ${formatPlatform(RUNS_ON)}, for which this image is not offered, only for ${offered.map(formatPlatform).join(", ")}`;
}
