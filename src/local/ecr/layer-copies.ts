import type { Core } from "../gateway/service.ts";
import { AwsError } from "../gateway/aws-error.ts";
import { upstreamFailed } from "./errors.ts";
import { emitCacheAction } from "./events.ts";
import { keepLayer } from "./layer-uses.ts";
import { ruleOf, upstreamName } from "./prefixes.ts";
import { type CacheImport, type CacheRule, keyOf, type Layer, type Place, type Store } from "./store.ts";
import { askUpstream, type Upstreams } from "./upstreams.ts";

const LAYERS_AT_ONCE = 4;

/** Layers of cached images: on their way from upstream, each once, whoever asks. */
export interface LayerCopies {
  /** Brings a layer here that a cached image needs; undefined for one that none needs. @throws AwsError Upstream… */
  bring(place: Place, digest: string): Promise<Layer | undefined>;
  /** Brings all layers of an import in the background, unless that is under way. It ends with ECR's event. */
  start(place: Place, digest: string): void;
  /** Goes on with what a stop interrupted. */
  resume(): void;
}

interface Parts {
  readonly core: Core;
  readonly store: Store;
  readonly upstreams: Upstreams;
}

export function createLayerCopies(parts: Parts): LayerCopies {
  const { core, store } = parts;
  const fetches = new Map<string, Promise<Pick<Layer, "sha256" | "size">>>();
  const imports = new Set<string>();
  const bring = async (place: Place, digest: string, signal?: AbortSignal): Promise<Layer | undefined> => {
    const key = [...keyOf(place), digest];
    const rule = ruleOf(store, place);
    const wanted = store.upstreamLayers.get(key);
    if (wanted === undefined) return store.layers.get(key);
    if (rule === undefined) throw upstreamFailed("UpstreamUnavailable", `the layer ${digest} of ${place.name} was still upstream when the pull through cache rule for it was deleted`);
    const flight = JSON.stringify([place.account, place.region, rule.ecrRepositoryPrefix, digest]);
    const fetching = fetches.get(flight) ?? fetchBytes(parts, { place, rule, layer: { digest, size: wanted.size }, ...(signal && { signal }) }).finally(() => fetches.delete(flight));
    fetches.set(flight, fetching);
    const layer: Layer = { digest, ...(await fetching) };
    // Its image, or the repository, may have been deleted meanwhile.
    store.transaction(() => store.upstreamLayers.get(key) !== undefined && keepLayer(core, store, { place, layer }));
    return layer;
  };
  const start = (place: Place, digest: string): void => {
    const name = JSON.stringify([...keyOf(place), digest]);
    if (imports.has(name)) return;
    imports.add(name);
    core.background(`pull through cache of ${place.name}@${digest}`, (signal) => copyAll(parts, { place, digest, bring: (layer) => bring(place, layer, signal) }).finally(() => imports.delete(name)));
  };
  return {
    bring, start,
    resume() {
      for (const { key: [account = "", region = "", name = "", digest = ""] } of store.imports.list([])) start({ account, region, name }, digest);
    },
  };
}

interface Fetch {
  readonly place: Place;
  readonly rule: CacheRule;
  readonly layer: { readonly digest: string; readonly size: number };
  readonly signal?: AbortSignal;
}

/** A layer that came by the same rule before, for whichever repository, does not come again. */
async function fetchBytes({ core, store, upstreams }: Parts, { place, rule, layer, signal }: Fetch): Promise<Pick<Layer, "sha256" | "size">> {
  const key = [place.account, place.region, rule.ecrRepositoryPrefix, layer.digest];
  const before = store.fetchedLayers.get(key);
  if (before && core.blobs.has(before.sha256)) return before;
  const source = upstreams.repository(rule, upstreamName(rule, place), signal).blob(layer);
  const { sha256, size } = await askUpstream(core.blobs.write(source.read()));
  store.fetchedLayers.put(key, { sha256, size });
  return { sha256, size };
}

interface Copy {
  readonly place: Place;
  readonly digest: string;
  bring(layer: string): Promise<Layer | undefined>;
}

async function copyAll({ core, store }: Parts, { place, digest, bring }: Copy): Promise<void> {
  const key = [...keyOf(place), digest];
  const copy = store.imports.get(key);
  if (!copy) return;
  try {
    const left = copy.layers.map((layer) => layer.digest);
    const work = async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) await bring(next);
    };
    await Promise.all(Array.from({ length: LAYERS_AT_ONCE }, work));
  } catch (error) {
    // What is left comes when somebody asks for it, or at the next start.
    if (!(error instanceof AwsError)) throw error;
    core.log("ecr", `pull through cache of ${place.name}@${digest}: ${error.message}`);
    return emitCacheAction(core, place, eventOf(copy, digest, error));
  }
  store.transaction(() => {
    if (store.imports.delete(key)) emitCacheAction(core, place, eventOf(copy, digest));
  });
}

const eventOf = ({ prefix, upstreamRegistryUrl, tag }: CacheImport, digest: string, failure?: AwsError) => ({ prefix, upstreamRegistryUrl, digest, ...(tag !== undefined && { tag }), ...(failure && { failure }) });
