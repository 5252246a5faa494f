import type { Clock } from "../../kit/clock.ts";

/** The time that a function has left. */
export interface Overtime {
  /** Ends work when time is over. */
  readonly signal: AbortSignal;
  isOver(): boolean;
  /** Nothing is ended any more. */
  end(): Promise<void>;
}

/** Watches a deadline until `end`; undefined where there is none. */
export function watchDeadline(clock: Clock, deadline: Date | undefined): Overtime | undefined {
  if (!deadline) return undefined;
  const controller = new AbortController();
  let isOver = false;
  const timer = clock.sleep(Math.max(0, deadline.getTime() - clock.now().getTime()), controller.signal).then(
    () => {
      isOver = true;
      controller.abort(new Error("out of time"));
    },
    () => undefined,
  );
  return {
    signal: controller.signal,
    isOver: () => isOver,
    end: () => {
      controller.abort(new Error("done"));
      return timer;
    },
  };
}
