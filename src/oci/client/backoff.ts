import type { Random } from "../../kit/random.ts";

/** How often and how long a request is tried again. */
export interface RetryPolicy {
  /** All tries of one request together. */
  readonly attempts: number;
  /** As `attempts`, where the registry says that it is asked too often: it will answer again. */
  readonly attemptsWhenThrottled: number;
  /** As `attempts`, where each ends in a timeout: they take a minute or more each, and who was silent that long stays so. */
  readonly attemptsWhenSilent: number;
  /** The longest first wait; each further one may be twice as long. */
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** A registry that asks for a longer wait than this (Docker Hub: hours) is given up at once. */
  readonly longestRetryAfterMs: number;
}

export const DEFAULT_RETRIES: RetryPolicy = {
  attempts: 7,
  attemptsWhenThrottled: 11,
  attemptsWhenSilent: 3,
  firstWaitMs: 200,
  longestWaitMs: 10_000,
  longestRetryAfterMs: 120_000,
};

/** The wait before try number `attempt + 1`: half of the growing limit, and a random share of the other half. */
export function waitBefore(attempt: number, policy: RetryPolicy, random: Random): number {
  const limit = Math.min(policy.longestWaitMs, policy.firstWaitMs * 2 ** (attempt - 1));
  const share = Number.parseInt(random.hex(4), 16) / 0x1_0000;
  return Math.round(limit / 2 + (limit / 2) * share);
}

/** Reads a Retry-After header, in seconds or as a date; undefined where it is neither. */
export function readRetryAfter(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime());
}
