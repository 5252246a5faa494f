import type { StoredManifest } from "../client/manifests.ts";
import type { Repository } from "../client/registry-client.ts";

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
