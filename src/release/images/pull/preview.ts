import { formatImageRef, type ImageRef, referenceOf } from "../../../kit/image-ref.ts";
import type { RegistryClient, Repository } from "../../../oci/client/registry-client.ts";
import type { StoredManifest } from "../../../oci/client/manifests.ts";
import { blobsHeld, DEEPEST_INDEX, type Descriptor, type Platform, readManifest, tooDeep } from "../../../oci/manifest.ts";
import { digestForPlatform } from "../../../oci/copy/platform.ts";
import { digestBehind, notThere, mustHave, nameThere } from "../../../oci/copy/tagged.ts";
import { platformRemark } from "../platform-remark.ts";
import { overRepositories } from "../repositories/over-repositories.ts";

/** What a copy of one image would do. */
export interface Preview {
  /** The digest upstream, or, where the target has these bytes, there. */
  readonly digest: string;
  /** The digest under the target's tag now. */
  readonly present?: string;
  /** Bytes of the whole image, all platforms that would be copied; 0 where it is there already. */
  readonly sizeBytes: number;
  /** Bytes of blobs that the target repository lacks; another repository of the account may have them. */
  readonly missingBytes: number;
  /** What a user should know of the image. */
  readonly remark?: string;
}

export interface Previewed {
  readonly source: ImageRef;
  readonly target: ImageRef;
  readonly client: RegistryClient;
  readonly platform?: Platform;
  readonly signal?: AbortSignal;
  /** Blobs that other images bring already: each is counted once; this image's are added. */
  readonly counted?: Set<string>;
  /** Resolves when it is this image's turn to count. @default - at once */
  readonly turn?: () => Promise<unknown>;
}

/**
 * Says what copying an image would do; nothing is moved.
 * @throws RegistryError where the source is missing, denied or out of reach; InvalidManifest for what no engine reads
 */
export async function previewCopy({ source, target, client, platform, signal, counted, turn }: Previewed): Promise<Preview> {
  const context = signal ? { signal } : {};
  const from = client.repository(source, context);
  const to = client.repository(target, context);
  const reference = target.tag ?? referenceOf(target);
  const [upstream, there] = await Promise.all([wantedDigest(from, source, platform), to.headManifest(reference)]);
  const wanted = await nameThere(to, reference, upstream);
  const present = there && { present: there.digest };
  if (there?.digest === wanted) return { digest: wanted, ...present, sizeBytes: 0, missingBytes: 0 };
  const manifest = await mustHave(from, source, wanted);
  const [remark, below] = await Promise.all([platformRemark(manifest, from), blobsBelow(from, manifest, source)]);
  const blobs = new Map(below.map((blob) => [blob.digest, blob]));
  await turn?.();
  const uncounted = [...blobs.values()].filter(({ digest }) => !counted?.has(digest));
  for (const { digest } of uncounted) counted?.add(digest);
  const missing = await Promise.all(uncounted.map(async (blob) => ((await to.headBlob(blob.digest)) === undefined ? blob.size : 0)));
  return {
    digest: wanted,
    ...present,
    sizeBytes: sum([...blobs.values()].map(({ size }) => size)),
    missingBytes: sum(missing),
    ...(remark && { remark }),
  };
}

/** The digest that would be copied: of the tag, or of one platform below it. @throws RegistryError, InvalidManifest */
export async function wantedDigest(from: Repository, source: ImageRef, platform?: Platform): Promise<string> {
  if (!platform) return source.digest ?? (await digestBehind(from, referenceOf(source)))?.digest ?? notThere(from, source);
  return digestForPlatform(from, { source, stored: await mustHave(from, source, referenceOf(source)), platform });
}

/** Every blob that the registry itself holds of an image or of all images of an index. */
async function blobsBelow(from: Repository, stored: StoredManifest, source: ImageRef, depth = 0): Promise<readonly Descriptor[]> {
  const manifest = readManifest(stored.bytes, stored.mediaType);
  if (manifest.kind === "image") return blobsHeld(manifest);
  if (depth >= DEEPEST_INDEX) throw tooDeep(formatImageRef(source));
  const children = await Promise.all(
    manifest.manifests.map(async ({ digest }) => blobsBelow(from, await mustHave(from, source, digest, "the index"), source, depth + 1)),
  );
  return children.flat();
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);

/** A client that asks for a manifest by its digest once: registries count what is asked for, and digests do not change. */
export function rememberingManifests(client: RegistryClient): RegistryClient {
  const known = new Map<string, Promise<StoredManifest | undefined>>();
  return overRepositories(client, (repository, at) => ({
    getManifest(reference) {
      if (!reference.includes(":")) return repository.getManifest(reference);
      const key = `${at.registry}/${at.repository}@${reference}`;
      const asked = known.get(key) ?? repository.getManifest(reference);
      known.set(key, asked);
      // What failed or is not there yet may be there the next time.
      void asked.then(
        (found) => found ?? known.delete(key),
        () => known.delete(key),
      );
      return asked;
    },
  }));
}
