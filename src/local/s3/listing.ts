import type { Collection } from "../storage/database.ts";

/** What a page of a listing holds. */
export interface Listing<T> {
  readonly items: readonly T[];
  readonly commonPrefixes: readonly string[];
  /** Continue after this key; undefined when the listing is complete. */
  readonly next?: string;
}

export interface ListingRequest {
  readonly bucket: string;
  readonly prefix: string;
  readonly delimiter: string;
  /** Exclusive. */
  readonly after: string;
  readonly limit: number;
}

const LAST_CHARACTER = "\u{10ffff}";
const BATCH = 1000;

/** Lists keys in UTF-8 order; what shares a common prefix is skipped over, not read. */
export function listKeys<T extends { readonly key: string }>(objects: Collection<T>, request: ListingRequest): Listing<T> {
  const { bucket, prefix, delimiter, limit, after } = request;
  const items: T[] = [];
  const commonPrefixes: string[] = [];
  if (limit === 0) return { items, commonPrefixes };
  let from = after;
  for (const batch of batches()) {
    for (const item of batch) {
      if (!item.key.startsWith(prefix)) return { items, commonPrefixes };
      if (items.length + commonPrefixes.length === limit) return { items, commonPrefixes, next: from };
      const cut = delimiter === "" ? -1 : item.key.indexOf(delimiter, prefix.length);
      from = cut < 0 ? item.key : item.key.slice(0, cut + delimiter.length) + LAST_CHARACTER;
      if (cut < 0) items.push(item);
      else {
        commonPrefixes.push(item.key.slice(0, cut + delimiter.length));
        break; // the next batch starts behind everything that shares this prefix
      }
    }
  }
  return { items, commonPrefixes };

  function* batches(): Generator<readonly T[]> {
    const exact = isBefore(after, prefix) ? objects.get([bucket, prefix]) : undefined;
    if (exact) yield [exact];
    if (isBefore(from, prefix)) from = prefix;
    for (;;) {
      const batch = objects.list([bucket], { after: [bucket, from], limit: BATCH }).map((entry) => entry.value);
      if (batch.length === 0) return;
      yield batch;
    }
  }
}

/** Whether `a` sorts before `b` by UTF-8 bytes, which is the order of code points. */
export const isBefore = (a: string, b: string): boolean => Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;
