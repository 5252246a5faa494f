import type { Clock } from "../../kit/clock.ts";

/** Lets at most `places` through at once, in order of arrival, and nobody while the registry asked for quiet. */
export class Gate {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #places: number;
  #quietUntilMs = 0;

  constructor(places: number, clock: Clock) {
    this.#places = places;
    this.#clock = clock;
  }

  /**
   * Runs `work` when there is a place and the registry wants requests.
   * @throws the signal's reason when it aborts during the wait
   */
  async pass<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#enter(signal);
    try {
      await this.#quiet(signal);
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** Holds everybody back for a while; a longer wait that is asked for already stays. */
  quietFor(ms: number): void {
    this.#quietUntilMs = Math.max(this.#quietUntilMs, this.#clock.now().getTime() + ms);
  }

  async #quiet(signal: AbortSignal | undefined): Promise<void> {
    for (;;) {
      const left = this.#quietUntilMs - this.#clock.now().getTime();
      if (left <= 0) return;
      await this.#clock.sleep(left, signal);
    }
  }

  #enter(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#places > 0) {
      this.#places -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const enter = () => {
        signal?.removeEventListener("abort", giveUp);
        resolve();
      };
      const giveUp = () => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal?.reason as Error);
      };
      this.#waiting.push(enter);
      signal?.addEventListener("abort", giveUp, { once: true });
    });
  }

  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#places += 1;
  }
}

/** Lets requests through at most so often, evenly: a registry's quota is kept and not found out by being refused. */
export class Pace {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  #nextAtMs = 0;

  constructor(perSecond: number, clock: Clock) {
    this.#intervalMs = 1000 / perSecond;
    this.#clock = clock;
  }

  /** Resolves when it is this request's turn. @throws the signal's reason when it aborts before */
  async turn(signal?: AbortSignal): Promise<void> {
    const nowMs = this.#clock.now().getTime();
    const atMs = Math.max(nowMs, this.#nextAtMs);
    this.#nextAtMs = atMs + this.#intervalMs;
    if (atMs > nowMs) await this.#clock.sleep(atMs - nowMs, signal);
  }
}
