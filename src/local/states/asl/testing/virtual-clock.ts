import type { Clock } from "../../../../kit/clock.ts";

interface Timer {
  readonly atMs: number;
  readonly wake: () => void;
}

/** A clock whose sleepers wake as soon as nothing else is left to do: a wait of a year takes no time. */
export class VirtualClock implements Clock {
  #nowMs: number;
  #timers: Timer[] = [];
  #isTicking = false;

  constructor(start = "2026-01-02T03:04:05.000Z") {
    this.#nowMs = Date.parse(start);
  }

  now(): Date {
    return new Date(this.#nowMs);
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const timer = { atMs: this.#nowMs + ms, wake: resolve };
      this.#timers.push(timer);
      signal?.addEventListener("abort", () => {
        this.#timers = this.#timers.filter((other) => other !== timer);
        reject(signal.reason as Error);
      });
      this.#tick();
    });
  }

  /** Waits until the event loop has been idle for some turns, then moves to the next timer. */
  #tick(idleTurns = 0): void {
    if (idleTurns === 0 && this.#isTicking) return;
    this.#isTicking = true;
    setImmediate(() => {
      if (idleTurns < 5) return this.#tick(idleTurns + 1);
      this.#isTicking = false;
      const next = this.#timers.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) return;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.wake();
      if (this.#timers.length > 0) this.#tick();
    });
  }
}
