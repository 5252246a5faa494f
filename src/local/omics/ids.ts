import type { Place } from "./arns.ts";
import type { Omics } from "./omics.ts";

const FIRST = 1_000_000;

/**
 * A new id: seven digits, as in every sample of the service, each above the last, so that the order of ids is the
 * order of creation. AWS uses the ids of deleted runs again; this does not.
 */
export function nextId({ store, core }: Pick<Omics, "store" | "core">, kind: string, { account, region }: Place): string {
  const key = [account, region, kind];
  const last = store.sequences.get(key)?.last ?? FIRST + Number(core.random.digits(6));
  const next = last + Number(core.random.digits(1));
  store.sequences.put(key, { last: next });
  return String(next);
}
