import type { Random } from "../../kit/random.ts";
import type { Place } from "./arns.ts";
import type { Store } from "./store.ts";

const FIRST = 1_000_000;

/**
 * A new id: seven digits, as in every sample of the service, each above the last, so that the order of ids is the
 * order of creation. AWS uses the ids of deleted runs again; this does not.
 */
export function nextId(store: Store, random: Random, kind: string, { account, region }: Place): string {
  const key = [account, region, kind];
  const last = store.sequences.get(key)?.last ?? FIRST + Number(random.digits(6));
  const next = last + Number(random.digits(1));
  store.sequences.put(key, { last: next });
  return String(next);
}
