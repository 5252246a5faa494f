import type { Collection, Database, Entry, Key, Page } from "../storage/database.ts";

/** A collection that can also be listed, in either direction, by what its documents have in common. */
export interface ListedCollection<T> extends Collection<T> {
  /** Documents below `scope` for which the list `name` has `value`, in order of the rest of their keys. */
  listBy(which: { readonly scope: Key; readonly name: string; readonly value: string }, page?: Page): readonly Entry<T>[];
}

/** How many parts of a key are the scope: account and region. */
const SCOPE = 2;

type Lists<T> = Readonly<Record<string, (document: T) => string | undefined>>;

/**
 * Keeps small entries beside the documents, one for each list a document is in: a page of ten thousand documents by
 * status reads a page of entries and not all of them. Entries change in the transaction of their document.
 */
export function withLists<T>(database: Database, name: string, { documents, lists }: { readonly documents: Collection<T>; readonly lists: Lists<T> }): ListedCollection<T> {
  const entries = database.collection<0>(`${name}.lists`);
  const unlist = (key: Key): void => {
    const before = documents.get(key);
    if (before !== undefined) for (const entry of entryKeys(key, before, lists)) entries.delete(entry);
  };
  const enlist = (key: Key, document: T): void => {
    for (const entry of entryKeys(key, document, lists)) entries.put(entry, 0);
  };
  return {
    ...documents,
    put: (key, document) =>
      database.transaction(() => {
        unlist(key);
        documents.put(key, document);
        enlist(key, document);
      }),
    insert: (key, document) =>
      database.transaction(() => {
        const isNew = documents.insert(key, document);
        if (isNew) enlist(key, document);
        return isNew;
      }),
    delete: (key) =>
      database.transaction(() => {
        unlist(key);
        return documents.delete(key);
      }),
    listBy: (which, page = {}) => listBy({ documents, entries }, which, page),
  };
}

function listBy<T>(of: { readonly documents: Collection<T>; readonly entries: Collection<0> }, which: Parameters<ListedCollection<T>["listBy"]>[0], page: Page): readonly Entry<T>[] {
  const prefix = [...which.scope, which.name, which.value];
  const after = page.after && { after: [...prefix, ...page.after.slice(SCOPE)] };
  const keys = of.entries.list(prefix, { ...page, ...after }).map((entry) => [...which.scope, ...entry.key.slice(prefix.length)]);
  return keys.flatMap((key) => {
    const value = of.documents.get(key);
    return value === undefined ? [] : [{ key, value }];
  });
}

function entryKeys<T>(key: Key, document: T, lists: Lists<T>): readonly Key[] {
  return Object.entries(lists).flatMap(([list, valueOf]) => {
    const value = valueOf(document);
    return value === undefined ? [] : [[...key.slice(0, SCOPE), list, value, ...key.slice(SCOPE)]];
  });
}
