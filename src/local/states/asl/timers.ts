import type { Clock } from "../../../kit/clock.ts";

/** The longest a timer of Node sleeps; longer waits are slept in parts. */
const LONGEST_SLEEP_MS = 2 ** 31 - 1;

/** Resolves at `untilMs` (milliseconds since 1970). @throws the signal's reason when it aborts first */
export async function sleepUntil(clock: Clock, untilMs: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  for (let left = untilMs - clock.now().getTime(); left > 0; left = untilMs - clock.now().getTime())
    await clock.sleep(Math.min(left, LONGEST_SLEEP_MS), signal);
}

/** A time limit of some work; `dueMs` is read again whenever it has come, so that a heartbeat can move it. */
export interface Deadline {
  dueMs(): number;
  /** What the work fails with when the time has come. */
  onDue(): Error;
}

/**
 * Does `work` with a signal that aborts with the outer one or with the deadline.
 * @throws the deadline's error, the outer signal's reason, or what the work throws, whichever is first
 */
export async function withDeadline<T>(
  clock: Clock,
  { deadline, signal }: { readonly deadline: Deadline | undefined; readonly signal: AbortSignal },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const own = new AbortController();
  const both = AbortSignal.any([signal, own.signal]);
  const aborted = new Promise<never>((_, reject) => {
    both.addEventListener("abort", () => reject(both.reason as Error), { once: true });
  });
  aborted.catch(() => undefined);
  if (deadline !== undefined) void watch(clock, deadline, own);
  try {
    const result = await Promise.race([work(both), aborted]);
    signal.throwIfAborted();
    return result;
  } finally {
    own.abort(new Error("the work is over"));
  }
}

async function watch(clock: Clock, deadline: Deadline, own: AbortController): Promise<void> {
  try {
    for (let due = deadline.dueMs(); ; due = deadline.dueMs()) {
      if (due <= clock.now().getTime()) return own.abort(deadline.onDue());
      await sleepUntil(clock, due, own.signal);
    }
  } catch {
    // The work was over before its time.
  }
}
