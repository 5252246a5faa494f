import type { Core } from "../../gateway/service.ts";
import { type Image, keyOf, type Layer, type Place, type Store } from "../store.ts";

/** How long a layer stays that no manifest needs: a push may have found it and not have sent its manifest yet. */
const UNUSED_MS = 86_400_000;

/** A layer has arrived. It is unused until a manifest needs it. */
export function keepLayer(
  { clock }: Pick<Core, "clock">,
  store: Store,
  { place, layer }: { readonly place: Place; readonly layer: Layer },
): void {
  const key = [...keyOf(place), layer.digest];
  store.layers.put(key, layer);
  store.upstreamLayers.delete(key);
  if (!isUsed(store, place, layer.digest)) store.unusedLayers.put(key, { since: clock.now().toISOString() });
}

/** Somebody asked for a layer, and may be about to push a manifest that needs it. */
export function touchLayer(
  { clock }: Pick<Core, "clock">,
  store: Store,
  { place, digest }: { readonly place: Place; readonly digest: string },
): void {
  const key = [...keyOf(place), digest];
  if (store.unusedLayers.get(key)) store.unusedLayers.put(key, { since: clock.now().toISOString() });
}

/** A manifest is there: what it needs is in use, and its subject has a referrer. */
export function linkImage(store: Store, place: Place, { digest, references, subject }: Image): void {
  for (const child of references) {
    store.usesOf.put([...keyOf(place), child, digest], {});
    store.unusedLayers.delete([...keyOf(place), child]);
  }
  if (subject) store.referrersOf.put([...keyOf(place), subject, digest], {});
}

/** A manifest goes: layers that nothing else needs become unused. */
export function unlinkImage(
  { clock }: Pick<Core, "clock">,
  store: Store,
  { place, image }: { readonly place: Place; readonly image: Image },
): void {
  for (const child of image.references) {
    const key = [...keyOf(place), child];
    store.usesOf.delete([...key, image.digest]);
    if (isUsed(store, place, child)) continue;
    store.upstreamLayers.delete(key);
    if (store.layers.get(key)) store.unusedLayers.put(key, { since: clock.now().toISOString() });
  }
  if (image.subject) store.referrersOf.delete([...keyOf(place), image.subject, image.digest]);
}

/** Forgets layers that no manifest has needed, and nobody has asked for, for a day; their bytes go with the next sweep. */
export function dropUnusedLayers({ clock }: Pick<Core, "clock">, store: Store): void {
  const before = new Date(clock.now().getTime() - UNUSED_MS).toISOString();
  store.transaction(() => {
    for (const { key, value } of store.unusedLayers.list([])) {
      if (value.since > before) continue;
      store.unusedLayers.delete(key);
      store.layers.delete(key);
    }
  });
}

const isUsed = (store: Store, place: Place, digest: string): boolean =>
  store.usesOf.list([...keyOf(place), digest], { limit: 1 }).length > 0;
