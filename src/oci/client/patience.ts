import type { Clock } from "../../kit/clock.ts";
import type { Random } from "../../kit/random.ts";
import { RegistryError } from "../errors.ts";
import { waitBefore } from "./backoff.ts";
import type { RetryPolicy } from "./backoff.ts";

/** A wait before a request is tried again. */
export interface Wait {
  readonly registry: string;
  readonly ms: number;
  /** Why. */
  readonly failure: RegistryError;
}

export interface PatienceOptions {
  readonly retries: RetryPolicy;
  readonly clock: Clock;
  readonly random: Random;
  /** Told of each wait as it begins. */
  readonly onWait?: ((wait: Wait) => void) | undefined;
}

/** Tries again what may succeed a little later, and says of what it gives up how often it tried. */
export class Patience {
  readonly #options: PatienceOptions;

  constructor(options: PatienceOptions) {
    this.#options = options;
  }

  /** Does the work again as long as its failure is temporary and the retry policy allows. */
  async again<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof RegistryError) || !error.temporary) throw error;
        await this.wait(error, attempt, signal);
      }
    }
  }

  /**
   * Waits before try number `attempt + 1`.
   * @throws RegistryError the failure itself where that was the last try, or the registry asks for more patience than the
   * policy has, or a part of the work has tried often enough; the signal's reason when it aborts
   */
  async wait(failure: RegistryError, attempt: number, signal?: AbortSignal): Promise<void> {
    const { retries, random, clock, onWait } = this.#options;
    const { registry, retryAfterMs = 0 } = failure;
    if (retryAfterMs > retries.longestRetryAfterMs)
      throw advised(
        failure,
        `it asks to be left alone until ${new Date(clock.now().getTime() + retryAfterMs).toISOString().slice(0, 16).replace("T", " ")} UTC`,
      );
    const attempts = attemptsFor(failure, retries);
    if (failure.failure.tries !== undefined) throw failure;
    if (attempt >= attempts) throw attempt === 1 ? failure : advised(failure, `${attempt} tries ended so`, attempt);
    const ms = Math.max(retryAfterMs, waitBefore(attempt, retries, random));
    onWait?.({ registry, ms, failure });
    await clock.sleep(ms, signal);
  }
}

/** Whether a request ended because nothing came for a long time: no connection, no answer, or no more of its body. */
export const isSilence = ({ code = "" }: RegistryError): boolean => /^UND_ERR_(?:CONNECT|HEADERS|BODY)_TIMEOUT$/.test(code);

function attemptsFor(failure: RegistryError, { attempts, attemptsWhenThrottled, attemptsWhenSilent }: RetryPolicy): number {
  if (failure.kind === "throttled") return attemptsWhenThrottled;
  return isSilence(failure) ? Math.min(attempts, attemptsWhenSilent) : attempts;
}

/** The failure with one more thing to say. */
export function advised({ failure, cause }: RegistryError, advice: string, tries = failure.tries): RegistryError {
  const all = failure.advice === undefined ? advice : `${advice}; ${failure.advice}`;
  return new RegistryError({ ...failure, advice: all, cause, ...(tries !== undefined && { tries }) });
}
