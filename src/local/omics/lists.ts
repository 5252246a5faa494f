import type { Collection, Database, Entry, Key, Page } from "../storage/database.ts";

/** A collection with a small item beside each document, and lists of those items by what they have in common. */
export interface ListedCollection<T, I> extends Collection<T> {
  /** What a list shows of each document: a page of items costs the same whatever the documents hold. */
  readonly items: Pick<Collection<I>, "list" | "find">;
  /** Items below `scope` for which the list `name` has `value`, in order of the rest of their keys. */
  listBy(which: ListName, page?: Page): readonly Entry<I>[];
}

export interface ListName {
  readonly scope: Key;
  readonly name: string;
  readonly value: string;
}

type Texts<I> = Readonly<Record<string, (item: I) => string | undefined>>;

export interface Listing<T, I> {
  readonly documents: Collection<T>;
  itemOf(document: T): I;
  /** Lists of an account and region. */
  readonly lists?: Texts<I>;
  /** What items are found by in all accounts and regions. */
  readonly indexes?: Texts<I>;
  /** How many parts of a key name what the documents are counted in: account and region, or account, region and workflow. */
  readonly countedBy: number;
}

/** How many parts of a key are the scope of a list: account and region. */
const SCOPE = 2;

/**
 * Keeps items, list entries and counts beside documents, changed in the transaction of their document: a page of ten
 * thousand documents by status reads a page of items, and a quota is looked at without counting.
 */
export function withLists<T, I>(database: Database, name: string, listing: Listing<T, I>): ListedCollection<T, I> {
  const { documents, itemOf, countedBy } = listing;
  const kept = openKept(database, name, listing);
  if (kept.items.list([], { limit: 1 }).length === 0)
    database.transaction(() => documents.list([]).forEach(({ key, value }) => kept.keep(key, itemOf(value))));
  return {
    ...documents,
    items: kept.items,
    put: (key, document) =>
      database.transaction(() => {
        documents.put(key, document);
        kept.keep(key, itemOf(document));
      }),
    insert: (key, document) =>
      database.transaction(() => {
        const isNew = documents.insert(key, document);
        if (isNew) kept.keep(key, itemOf(document));
        return isNew;
      }),
    delete: (key) =>
      database.transaction(() => {
        kept.forget(key);
        return documents.delete(key);
      }),
    count: (prefix) => (prefix.length === countedBy ? kept.count(prefix) : documents.count(prefix)),
    listBy: (which, page) => kept.listBy(which, page),
  };
}

interface Kept<I> {
  readonly items: Collection<I>;
  keep(key: Key, item: I): void;
  forget(key: Key): void;
  count(of: Key): number;
  listBy(which: ListName, page?: Page): readonly Entry<I>[];
}

function openKept<T, I>(database: Database, name: string, { lists = {}, indexes = {}, countedBy }: Listing<T, I>): Kept<I> {
  const items = database.collection<I>(`${name}.items`, indexes);
  const entries = database.collection<0>(`${name}.lists`);
  const counts = database.collection<number>(`${name}.counts`);
  const count = (of: Key): number => counts.get(of) ?? 0;
  const add = (key: Key, more: number): void => counts.put(key.slice(0, countedBy), count(key.slice(0, countedBy)) + more);
  const entriesOf = (key: Key, item: I | undefined): ReadonlyMap<string, Key> =>
    new Map((item === undefined ? [] : entryKeys(key, item, lists)).map((entry) => [JSON.stringify(entry), entry]));
  return {
    items,
    keep(key, item) {
      const before = items.get(key);
      if (before === undefined) add(key, 1);
      if (JSON.stringify(before) === JSON.stringify(item)) return;
      items.put(key, item);
      const [old, fresh] = [entriesOf(key, before), entriesOf(key, item)];
      for (const [text, entry] of old) if (!fresh.has(text)) entries.delete(entry);
      for (const [text, entry] of fresh) if (!old.has(text)) entries.put(entry, 0);
    },
    forget(key) {
      const before = items.get(key);
      if (before === undefined) return;
      add(key, -1);
      items.delete(key);
      for (const entry of entriesOf(key, before).values()) entries.delete(entry);
    },
    count,
    listBy: (which, page = {}) => listBy({ items, entries }, which, page),
  };
}

function listBy<I>(
  of: { readonly items: Collection<I>; readonly entries: Collection<0> },
  which: ListName,
  page: Page,
): readonly Entry<I>[] {
  const prefix = [...which.scope, which.name, which.value];
  const after = page.after && { after: [...prefix, ...page.after.slice(SCOPE)] };
  const keys = of.entries.list(prefix, { ...page, ...after }).map((entry) => [...which.scope, ...entry.key.slice(prefix.length)]);
  return keys.flatMap((key) => {
    const value = of.items.get(key);
    return value === undefined ? [] : [{ key, value }];
  });
}

function entryKeys<I>(key: Key, item: I, lists: Texts<I>): readonly Key[] {
  return Object.entries(lists).flatMap(([list, textOf]) => {
    const text = textOf(item);
    return text === undefined ? [] : [[...key.slice(0, SCOPE), list, text, ...key.slice(SCOPE)]];
  });
}
