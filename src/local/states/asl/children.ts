import { BranchAborted, StateFailed } from "./errors.ts";
import type { Json } from "./json.ts";
import type { Frame, Visit } from "./run.ts";

/** How a branch or iteration ended. */
export interface ChildEnd {
  readonly frame: Frame;
  readonly output?: Json;
  readonly error?: unknown;
}

/** The branches or iterations of one attempt: they end together when one of them fails. */
export class Children {
  readonly #visit: Visit;
  readonly #stop = new AbortController();
  readonly signal: AbortSignal;

  constructor(visit: Visit) {
    this.#visit = visit;
    this.signal = AbortSignal.any([visit.frame.signal, this.#stop.signal]);
  }

  /** A line of states below the visit; variables of the outer lines can be read in it. */
  frame(path: string, lastEventId: number, item = this.#visit.frame.item): Frame {
    return { path, signal: this.signal, variables: this.#visit.frame.variables, lastEventId, ...(item === undefined ? {} : { item }) };
  }

  /** Ends all other children because of what happened in `frame`. */
  stop(frame: Frame): void {
    this.#stop.abort(new BranchAborted(frame.lastEventId));
  }

  /**
   * The first failure among children that have all ended, or undefined when none failed. First is who failed first in the history,
   * so that a resumed execution finds the same.
   * @throws the reason when the attempt itself was aborted; whatever is not a failure of a state
   */
  firstFailure(ends: readonly ChildEnd[]): (ChildEnd & { readonly error: StateFailed }) | undefined {
    this.#visit.frame.signal.throwIfAborted();
    const wrong = ends.find(({ error }) => error !== undefined && !(error instanceof StateFailed) && !(error instanceof BranchAborted));
    if (wrong !== undefined) throw wrong.error;
    const failed = ends.filter((end): end is ChildEnd & { error: StateFailed } => end.error instanceof StateFailed);
    return failed.sort((a, b) => a.frame.lastEventId - b.frame.lastEventId)[0];
  }
}
