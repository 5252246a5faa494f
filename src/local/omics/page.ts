import { createHash } from "node:crypto";
import type { Entry, Key, Page } from "../storage/database.ts";
import { invalid } from "./errors.ts";

export interface PageRequest<I> {
  /** What the token is good for: the operation. */
  readonly of: string;
  readonly prefix: Key;
  /** What the request asks for beside the page; a token is good for the same filters alone. */
  readonly filters?: Readonly<Record<string, string | null | undefined>>;
  readonly startingToken?: string | null | undefined;
  /** @default 100 */
  readonly maxResults?: number | null | undefined;
  /** Reads items newest first, as many as `limit` says while there are any. */
  read(page: Page): readonly Entry<I>[];
  /** @default every item that is read */
  matches?(item: I): boolean;
}

export interface ItemPage<I> {
  readonly items: readonly I[];
  /** Opaque; absent on the last page. */
  readonly nextToken?: string;
}

const DEFAULT_PAGE = 100;
const CHUNK = 200;

/**
 * A page of items, newest first. A page may be short only when it is the last.
 * @throws AwsError ValidationException for a token of another list
 */
export function pageOf<I>(request: PageRequest<I>): ItemPage<I> {
  const { matches = () => true } = request;
  const size = request.maxResults ?? DEFAULT_PAGE;
  const found: Entry<I>[] = [];
  let after = request.startingToken == null ? undefined : keyOf(request.startingToken, request);
  let limit = size + 1;
  while (found.length <= size) {
    const chunk = request.read({ reverse: true, limit, ...(after && { after }) });
    found.push(...chunk.filter(({ value }) => matches(value)));
    if (chunk.length < limit) break;
    after = chunk.at(-1)?.key;
    limit = CHUNK;
  }
  const items = found.slice(0, size).map(({ value }) => value);
  const last = found[size - 1];
  return found.length > size && last !== undefined ? { items, nextToken: tokenOf(last.key, request) } : { items };
}

type List = Pick<PageRequest<unknown>, "of" | "prefix" | "filters">;

/** Which list a token belongs to: operation, account, region and filters, in few characters, since tokens may have 128. */
const markOf = ({ of, prefix, filters = {} }: List): string =>
  createHash("sha256")
    .update(JSON.stringify([of, prefix, Object.entries(filters).filter(([, value]) => value != null)]))
    .digest("base64url")
    .slice(0, 8);

/** The end of the key alone: the prefix comes from the request, so that nobody pages through another account. */
const tokenOf = (key: Key, list: List): string =>
  Buffer.from(JSON.stringify([markOf(list), ...key.slice(list.prefix.length)])).toString("base64url");

function keyOf(token: string, list: List): Key {
  const [mark, ...rest] = partsOf(token);
  if (mark !== markOf(list) || rest.length === 0) throw invalid(`The token '${token}' is not one that ${list.of} gave for these filters`);
  return [...list.prefix, ...rest];
}

function partsOf(token: string): readonly string[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    return Array.isArray(parts) && parts.every((part) => typeof part === "string") ? (parts as string[]) : [];
  } catch {
    return [];
  }
}
