import { invalid } from "./errors.ts";
import type { Quotas } from "./quotas.ts";
import type { Tags } from "./store.ts";

/**
 * Refuses tags that the service refuses: more than 50, reserved keys, characters outside letters, digits, blanks and `_.:/=+-@`.
 * Source: guide, "Tagging resources".
 * @throws AwsError ValidationException
 */
export function checkTags(tags: Tags, quotas: Quotas): void {
  const keys = Object.keys(tags);
  if (keys.length > quotas.tags) throw invalid(`A resource can have ${quotas.tags} tags at most, not ${keys.length}`);
  const reserved = keys.find((key) => key.toLowerCase().startsWith("aws:"));
  if (reserved !== undefined) throw invalid(`The tag key '${reserved}' starts with aws:, which is reserved`);
  const odd = [...keys, ...Object.values(tags)].find((text) => !/^[\p{L}\p{N}\p{Z}_.:/=+\-@]*$/u.test(text));
  if (odd !== undefined)
    throw invalid(`The tag text '${odd}' has characters that tags can't have: use letters, digits, blanks and _ . : / = + - @`);
}

/** Condition keys of a request that carries tags. */
export const tagContext = (tags: Tags | undefined): Readonly<Record<string, string | readonly string[]>> => ({
  ...Object.fromEntries(Object.entries(tags ?? {}).map(([key, value]) => [`aws:RequestTag/${key}`, value])),
  ...(tags !== undefined && Object.keys(tags).length > 0 && { "aws:TagKeys": Object.keys(tags) }),
});
