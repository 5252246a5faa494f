import { formatImageRef, type ImageRef, referenceOf } from "../../kit/image-ref.ts";
import type { StoredManifest } from "../client/manifests.ts";
import type { Repository } from "../client/registry-client.ts";
import { whereRead } from "../client/transport.ts";
import { isDigestOf } from "../digest.ts";
import { RegistryError } from "../errors.ts";

/** What a tag means. */
export interface Tagged {
  readonly digest: string;
  /** Where the bytes had to be read to know. */
  readonly manifest?: StoredManifest;
}

/**
 * Finds out what a tag of a source means, by a HEAD, which Docker Hub does not count. Mirrors that know no HEAD say of
 * everything that it is not there: what is missing is asked for once more by GET.
 * @returns undefined where there is none
 */
export async function digestBehind(from: Repository, reference: string): Promise<Tagged | undefined> {
  const head = await from.headManifest(reference);
  if (head) return { digest: head.digest };
  const manifest = await from.getManifest(reference);
  return manifest && { digest: manifest.digest, manifest };
}

/**
 * What a target calls the manifest that its source calls `digest`: what comes under a tag is named by sha256, whatever its source does.
 * @returns `digest` itself where the target has other bytes under the reference, or none
 */
export async function nameThere(to: Repository, reference: string, digest: string): Promise<string> {
  if (digest.startsWith("sha256:")) return digest;
  const there = await to.getManifest(reference);
  return there && isDigestOf(digest, there.bytes) ? there.digest : digest;
}

/** A manifest of an image. @throws RegistryError `missing` where there is none, saying who names it */
export async function mustHave(from: Repository, source: ImageRef, reference: string, namedBy = "its tag"): Promise<StoredManifest> {
  return (
    (await from.getManifest(reference)) ??
    notThere(from, source, reference === referenceOf(source) ? undefined : `${namedBy} names ${reference}, which is not there`)
  );
}

/** @throws RegistryError `missing` */
export function notThere(from: Repository, source: ImageRef, says = "check the name and the tag"): never {
  throw new RegistryError({
    kind: "missing",
    registry: from.registry,
    doing: `read ${formatImageRef(source)}${whereRead(from.elsewhere)}`,
    says,
  });
}
