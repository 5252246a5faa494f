import type { Collection, Key } from "../storage/database.ts";
import { invalidArgument } from "./errors.ts";

/** What a listing shows: an item, or a common prefix in the place of all that shares it. */
interface Row<T> {
  /** The item's, or the common prefix. */
  readonly key: string;
  readonly item?: T;
}

/** What a page of a listing holds. */
export interface Listing<T> {
  readonly items: readonly T[];
  readonly commonPrefixes: readonly string[];
  /** The row that the page ended with, to go on from; undefined when the listing is complete. */
  readonly last?: Row<T>;
}

export interface ListingRequest {
  readonly bucket: string;
  readonly prefix: string;
  readonly delimiter: string;
  /** Exclusive: a key, and where many are stored under one key, which of them. What shares its common prefix is passed too. */
  readonly after: Key;
  readonly limit: number;
}

/** Sorts behind all that is stored under a key, or shares a prefix. */
const LAST_CHARACTER = "\u{10ffff}";
const BATCH = 1000;

/** To go on behind all that is stored under a key, or one of it; at the beginning where there is no key. */
export const behind = (key: string, one = LAST_CHARACTER): Key => (key === "" ? [key] : [key, one]);

/** A page of what is stored under a bucket and keys, in UTF-8 order. */
export function listKeys<T extends { readonly key: string }>(stored: Collection<T>, request: ListingRequest): Listing<T> {
  const items: T[] = [];
  const commonPrefixes: string[] = [];
  if (request.limit === 0) return { items, commonPrefixes };
  let last: Row<T> | undefined;
  for (const row of rowsOf(stored, request)) {
    if (last && items.length + commonPrefixes.length === request.limit) return { items, commonPrefixes, last };
    if (row.item) items.push(row.item);
    else commonPrefixes.push(row.key);
    last = row;
  }
  return { items, commonPrefixes };
}

/** Reads as far as it is asked; what shares a common prefix is skipped over, not read. */
function* rowsOf<T extends { readonly key: string }>(stored: Collection<T>, request: ListingRequest): Generator<Row<T>> {
  const { bucket, prefix } = request;
  const [marker = ""] = request.after;
  const passed = commonPrefixOf(marker, request);
  let after: Key = [bucket, ...(passed === undefined ? request.after : [passed + LAST_CHARACTER])];
  if (isBefore(marker, prefix)) {
    after = [bucket, prefix];
    const exact = stored.get(after);
    if (exact) yield { key: prefix, item: exact };
  }
  for (;;) {
    const batch = stored.list([bucket], { after, limit: BATCH });
    if (batch.length === 0) return;
    for (const { key, value } of batch) {
      if (!value.key.startsWith(prefix)) return;
      const common = commonPrefixOf(value.key, request);
      yield common === undefined ? { key: value.key, item: value } : { key: common };
      after = common === undefined ? key : [bucket, common + LAST_CHARACTER];
      if (common !== undefined) break; // the next batch starts behind everything that shares this prefix
    }
  }
}

/** The key up to the first delimiter behind the prefix. */
function commonPrefixOf(key: string, { prefix, delimiter }: ListingRequest): string | undefined {
  const cut = delimiter === "" || !key.startsWith(prefix) ? -1 : key.indexOf(delimiter, prefix.length);
  return cut < 0 ? undefined : key.slice(0, cut + delimiter.length);
}

/** Whether `a` sorts before `b` by UTF-8 bytes, which is the order of code points. */
const isBefore = (a: string, b: string): boolean => Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;

/** How much a page holds at most: 1,000, or less where less is asked for. @throws AwsError InvalidArgument */
export function pageSize(name: "maxKeys" | "max-uploads" | "max-parts", asked = 1000): number {
  if (asked < 0) throw invalidArgument(`Argument ${name} must be an integer between 0 and 2147483647`);
  return Math.min(asked, 1000);
}
