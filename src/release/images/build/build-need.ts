import { parseImageRef } from "../../../kit/image-ref.ts";
import type { RegistryClient } from "../../../oci/client/registry-client.ts";
import { movedBases, type PinnedBase, readBases } from "./bases.ts";
import { BASES_LABEL, imageThere, SOURCE_HASH_LABEL } from "./labels.ts";
import { hashSource } from "./source-files.ts";
import type { BuildItem } from "../staging.ts";

/** Whether an image has to be built. */
export type BuildNeed =
  | { readonly kind: "kept"; readonly digest: string; readonly platform?: string | undefined; readonly reason: string }
  | {
      readonly kind: "needed";
      /** Of the source and of what the build was told. */
      readonly hash: string;
      readonly bases: readonly PinnedBase[];
      /** Under the target's tag now. */
      readonly present?: string;
      /** Whether that is an image that no build of omx made. */
      readonly isOthers: boolean;
      /** Why, where an image of the same source is there. */
      readonly moved?: string;
    };

/**
 * Compares a source with the image under its target: built from the same source on the same bases, it is kept, unless the
 * item says `force`. An image that a lock names is kept wherever its bases are by now.
 * @throws RegistryError where a base can't be read, DockerfileError
 */
export async function buildNeed(client: RegistryClient, item: BuildItem, context: string): Promise<BuildNeed> {
  const target = parseImageRef(item.target_image);
  const repository = client.repository(target);
  const hash = await hashSource(context, item);
  const there = await imageThere(repository, target.tag ?? "latest");
  const locked = item.locked_digest === undefined || item.force ? undefined : await imageThere(repository, item.locked_digest);
  if (locked?.labels[SOURCE_HASH_LABEL] === hash)
    return {
      kind: "kept",
      digest: locked.digest,
      platform: locked.platform,
      reason: "the lock's image is there, and the source is unchanged",
    };
  const bases = await readBases(client, item, context);
  const isSame = there?.labels[SOURCE_HASH_LABEL] === hash;
  const moved = isSame ? movedBases(there.labels[BASES_LABEL], bases) : undefined;
  if (isSame && !moved && !item.force)
    return { kind: "kept", digest: there.digest, platform: there.platform, reason: "the source is unchanged" };
  return {
    kind: "needed",
    hash,
    bases,
    ...(there && { present: there.digest }),
    isOthers: there !== undefined && !(SOURCE_HASH_LABEL in there.labels),
    ...(moved && { moved }),
  };
}
