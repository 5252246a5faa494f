import { validationError } from "./engine/errors.ts";

/** Which page of a list. */
export interface PageRequest {
  readonly token: string | undefined;
  readonly size: number;
}

/** A page and the token of the next one. */
export function pageOf<T>(
  all: readonly T[],
  { token, size }: PageRequest,
): { readonly items: readonly T[]; readonly next: string | undefined } {
  const start = token === undefined ? 0 : readToken(token);
  const end = start + size;
  return { items: all.slice(start, end), next: end < all.length ? writeToken(end) : undefined };
}

/** A page's token: opaque, so that nobody counts on what is in it. */
export const writeToken = (position: number): string => Buffer.from(`page:${position}`).toString("base64url");

/** @throws AwsError ValidationError for what is no token of ours */
export function readToken(token: string): number {
  const [, position] = /^page:(\d+)$/.exec(Buffer.from(token, "base64url").toString()) ?? [];
  if (position === undefined) throw validationError("The specified NextToken is invalid");
  return Number(position);
}
