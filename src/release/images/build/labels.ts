import { buffer } from "node:stream/consumers";
import type { StoredManifest } from "../../../oci/client/manifests.ts";
import type { Repository } from "../../../oci/client/registry-client.ts";
import { formatPlatform, type Platform, readManifest } from "../../../oci/manifest.ts";
import { formatBases, type PinnedBase } from "./bases.ts";
import type { BuildItem } from "../staging.ts";

/** Hash of what an image was built from: the same again needs no build. */
export const SOURCE_HASH_LABEL = "org.omx.source-hash";
/** The images that it was built on, each with its digest, a blank between two. */
export const BASES_LABEL = "org.omx.bases";
/** OCI image spec, "Pre-Defined Annotation Keys". */
export const SOURCE_LABEL = "org.opencontainers.image.source";
export const REVISION_LABEL = "org.opencontainers.image.revision";

/**
 * Labels of a built image. Where the source is not named, its hash alone: an address in a bucket would make the same
 * source another image in every account.
 */
export const labelsOf = (
  { source, commit }: BuildItem,
  { hash, bases }: { readonly hash: string; readonly bases: readonly PinnedBase[] },
): Readonly<Record<string, string>> => ({
  [SOURCE_HASH_LABEL]: hash,
  ...(bases.length > 0 && { [BASES_LABEL]: formatBases(bases) }),
  ...(source && { [SOURCE_LABEL]: source }),
  ...(commit && { [REVISION_LABEL]: commit }),
});

/** An image as it is in a registry. */
export interface ImageThere {
  readonly digest: string;
  /** Of an index, those of its first image. */
  readonly labels: Readonly<Record<string, string>>;
  /** `linux/amd64`; an index has none. */
  readonly platform?: string;
}

/** What lies under a tag or digest; undefined where nothing does. */
export async function imageThere(repository: Repository, reference: string): Promise<ImageThere | undefined> {
  const stored = await repository.getManifest(reference);
  return stored && describeImage(repository, stored);
}

async function describeImage(repository: Repository, stored: StoredManifest): Promise<ImageThere> {
  const manifest = readManifest(stored.bytes, stored.mediaType);
  if (manifest.kind === "index") {
    const child = manifest.manifests[0] && (await repository.getManifest(manifest.manifests[0].digest));
    return { digest: stored.digest, labels: child ? (await describeImage(repository, child)).labels : {} };
  }
  const config = JSON.parse((await buffer(repository.blob(manifest.config).read())).toString("utf8")) as Partial<Platform> & {
    config?: { Labels?: Record<string, string> | null };
  };
  const { os, architecture, variant } = config;
  return {
    digest: stored.digest,
    labels: config.config?.Labels ?? {},
    ...(os && architecture && { platform: formatPlatform({ os, architecture, ...(variant && { variant }) }) }),
  };
}
