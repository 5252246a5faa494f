import { readFile } from "node:fs/promises";
import type { Core } from "../gateway/service.ts";
import { repositoryNotFound } from "./errors.ts";
import { deleteImage, imageAt, type Push, putImage, tagsOf } from "./images/image-writes.ts";
import { createUploads, type Uploads } from "./layers/layer-uploads.ts";
import { type ReadableLayer, storedLayer } from "./cache/layer-copies.ts";
import { keepLayer, touchLayer } from "./layers/layer-uses.ts";
import { ruleOf } from "./prefixes.ts";
import type { PullThroughCache } from "./cache/pull-through.ts";
import { type Image, keyOf, type Layer, type Place, type Repository, type Store } from "./store.ts";

/** Blobs and manifests of repositories: what the API and the registry protocol both do. */
export interface Contents {
  readonly core: Core;
  readonly store: Store;
  readonly uploads: Uploads;
  readonly cache: PullThroughCache;
  /** @throws AwsError RepositoryNotFoundException */
  repository(place: Place): Repository;
  /** A layer that is here. Asking for one keeps it for a day, used or not. */
  layer(place: Place, digest: string): Layer | undefined;
  /** Bytes of a layer that is here, or that a cached image has upstream. */
  layerSize(place: Place, digest: string): number | undefined;
  /** A layer, brought from upstream where a cached image has it there. @throws AwsError Upstream… */
  broughtLayer(place: Place, digest: string): Promise<Layer | undefined>;
  /** A layer to be read; one that a cached image has upstream while it arrives. */
  readableLayer(place: Place, digest: string): ReadableLayer | undefined;
  /** The manifest behind a tag or digest. */
  image(place: Place, reference: string): Image | undefined;
  tagsOf(place: Place, digest: string): readonly string[];
  manifestBytes(image: Image): Promise<Buffer>;
  /**
   * Takes a blob of another repository of the same account; undefined for one that is not there, and where ECR mounts
   * none: from a repository that is encrypted otherwise, or that a pull-through cache fills (userguide/blob-mounting.html).
   */
  mount(place: Place, from: string, digest: string): Layer | undefined;
  putImage(push: Push): Promise<Image>;
  deleteImage(place: Place, reference: string): Image | undefined;
}

export function createContents(core: Core, store: Store, cache: PullThroughCache): Contents {
  const layer = (place: Place, digest: string) => {
    touchLayer(core, store, { place, digest });
    return store.layers.get([...keyOf(place), digest]);
  };
  return {
    core,
    store,
    cache,
    layer,
    uploads: createUploads(core, store),
    layerSize: (place, digest) => layer(place, digest)?.size ?? cache.sizeUpstream(place, digest),
    broughtLayer: async (place, digest) => layer(place, digest) ?? (await cache.bring(place, digest)),
    readableLayer(place, digest) {
      const here = layer(place, digest);
      return here ? storedLayer(core, here) : cache.read(place, digest);
    },
    repository(place) {
      const found = store.repositories.get(keyOf(place));
      if (!found) throw repositoryNotFound(place.name, place.account);
      return found;
    },
    image: (place, reference) => imageAt(store, place, reference),
    tagsOf: (place, digest) => tagsOf(store, place, digest),
    manifestBytes: ({ sha256 }) => readFile(core.blobs.path(sha256)),
    mount(place, from, digest) {
      const source = { ...place, name: from };
      const found = isMountable(store, source, place) ? store.layers.get([...keyOf(source), digest]) : undefined;
      if (found) store.transaction(() => keepLayer(core, store, { place, layer: found }));
      return found;
    },
    putImage: (push) => putImage(core, store, push),
    deleteImage: (place, reference) => deleteImage(core, store, { place, reference }),
  };
}

function isMountable(store: Store, source: Place, target: Place): boolean {
  const [from, to] = [source, target].map((place) => JSON.stringify(store.repositories.get(keyOf(place))?.encryption));
  return from === to && ruleOf(store, source) === undefined;
}
