import type { Readable } from "node:stream";
import { Gate } from "../../../oci/client/gate.ts";
import type { Core } from "../../gateway/service.ts";
import { AwsError } from "../../gateway/aws-error.ts";
import type { ByteRange } from "../../storage/blobs.ts";
import { type ArrivingLayer, receiveLayer } from "./arriving-layers.ts";
import { upstreamFailed } from "../errors.ts";
import { emitCacheAction } from "../events.ts";
import { keepLayer } from "../layers/layer-uses.ts";
import { ruleOf, upstreamName } from "../prefixes.ts";
import { type CacheImport, keyOf, type Layer, type Place, type Store } from "../store.ts";
import { askUpstream, type Upstreams } from "./upstreams.ts";

/** In the background, over all imports. Who asks for a layer does not wait behind them. */
const LAYERS_AT_ONCE = 4;
/** With those that are asked for: each takes some megabytes of memory while it comes. */
const FETCHES_AT_ONCE = 8;

/** Layers of cached images: on their way from upstream, each once, whoever asks. */
export interface LayerCopies {
  /** Brings a layer here that a cached image needs; undefined for one that none needs. @throws AwsError Upstream… */
  bring(place: Place, digest: string): Promise<Layer | undefined>;
  /** The same for who wants its bytes: to be read while they come. */
  read(place: Place, digest: string): ReadableLayer | undefined;
  /** Brings all layers of an import in the background, unless that is under way. It ends with ECR's event. */
  start(place: Place, digest: string): void;
  /** Goes on with what a stop interrupted. */
  resume(): void;
}

/** A layer, here or on its way. */
export interface ReadableLayer extends Pick<Layer, "digest" | "size"> {
  /** Resolves when there are bytes from an offset on. @throws AwsError Upstream… */
  reaches(offset: number): Promise<void>;
  open(range?: ByteRange): Readable;
}

interface Parts {
  readonly core: Core;
  readonly store: Store;
  readonly upstreams: Upstreams;
}

export function createLayerCopies(parts: Parts): LayerCopies {
  const { core, store } = parts;
  const find = finder(parts);
  const gate = new Gate(LAYERS_AT_ONCE, core.clock);
  const imports = new Set<string>();
  const bring = async (place: Place, digest: string, signal?: AbortSignal): Promise<Layer | undefined> => {
    const found = find(place, digest, signal);
    return found === undefined || "sha256" in found ? found : keep(parts, place, found);
  };
  const start = (place: Place, digest: string): void => {
    const name = JSON.stringify([...keyOf(place), digest]);
    if (imports.has(name)) return;
    imports.add(name);
    core.background(`pull through cache of ${place.name}@${digest}`, (signal) =>
      copyAll(parts, { place, digest, bring: (layer) => gate.pass(() => bring(place, layer, signal), signal) }).finally(() =>
        imports.delete(name),
      ),
    );
  };
  return {
    bring,
    start,
    read(place, digest) {
      const found = find(place, digest);
      if (!found) return undefined;
      if ("sha256" in found) return storedLayer(core, found);
      // A reader that is told of a failure need not be told twice.
      keep(parts, place, found).catch(() => undefined);
      return { ...found, reaches: (offset) => askUpstream(found.reaches(offset)) };
    },
    resume() {
      for (const { key } of store.imports.list([])) {
        const [account = "", region = "", name = "", digest = ""] = key;
        start({ account, region, name }, digest);
      }
    },
  };
}

/** Waits for a layer and makes it one of the repository's, unless its image, or the repository, was deleted meanwhile. */
async function keep({ core, store }: Parts, place: Place, { digest, stored }: ArrivingLayer): Promise<Layer> {
  const layer: Layer = { digest, ...(await askUpstream(stored)) };
  store.transaction(() => {
    if (store.upstreamLayers.get([...keyOf(place), digest]) !== undefined) keepLayer(core, store, { place, layer });
  });
  return layer;
}

type Find = (place: Place, digest: string, signal?: AbortSignal) => Layer | ArrivingLayer | undefined;

/** Layers that are here, or begin to come: each once, for all repositories of a rule. */
function finder({ core, store, upstreams }: Parts): Find {
  const flights = new Map<string, ArrivingLayer>();
  const gate = new Gate(FETCHES_AT_ONCE, core.clock);
  return (place, digest, signal) => {
    const key = [...keyOf(place), digest];
    const wanted = store.upstreamLayers.get(key);
    if (wanted === undefined) return store.layers.get(key);
    const rule = ruleOf(store, place);
    if (rule === undefined)
      throw upstreamFailed(
        "UpstreamUnavailable",
        `the layer ${digest} of ${place.name} was still upstream when the pull through cache rule for it was deleted`,
      );
    const fetched = [place.account, place.region, rule.ecrRepositoryPrefix, digest];
    const flight = JSON.stringify(fetched);
    const coming = flights.get(flight);
    if (coming) return coming;
    const source = upstreams.layer(rule, { repository: upstreamName(rule, place), digest, size: wanted.size }, signal);
    const before = store.fetchedLayers.get(fetched);
    const layer =
      before && core.blobs.has(before.sha256)
        ? storedLayer(core, { digest, ...before })
        : receiveLayer(core.blobs, source, (work) => gate.pass(work));
    flights.set(flight, layer);
    layer.stored
      .then((bytes) => store.fetchedLayers.put(fetched, bytes))
      .catch(() => undefined)
      .finally(() => flights.delete(flight));
    return layer;
  };
}

/** One that is here: of a cached image, one that came by the same rule before for whichever repository. */
export const storedLayer = ({ blobs }: Pick<Core, "blobs">, { digest, sha256, size }: Layer): ArrivingLayer => ({
  digest,
  size,
  stored: Promise.resolve({ sha256, size }),
  reaches: () => Promise.resolve(),
  open: (range) => blobs.open(sha256, range),
});

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
    await Promise.all(copy.layers.map((layer) => bring(layer.digest)));
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

const eventOf = ({ prefix, upstreamRegistryUrl, tag }: CacheImport, digest: string, failure?: AwsError) => ({
  prefix,
  upstreamRegistryUrl,
  digest,
  ...(tag !== undefined && { tag }),
  ...(failure && { failure }),
});
