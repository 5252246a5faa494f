import { isDigest } from "../../../kit/image-ref.ts";
import { AwsError } from "../../gateway/aws-error.ts";
import type { Core } from "../../gateway/service.ts";
import { accessTo } from "../access.ts";
import { importManifests, type Wanted } from "./cache-imports.ts";
import { type Caller, whyNot } from "../repositories/ecr-created.ts";
import { repositoryNotFound, requestedImageNotFound } from "../errors.ts";
import { emitCacheAction } from "../events.ts";
import { imageAt, isImmutable, isTag, moveTag } from "../images/image-writes.ts";
import { createLayerCopies, type LayerCopies } from "./layer-copies.ts";
import { ruleOf, upstreamName } from "../prefixes.ts";
import { isName } from "../repositories/repositories.ts";
import { type Image, keyOf, type Place, type Store, type Tag } from "../store.ts";
import { askUpstream, type Upstreams } from "./upstreams.ts";

/** A tag is compared with upstream when the last comparison is this old (userguide/pull-through-cache.html). */
const CHECK_EVERY_MS = 86_400_000;
/** After an upstream that did not answer, pullers are not made to wait again for this long. */
const CHECK_AGAIN_MS = 300_000;

/** Who asks for an image. */
export type Puller = Caller;

/** Images of upstream registries, kept here from the first pull on. */
export interface PullThroughCache extends Pick<LayerCopies, "bring" | "read" | "resume"> {
  /**
   * The image behind a tag or digest: from here, from upstream where a rule covers the repository and it is not here,
   * and compared with upstream once a day.
   * @returns undefined where neither has it
   * @throws AwsError RepositoryNotFoundException, Upstream…
   */
  image(place: Place, reference: string, puller: Puller): Promise<Image | undefined>;
  /** Bytes of a layer that is still upstream. */
  sizeUpstream(place: Place, digest: string): number | undefined;
}

interface Parts {
  readonly core: Core;
  readonly store: Store;
  readonly upstreams: Upstreams;
}

export function createPullThroughCache(parts: Parts): PullThroughCache {
  const { store } = parts;
  const copies = createLayerCopies(parts);
  const once = inFlight<Image | undefined>();
  const bring = async (wanted: Wanted): Promise<Image | undefined> => {
    const image = await tellFailure(parts, wanted, importManifests(parts, wanted));
    if (image) copies.start(wanted.place, image.digest);
    return image;
  };
  return {
    bring: copies.bring,
    read: copies.read,
    resume: copies.resume,
    sizeUpstream: (place, digest) => store.upstreamLayers.get([...keyOf(place), digest])?.size,
    async image(place, reference, puller) {
      const rule = ruleOf(store, place);
      const here = imageAt(store, place, reference);
      // What is no name at all is not asked for upstream: it would be another address there.
      if (!rule || !isName(place.name) || !(isTag(reference) || isDigest(reference))) return here;
      const wanted = { place, reference, rule };
      const flight = JSON.stringify([...keyOf(place), reference]);
      if (!here) {
        checkMayImport(parts, place, puller);
        return once(flight, () => bring(wanted));
      }
      if (store.imports.get([...keyOf(place), here.digest])) copies.start(place, here.digest);
      return isDue(parts, wanted) && refusal(parts, place, puller, "BatchImportUpstreamImage") === undefined
        ? once(flight, () => refresh(parts, wanted, bring))
        : here;
    },
  };
}

/** Runs work once for all who ask for it while it runs. */
function inFlight<T>(): (name: string, work: () => Promise<T>) => Promise<T> {
  const running = new Map<string, Promise<T>>();
  return (name, work) => {
    const now = running.get(name) ?? work().finally(() => running.delete(name));
    running.set(name, now);
    return now;
  };
}

const tagOf = (store: Store, { place, reference }: Wanted): Tag | undefined => store.imageTags.get([...keyOf(place), reference]);

/** A digest never changes, and a tag that was pushed here has no upstream. */
function isDue({ core, store }: Parts, wanted: Wanted): boolean {
  const checkedAt = tagOf(store, wanted)?.checkedAt;
  return checkedAt !== undefined && core.clock.now().getTime() - Date.parse(checkedAt) >= CHECK_EVERY_MS;
}

/** The image as it is upstream by now, or the one that is here where upstream can't tell or the tag may not move. */
async function refresh(parts: Parts, wanted: Wanted, bring: (wanted: Wanted) => Promise<Image | undefined>): Promise<Image | undefined> {
  const { core, store, upstreams } = parts;
  const { place, reference, rule } = wanted;
  const checked = (agoMs = 0) => {
    const tag = tagOf(store, wanted);
    if (tag)
      moveTag(store, place, { tag: reference, digest: tag.digest, checkedAt: new Date(core.clock.now().getTime() - agoMs).toISOString() });
    return imageAt(store, place, reference);
  };
  try {
    const head = await askUpstream(upstreams.repository(rule, upstreamName(rule, place)).headManifest(reference));
    const repository = store.repositories.get(keyOf(place));
    const isMoved = head !== undefined && head.digest !== tagOf(store, wanted)?.digest;
    return isMoved && repository && !isImmutable(repository, reference) ? await bring(wanted) : checked();
  } catch (error) {
    core.log("ecr", `${place.name}:${reference} could not be compared with upstream: ${(error as Error).message}`);
    return checked(CHECK_EVERY_MS - CHECK_AGAIN_MS);
  }
}

/** @throws AwsError in ECR's words: it tells who may not import that there is no such repository, or no such image (userguide/error-pullthroughcache.html) */
function checkMayImport(parts: Parts, place: Place, puller: Puller): void {
  const isThere = parts.store.repositories.get(keyOf(place)) !== undefined;
  const create = isThere ? undefined : refusal(parts, place, puller, "CreateRepository");
  if (create !== undefined) throw repositoryNotFound(place.name, place.account, create);
  const bring = refusal(parts, place, puller, "BatchImportUpstreamImage");
  if (bring !== undefined) throw isThere ? requestedImageNotFound(bring) : repositoryNotFound(place.name, place.account, bring);
}

const refusal = ({ core, store }: Parts, place: Place, puller: Puller, action: string): string | undefined =>
  whyNot(core, puller, { access: accessTo(store, action, place), region: place.region });

/** An attempt that fails is told like one that succeeds. */
async function tellFailure(
  { core }: Parts,
  { place, reference, rule }: Wanted,
  work: Promise<Image | undefined>,
): Promise<Image | undefined> {
  const { ecrRepositoryPrefix: prefix, upstreamRegistryUrl } = rule;
  const named = reference.includes(":") ? { digest: reference } : { tag: reference };
  const fail = (failure: { readonly code: string; readonly message: string }) =>
    emitCacheAction(core, place, { prefix, upstreamRegistryUrl, ...named, failure });
  try {
    const image = await work;
    if (!image) fail({ code: "ImageNotFound", message: "Requested image not found" });
    return image;
  } catch (error) {
    if (error instanceof AwsError) fail(error);
    throw error;
  }
}
