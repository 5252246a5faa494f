import { buffer } from "node:stream/consumers";
import type { ImageRef } from "../../kit/image-ref.ts";
import { formatImageRef } from "../../kit/image-ref.ts";
import type { StoredManifest } from "../client/manifests.ts";
import type { Repository } from "../client/registry-client.ts";
import type { Descriptor, Platform } from "../manifest.ts";
import { formatPlatform, InvalidManifest, isPlatform, readManifest } from "../manifest.ts";

/**
 * The digest of the image for one platform: a child of an index, or the image itself where it is for that platform, or, as
 * what is no container image, says of none.
 * @throws InvalidManifest naming the platforms that there are
 */
export async function digestForPlatform(from: Repository, { source, stored, platform }: { readonly source: ImageRef; readonly stored: StoredManifest; readonly platform: Platform }): Promise<string> {
  const document = readManifest(stored.bytes, stored.mediaType);
  const offered = document.kind === "image" ? await configuredPlatform(from, document.config) : document.manifests.flatMap((child) => child.platform ?? []);
  if (document.kind === "image" && (offered.length === 0 || offered.some((one) => isPlatform(one, platform)))) return stored.digest;
  const child = document.kind === "index" ? document.manifests.find((one) => isPlatform(one.platform, platform)) : undefined;
  if (child) return child.digest;
  const names = offered.filter(({ os }) => os !== "unknown").map(formatPlatform);
  throw new InvalidManifest(`${formatImageRef(source)} is not offered for ${formatPlatform(platform)}, ${names.length === 0 ? "nor for any other platform" : `only for ${names.join(", ")}`}`);
}

/** A configuration of megabytes is none of a container image, and is not read. */
export const LARGEST_CONFIG_BYTES = 4 * 1024 * 1024;

/** The platform that an image's own configuration says; none of what is no container image. @throws RegistryError */
export async function configuredPlatform(from: Repository, config: Descriptor): Promise<readonly Platform[]> {
  if (config.size > LARGEST_CONFIG_BYTES) return [];
  const { os, architecture, variant } = readConfig((await buffer(from.blob(config).read())).toString("utf8"));
  return os && architecture ? [{ os, architecture, ...(variant && { variant }) }] : [];
}

function readConfig(text: string): Partial<Platform> {
  try {
    return (JSON.parse(text) ?? {}) as Partial<Platform>;
  } catch {
    return {};
  }
}
