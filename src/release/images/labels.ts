import { buffer } from "node:stream/consumers";
import type { StoredManifest } from "../../oci/client/manifests.ts";
import type { Repository } from "../../oci/client/registry-client.ts";
import { readManifest } from "../../oci/manifest.ts";
import type { BuildItem } from "./staging.ts";

/** Hash of what an image was built from: the same again needs no build. */
export const SOURCE_HASH_LABEL = "org.omx.source-hash";
/** OCI image spec, "Pre-Defined Annotation Keys". */
export const SOURCE_LABEL = "org.opencontainers.image.source";
export const REVISION_LABEL = "org.opencontainers.image.revision";

/**
 * Labels of a built image. Where the source is not named, its hash alone: an address in a bucket would make the same
 * source another image in every account.
 */
export const labelsOf = ({ source, commit }: BuildItem, hash: string): Readonly<Record<string, string>> => ({
  [SOURCE_HASH_LABEL]: hash, ...(source && { [SOURCE_LABEL]: source }), ...(commit && { [REVISION_LABEL]: commit }),
});

/** The labels of an image; of an index those of its first image. */
export async function readLabels(repository: Repository, stored: StoredManifest): Promise<Readonly<Record<string, string>>> {
  const manifest = readManifest(stored.bytes, stored.mediaType);
  if (manifest.kind === "index") {
    const child = manifest.manifests[0] && (await repository.getManifest(manifest.manifests[0].digest));
    return child ? readLabels(repository, child) : {};
  }
  const config = JSON.parse((await buffer(repository.blob(manifest.config).read())).toString("utf8")) as { config?: { Labels?: Record<string, string> | null } };
  return config.config?.Labels ?? {};
}
