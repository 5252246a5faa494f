import { buffer } from "node:stream/consumers";
import type { ImageRef } from "../../kit/image-ref.ts";
import { formatImageRef } from "../../kit/image-ref.ts";
import type { StoredManifest } from "../client/manifests.ts";
import type { Repository } from "../client/registry-client.ts";
import type { Descriptor, Platform } from "../manifest.ts";
import { DEEPEST_INDEX, formatPlatform, InvalidManifest, isPlatform, readManifest } from "../manifest.ts";

/**
 * The digest of the image for one platform: a child of an index, or the image itself where it is for that platform, or, as
 * what is no container image, says of none.
 * @throws InvalidManifest naming the platforms that there are
 */
export async function digestForPlatform(
  from: Repository,
  { source, stored, platform }: { readonly source: ImageRef; readonly stored: StoredManifest; readonly platform: Platform },
): Promise<string> {
  const document = readManifest(stored.bytes, stored.mediaType);
  const offered =
    document.kind === "image"
      ? await configuredPlatform(from, document.config)
      : document.manifests.flatMap((child) => child.platform ?? []);
  if (document.kind === "image" && (offered.length === 0 || offered.some((one) => isPlatform(one, platform)))) return stored.digest;
  const below = document.kind === "index" ? document.manifests : [];
  const child = below.find((one) => isPlatform(one.platform, platform));
  if (child) return child.digest;
  const others = await undeclared(from, below);
  const found = others.find((one) => isPlatform(one.platform, platform));
  if (found) return found.digest;
  const names = [...offered, ...others.map((one) => one.platform)].filter(({ os }) => os !== "unknown").map(formatPlatform);
  throw new InvalidManifest(
    `${formatImageRef(source)} is not offered for ${formatPlatform(platform)}, ${names.length === 0 ? "nor for any other platform" : `only for ${names.join(", ")}`}`,
  );
}

interface Offer {
  readonly digest: string;
  readonly platform: Platform;
}

/** What entries of an index offer that name no platform, as they may: an image's configuration says its own, and an index those of its entries. */
async function undeclared(from: Repository, entries: readonly Descriptor[], depth = 1): Promise<readonly Offer[]> {
  const silent = depth > DEEPEST_INDEX ? [] : entries.filter(({ platform }) => platform === undefined);
  const offers = await Promise.all(
    silent.map(async ({ digest }): Promise<readonly Offer[]> => {
      const stored = await from.getManifest(digest);
      if (stored === undefined) return [];
      const document = readManifest(stored.bytes, stored.mediaType);
      if (document.kind === "image") return (await configuredPlatform(from, document.config)).map((platform) => ({ digest, platform }));
      return [
        ...document.manifests.flatMap((one) => (one.platform ? [{ digest: one.digest, platform: one.platform }] : [])),
        ...(await undeclared(from, document.manifests, depth + 1)),
      ];
    }),
  );
  return offers.flat();
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
