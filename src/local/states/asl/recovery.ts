import { fillObject, placeResult } from "./jsonpath.ts";
import { evaluate, evaluateObject } from "./jsonata.ts";
import type { JsonObject } from "./json.ts";
import type { Catcher, RecoverableState, Retrier } from "./definition.ts";
import { type Failure, StateFailed, StatesError } from "./errors.ts";
import { randomFraction } from "./random-fraction.ts";
import { attemptPath, type Outcome, type Visit, withinDataLimit } from "./run.ts";
import { sleepUntil } from "./timers.ts";

/**
 * Does the attempts of a Task, Parallel or Map state: after a failure the first Retry that names the error decides when to try again,
 * and when none does (any more) the first Catch that names it decides where to go.
 * @throws StateFailed when neither answers the error
 * @see https://states-language.net/#errors
 */
export async function withRecovery(visit: Visit<RecoverableState>, attempt: () => Promise<Outcome>): Promise<Outcome> {
  const used = new Map<number, number>();
  for (; ; visit.retryCount += 1) {
    const decided = visit.run.journal.find(retryKey(visit))?.memo as RetryMemo | undefined;
    if (decided === undefined) {
      try {
        return await attempt();
      } catch (error) {
        if (!(error instanceof StateFailed) || error.failure.isTerminal) throw error;
        const index = retrierFor(visit.state.Retry ?? [], error.failure, used);
        if (index === undefined) return await handle(visit, error);
        await planRetry(visit, index, used.get(index) ?? 0);
      }
    }
    await waitForRetry(visit, used);
  }
}

interface RetryMemo extends JsonObject {
  readonly retrier: number;
  readonly untilMs: number;
  readonly lastEventId: number;
}

const retryKey = (visit: Visit) => `${attemptPath(visit)}#retry`;

async function planRetry(visit: Visit<RecoverableState>, retrier: number, usedBefore: number): Promise<void> {
  const { journal, clock, random } = visit.run;
  const delayMs = retryDelaySeconds(visit.state.Retry?.[retrier] ?? { ErrorEquals: [] }, usedBefore, randomFraction(random)) * 1_000;
  const memo = { retrier, untilMs: clock.now().getTime() + Math.round(delayMs), lastEventId: visit.frame.lastEventId };
  await journal.once(retryKey(visit), () => memo);
}

async function waitForRetry(visit: Visit, used: Map<number, number>): Promise<void> {
  const planned = visit.run.journal.find(retryKey(visit));
  if (planned === undefined) throw new Error(`no retry was planned: ${retryKey(visit)}`);
  const { retrier, untilMs, lastEventId } = planned.memo as RetryMemo;
  used.set(retrier, (used.get(retrier) ?? 0) + 1);
  visit.frame.lastEventId = lastEventId;
  await sleepUntil(visit.run.clock, untilMs, visit.frame.signal);
}

function retrierFor(retriers: readonly Retrier[], failure: Failure, used: ReadonlyMap<number, number>): number | undefined {
  const index = retriers.findIndex((retrier) => matchesError(retrier.ErrorEquals, failure));
  const retrier = retriers[index];
  if (retrier === undefined) return undefined;
  return (used.get(index) ?? 0) < (retrier.MaxAttempts ?? 3) ? index : undefined;
}

/**
 * Seconds to wait before retry number `usedBefore + 1` of a Retry; `fraction` in [0, 1) is the jitter's chance.
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html#error-handling-retrying-after-an-error
 */
export function retryDelaySeconds(retrier: Retrier, usedBefore: number, fraction: number): number {
  const grown = (retrier.IntervalSeconds ?? 1) * (retrier.BackoffRate ?? 2) ** usedBefore;
  const delay = Math.min(grown, retrier.MaxDelaySeconds ?? Number.MAX_SAFE_INTEGER);
  return retrier.JitterStrategy === "FULL" ? delay * fraction : delay;
}

/** Whether ErrorEquals names the failure: its error, States.ALL, States.TaskFailed for all but a timeout. */
export function matchesError(names: readonly string[], { error, isMissedHeartbeat }: Failure): boolean {
  return names.some((name) => {
    if (name === StatesError.all || name === error) return true;
    if (name === StatesError.taskFailed) return error !== StatesError.timeout;
    return name === StatesError.heartbeatTimeout && isMissedHeartbeat === true;
  });
}

async function handle(visit: Visit<RecoverableState>, failed: StateFailed): Promise<Outcome> {
  const catcher = visit.state.Catch?.find((candidate) => matchesError(candidate.ErrorEquals, failed.failure));
  if (catcher === undefined) throw failed;
  const { output, assigned } = await errorOutcome(visit, catcher, errorOutput(failed.failure));
  return { output: withinDataLimit(visit, output), assigned: withinDataLimit(visit, assigned), next: catcher.Next };
}

const errorOutput = ({ error, cause }: Failure): JsonObject => ({
  ...(error === undefined ? {} : { Error: error }),
  ...(cause === undefined ? {} : { Cause: cause }),
});

async function errorOutcome(visit: Visit, catcher: Catcher, error: JsonObject): Promise<Omit<Outcome, "next">> {
  if (visit.state.QueryLanguage === "JSONata") {
    const evaluation = { visit, errorOutput: error };
    const assigned = catcher.Assign === undefined ? {} : await evaluateObject(catcher.Assign, "Catch/Assign", evaluation);
    return { output: catcher.Output === undefined ? error : await evaluate(catcher.Output, "Catch/Output", evaluation), assigned };
  }
  const assigned = catcher.Assign === undefined ? {} : fillObject(catcher.Assign, { visit, data: error });
  return { output: placeResult(visit, catcher.ResultPath, error), assigned };
}
