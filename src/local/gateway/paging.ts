/** A request for a part of a list. */
export interface PageRequest {
  /** What an earlier answer gave to go on with. */
  readonly token: string | undefined;
  readonly limit: number;
  /** The service's error for a token it never gave. */
  invalid(): Error;
}

/**
 * A part of a list that is computed anew for each request; the token holds a position.
 * @returns the items, and the token of the next part where there is one
 */
export function pageOf<T>(
  items: readonly T[],
  { token, limit, invalid }: PageRequest,
): { readonly items: T[]; readonly next: string | undefined } {
  const start = token === undefined ? 0 : Number(Buffer.from(token, "base64url").toString());
  if (!Number.isInteger(start) || start < 0 || start > items.length) throw invalid();
  const end = start + limit;
  return { items: items.slice(start, end), next: end < items.length ? Buffer.from(String(end)).toString("base64url") : undefined };
}
