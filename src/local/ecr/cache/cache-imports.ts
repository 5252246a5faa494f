import { isDigest } from "../../../kit/image-ref.ts";
import type { Repository as Upstream } from "../../../oci/client/registry-client.ts";
import type { Core } from "../../gateway/service.ts";
import { keepCreated, newRepository } from "../repositories/ecr-created.ts";
import { invalidParameter } from "../errors.ts";
import { imageOf, keepImage, moveTag } from "../images/image-writes.ts";
import { type ReadManifest, readManifest } from "../images/manifest.ts";
import { upstreamName } from "../prefixes.ts";
import { type CacheRule, type Image, keyOf, type Place, type Store } from "../store.ts";
import { askUpstream, type Upstreams } from "./upstreams.ts";

/** What is to come from upstream. */
export interface Wanted {
  readonly place: Place;
  /** Tag or digest. */
  readonly reference: string;
  readonly rule: CacheRule;
}

interface Parts {
  readonly core: Core;
  readonly store: Store;
  readonly upstreams: Upstreams;
}

interface Found {
  readonly digest: string;
  readonly bytes: Buffer;
  readonly read: ReadManifest;
}

/**
 * Brings a manifest, with those of all platforms for an index, and the repository where there is none. Its layers are
 * noted as being upstream.
 * @returns undefined for an image that is not there upstream
 */
export async function importManifests({ core, store, upstreams }: Parts, { place, reference, rule }: Wanted): Promise<Image | undefined> {
  await upstreams.readCredentials(rule);
  const upstream = upstreams.repository(rule, upstreamName(rule, place));
  const all = await askUpstream(findAll(upstream, reference));
  const top = all.at(-1);
  if (!top) return undefined;
  const blobs = new Map<Found, string>();
  for (const found of all) blobs.set(found, (await core.blobs.write(found.bytes)).sha256);
  const repository = store.repositories.get(keyOf(place)) ?? (await newRepository(core, store, { place, applied: "PULL_THROUGH_CACHE" }));
  const now = core.clock.now().toISOString();
  return store.transaction(() => {
    keepCreated(core, store, repository);
    for (const found of all) keepFound(store, place, { found, sha256: blobs.get(found) ?? "", now });
    if (!reference.includes(":")) moveTag(store, place, { tag: reference, digest: top.digest, checkedAt: now });
    const layers = [...new Map(all.flatMap(({ read }) => read.layers).map(({ digest, size }) => [digest, { digest, size }])).values()];
    store.imports.put([...keyOf(place), top.digest], {
      prefix: rule.ecrRepositoryPrefix,
      upstreamRegistryUrl: rule.upstreamRegistryUrl,
      layers,
      ...(!reference.includes(":") && { tag: reference }),
    });
    return store.images.get([...keyOf(place), top.digest]);
  });
}

/** A manifest, after all that it names; none where it is not there. */
async function findAll(upstream: Upstream, reference: string): Promise<readonly Found[]> {
  const found = await find(upstream, reference);
  if (!found) return [];
  const children = await Promise.all(found.read.manifests.map(({ digest }) => findAll(upstream, digest)));
  return [...children.flat(), found];
}

async function find(upstream: Upstream, reference: string): Promise<Found | undefined> {
  const found = await upstream.getManifest(reference);
  if (!found) return undefined;
  const read = readManifest(found.bytes, found.mediaType);
  const bad = [...read.layers, ...read.manifests].find(({ digest, size }) => !isDigest(digest) || !Number.isSafeInteger(size));
  if (bad)
    throw invalidParameter(
      `'imageManifest': the upstream's manifest ${found.digest} names ${String(bad.digest)}, which is no digest with a size`,
    );
  return { digest: found.digest, bytes: found.bytes, read };
}

function keepFound(
  store: Store,
  place: Place,
  { found: { digest, bytes, read }, sha256, now }: { readonly found: Found; readonly sha256: string; readonly now: string },
): void {
  const known = store.images.get([...keyOf(place), digest]);
  keepImage(store, place, known ?? imageOf(read, { digest, sha256, manifestSize: bytes.byteLength, pushedAt: now }));
  for (const { digest: layer, size } of read.layers)
    if (!store.layers.get([...keyOf(place), layer])) store.upstreamLayers.put([...keyOf(place), layer], { size });
}
