import type { Invocation } from "./invocation.ts";

/** An invocation as Lambda's runtime interface hands it to a process. */
export interface Handover {
  readonly invocation: Invocation;
  readonly deadlineMs: number;
  readonly functionArn: string;
}

/** What became of an invocation. */
export interface Outcome {
  /** JSON text. */
  readonly payload: string;
  readonly isError: boolean;
}

/**
 * What is said between Lambda and one process: the process asks for work and answers, one invocation at a time. After a failure of the
 * process every invocation ends with that failure.
 */
export class Conversation {
  #waiting: ((handover: Handover) => void) | undefined;
  #current: { readonly requestId: string; readonly done: (outcome: Outcome) => void } | undefined;
  #failure: Outcome | undefined;
  readonly #readyListeners = new Set<() => void>();

  /** Resolves when the process asks for work, or never will. */
  ready(): Promise<void> {
    if (this.#waiting !== undefined || this.#failure !== undefined) return Promise.resolve();
    return new Promise((resolve) => this.#readyListeners.add(resolve));
  }

  /** Gives the process its work; call it when it is ready. */
  run(handover: Handover): Promise<Outcome> {
    if (this.#failure !== undefined) return Promise.resolve(this.#failure);
    return new Promise((done) => {
      this.#current = { requestId: handover.invocation.requestId, done };
      this.#waiting?.(handover);
      this.#waiting = undefined;
    });
  }

  /** The process asks for its next invocation. */
  next(): Promise<Handover> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
      this.#wake();
    });
  }

  /** The process answers. An answer to anything but the present invocation is too late. */
  answer(requestId: string, outcome: Outcome): void {
    if (this.#current?.requestId === requestId) this.#end(outcome);
  }

  /** The process can't go on: it did not begin, took too long, or is gone. */
  fail(payload: string): void {
    this.#failure ??= { payload, isError: true };
    this.#end(this.#failure);
    this.#wake();
  }

  #end(outcome: Outcome): void {
    this.#current?.done(outcome);
    this.#current = undefined;
  }

  #wake(): void {
    for (const listener of this.#readyListeners) listener();
    this.#readyListeners.clear();
  }
}
