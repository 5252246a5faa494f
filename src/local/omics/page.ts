import type { Collection, Entry, Key, Page } from "../storage/database.ts";
import { invalid } from "./errors.ts";
import type { ListedCollection } from "./lists.ts";

export interface PageRequest<T> {
  readonly prefix: Key;
  readonly startingToken?: string | undefined;
  /** @default 100 */
  readonly maxResults?: number | undefined;
  matches(item: T): boolean;
  /** A list that holds every item that matches, where there is one. */
  readonly within?: { readonly name: string; readonly value: string } | undefined;
}

export interface ItemPage<T> {
  readonly items: readonly T[];
  /** Opaque; absent on the last page. */
  readonly nextToken?: string;
}

const DEFAULT_PAGE = 100;
const CHUNK = 200;

/** A page of a collection, newest first. A page may be short only when it is the last. */
export function pageOf<T>(collection: Collection<T> | ListedCollection<T>, request: PageRequest<T>): ItemPage<T> {
  const { within } = request;
  const read = (page: Page): readonly Entry<T>[] =>
    within !== undefined && "listBy" in collection ? collection.listBy({ scope: request.prefix, ...within }, page) : collection.list(request.prefix, page);
  const size = request.maxResults ?? DEFAULT_PAGE;
  const found: Entry<T>[] = [];
  let after = request.startingToken === undefined ? undefined : keyOf(request.startingToken, request.prefix);
  while (found.length <= size) {
    const limit = Math.max(size + 1, CHUNK);
    const chunk = read({ reverse: true, limit, ...(after && { after }) });
    found.push(...chunk.filter(({ value }) => request.matches(value)));
    if (chunk.length < limit) break;
    after = chunk.at(-1)?.key;
  }
  const items = found.slice(0, size).map(({ value }) => value);
  const last = found[size - 1];
  return found.length > size && last !== undefined ? { items, nextToken: tokenOf(last.key, request.prefix) } : { items };
}

/** The end of the key alone: the prefix comes from the request, so that nobody pages through another account. */
const tokenOf = (key: Key, prefix: Key): string => Buffer.from(JSON.stringify(key.slice(prefix.length))).toString("base64url");

function keyOf(token: string, prefix: Key): Key {
  try {
    const rest: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    if (Array.isArray(rest) && rest.length > 0 && rest.every((part) => typeof part === "string")) return [...prefix, ...(rest as string[])];
  } catch {
    // falls through to the refusal
  }
  throw invalid(`The token '${token}' is not one that this operation gave`);
}
