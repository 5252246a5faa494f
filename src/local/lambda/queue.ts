import type { Core } from "../gateway/service.ts";
import { AwsError } from "../gateway/aws-error.ts";
import { parseReference } from "./names.ts";
import type { Pool } from "./pool.ts";
import { functionKey, type QueuedInvocation, type Store } from "./store.ts";

/** After a failed attempt: one minute, then two. https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html */
const PAUSES_MS = [60_000, 120_000];

/** Invocations that nobody waits for: kept until they succeeded, or failed three times. */
export class Queue {
  readonly #core: Core;
  readonly #store: Store;
  readonly #pool: Pool;

  constructor(core: Core, store: Store, pool: Pool) {
    this.#core = core;
    this.#store = store;
    this.#pool = pool;
  }

  put(invocation: Omit<QueuedInvocation, "attempts" | "nextMs">): void {
    const queued = { ...invocation, attempts: 0, nextMs: this.#core.clock.now().getTime() };
    this.#store.queue.put([invocation.requestId], queued);
    this.#follow(queued);
  }

  /** Goes on with what was there when the process ended; an attempt that was under way is made again. */
  resume(): void {
    for (const { value } of this.#store.queue.list([])) this.#follow(value);
  }

  #follow(queued: QueuedInvocation): void {
    this.#core.background(`asynchronous invocation ${queued.requestId}`, async (signal) => {
      for (let present: QueuedInvocation | undefined = queued; present !== undefined;) {
        const waitMs = present.nextMs - this.#core.clock.now().getTime();
        if (waitMs > 0) await this.#core.clock.sleep(waitMs, signal);
        const failure = await this.#attempt(present);
        if (signal.aborted || this.#pool.isStopping) return;
        present = failure === undefined ? this.#done(present) : this.#again(present, failure);
      }
    });
  }

  /** Why the attempt failed; undefined when it did not. */
  async #attempt({ functionArn, payload, requestId }: QueuedInvocation): Promise<string | undefined> {
    const of = this.#store.functions.get(functionKey(parseReference(functionArn, { account: "" as never, region: "" })));
    if (of === undefined) return undefined;
    try {
      const result = await this.#pool.invoke(of, { payload, requestId });
      return result.functionError === undefined ? undefined : result.payload;
    } catch (error) {
      return error instanceof AwsError ? error.message : String(error);
    }
  }

  #done({ requestId }: QueuedInvocation): undefined {
    this.#store.queue.delete([requestId]);
  }

  #again(queued: QueuedInvocation, failure: string): QueuedInvocation | undefined {
    const pauseMs = PAUSES_MS[queued.attempts];
    if (pauseMs === undefined) {
      this.#core.log(
        "lambda",
        `${queued.functionArn} failed three times for ${queued.requestId} and is not asked again: ${failure.slice(0, 500)}`,
      );
      return this.#done(queued);
    }
    const next = { ...queued, attempts: queued.attempts + 1, nextMs: this.#core.clock.now().getTime() + pauseMs };
    this.#store.queue.put([queued.requestId], next);
    return next;
  }
}
