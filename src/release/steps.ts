import type { ReleaseEnvironment } from "./environment.ts";

/** Runs named steps and tells how long each took. */
export const timed =
  ({ clock, emit }: Pick<ReleaseEnvironment, "clock" | "emit">) =>
  async <Result>(step: string, work: () => Result | Promise<Result>): Promise<Result> => {
    const started = clock.now().getTime();
    emit({ type: "step.started", step });
    const result = await work();
    emit({ type: "step.done", step, seconds: (clock.now().getTime() - started) / 1000 });
    return result;
  };
