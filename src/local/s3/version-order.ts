/** Milliseconds are counted down from here, so that later versions sort first, and a listing meets the latest first. */
const LAST_MS = 9_999_999_999_999;
const MS_DIGITS = 13;
const FIRST = 0xffff_ffff_ffff;

/**
 * Where a version written now stands among those of its key.
 * @param before of the latest version that is there: what is written within its millisecond, or when the clock was set back, is later too
 */
export function orderAfter(before: string | undefined, now: Date): string {
  const order = written(now.getTime(), FIRST);
  if (before === undefined || order < before) return order;
  return written(msOf(before), restOf(before) - 1);
}

const written = (ms: number, rest: number): string =>
  `${String(LAST_MS - ms).padStart(MS_DIGITS, "0")}${rest.toString(16).padStart(12, "0")}`;
const msOf = (order: string): number => LAST_MS - Number(order.slice(0, MS_DIGITS));
const restOf = (order: string): number => Number.parseInt(order.slice(MS_DIGITS), 16);

/**
 * A hexadecimal number that is greater in the event of a later version of the same key, as S3's events have it.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
 */
export function sequencerOf(order: string): string {
  const within = (FIRST - restOf(order)) % 0x1000_0000;
  return `${msOf(order).toString(16).padStart(11, "0")}${within.toString(16).padStart(7, "0")}`.toUpperCase();
}
