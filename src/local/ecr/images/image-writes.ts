import { matchesParts } from "../../../kit/starred.ts";
import type { Core } from "../../gateway/service.ts";
import { digestOf } from "../layers/digests.ts";
import {
  digestMismatch,
  imageExists,
  imageReferenced,
  invalidTag,
  layersNotFound,
  referencedImagesNotFound,
  repositoryNotFound,
  tagImmutable,
} from "../errors.ts";
import { emitImageAction } from "../events.ts";
import { linkImage, unlinkImage } from "../layers/layer-uses.ts";
import { type ReadManifest, readManifest } from "./manifest.ts";
import { type Image, keyOf, type Place, type Repository, type Store } from "../store.ts";

/** A manifest that is pushed. */
export interface Push {
  readonly place: Place;
  readonly manifest: Buffer;
  readonly mediaType?: string;
  readonly tag?: string;
  readonly digest?: string;
  /** The API refuses the same image under the same tag; the registry protocol does not. */
  readonly refuseSame?: boolean;
}

export const isTag = (text: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(text);

/** Stores a manifest whose layers, or whose manifests, are there. @throws AwsError in the words of PutImage */
export async function putImage(core: Core, store: Store, push: Push): Promise<Image> {
  const { place, manifest, tag } = push;
  if (tag !== undefined && !isTag(tag)) throw invalidTag(tag);
  const digest = digestOf(manifest, push.digest);
  if (push.digest !== undefined && push.digest !== digest) throw digestMismatch(push.digest, digest);
  const read = readManifest(manifest, push.mediaType);
  const { sha256 } = await core.blobs.write(manifest);
  return store.transaction(() => {
    // All of this is read here: the repository may have been changed or deleted while the bytes were written.
    const repository = store.repositories.get(keyOf(place));
    if (!repository) throw repositoryNotFound(place.name, place.account);
    checkReferences(store, place, read);
    const before = tag === undefined ? undefined : store.imageTags.get([...keyOf(place), tag])?.digest;
    if (tag !== undefined && before !== undefined && before !== digest && isImmutable(repository, tag)) throw tagImmutable(tag, place.name);
    const known = store.images.get([...keyOf(place), digest]);
    if (push.refuseSame && known && (tag === undefined || before === digest)) throw imageExists(digest, tag, place);
    const image = known ?? imageOf(read, { digest, sha256, manifestSize: manifest.byteLength, pushedAt: core.clock.now().toISOString() });
    keepImage(store, place, image);
    if (tag !== undefined) moveTag(store, place, { tag, digest });
    emitImageAction(core, place, { action: "PUSH", image, ...(tag !== undefined && { tag }) });
    return image;
  });
}

/** The document of a manifest. */
export const imageOf = (
  { mediaType, layers, manifests, artifactType, subject, annotations }: ReadManifest,
  stored: Pick<Image, "digest" | "sha256" | "manifestSize" | "pushedAt">,
): Image => ({
  ...stored,
  mediaType,
  contentSize: layers.reduce((sum, layer) => sum + layer.size, 0),
  references: [...new Set([...layers, ...manifests].map((entry) => entry.digest))],
  ...(artifactType && { artifactType }),
  ...(subject && { subject }),
  ...(annotations && { annotations }),
});

export function keepImage(store: Store, place: Place, image: Image): void {
  store.images.put([...keyOf(place), image.digest], image);
  linkImage(store, place, image);
}

/** Lets a tag name an image, and no longer the one it named. */
export function moveTag(
  store: Store,
  place: Place,
  { tag, digest, checkedAt }: { readonly tag: string; readonly digest: string; readonly checkedAt?: string },
): void {
  dropTag(store, place, tag);
  store.imageTags.put([...keyOf(place), tag], { digest, ...(checkedAt !== undefined && { checkedAt }) });
  store.tagsOfImage.put([...keyOf(place), digest, tag], {});
}

function dropTag(store: Store, place: Place, tag: string): void {
  const before = store.imageTags.get([...keyOf(place), tag]);
  if (before) store.tagsOfImage.delete([...keyOf(place), before.digest, tag]);
  store.imageTags.delete([...keyOf(place), tag]);
}

function checkReferences(store: Store, place: Place, { layers, manifests }: ReadManifest): void {
  const isHere = (digest: string) =>
    [store.layers, store.upstreamLayers].some((found) => found.get([...keyOf(place), digest]) !== undefined);
  const missingLayers = layers.filter(({ digest }) => !isHere(digest));
  if (missingLayers.length > 0) throw layersNotFound(missingLayers.map(({ digest }) => digest));
  const missingImages = manifests.filter(({ digest }) => !store.images.get([...keyOf(place), digest]));
  if (missingImages.length > 0) throw referencedImagesNotFound(missingImages.map(({ digest }) => digest));
}

/**
 * By digest the image goes with all its tags; by tag the tag alone, and the image when no tag is left.
 * @returns undefined for one that is not there
 * @throws AwsError ImageReferencedByManifestList for the manifest of an index that is still there
 */
export function deleteImage(
  core: Core,
  store: Store,
  { place, reference }: { readonly place: Place; readonly reference: string },
): Image | undefined {
  return store.transaction(() => {
    const image = imageAt(store, place, reference);
    if (!image) return undefined;
    const tags = reference.includes(":") ? tagsOf(store, place, image.digest) : [reference];
    const isLast = tagsOf(store, place, image.digest).length === tags.length;
    const indexes = isLast ? store.usesOf.list([...keyOf(place), image.digest]).map(({ key }) => key[4] ?? "") : [];
    if (indexes.length > 0) throw imageReferenced(image.digest, indexes);
    for (const tag of tags) dropTag(store, place, tag);
    if (isLast) {
      store.images.delete([...keyOf(place), image.digest]);
      store.imports.delete([...keyOf(place), image.digest]);
      unlinkImage(core, store, { place, image });
    }
    emitImageAction(core, place, { action: "DELETE", image, ...(tags[0] && { tag: tags[0] }) });
    return image;
  });
}

/** The manifest behind a tag or digest. */
export function imageAt(store: Store, place: Place, reference: string): Image | undefined {
  const digest = reference.includes(":") ? reference : store.imageTags.get([...keyOf(place), reference])?.digest;
  return digest === undefined ? undefined : store.images.get([...keyOf(place), digest]);
}

export const tagsOf = (store: Store, place: Place, digest: string): readonly string[] =>
  store.tagsOfImage.list([...keyOf(place), digest]).map(({ key }) => key[4] ?? "");

export const isImmutable = ({ mutability, exclusions = [] }: Repository, tag: string): boolean => {
  const excluded = exclusions.some((pattern) => matchesParts(pattern.split("*"), tag));
  return mutability.startsWith("IMMUTABLE") ? !excluded : mutability === "MUTABLE_WITH_EXCLUSION" && excluded;
};
