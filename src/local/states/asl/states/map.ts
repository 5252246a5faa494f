import { type ChildEnd, Children } from "../children.ts";
import { complete } from "../complete.ts";
import type { MapState } from "../definition.ts";
import { StateFailed, StatesError } from "../errors.ts";
import { fromMemo, toMemo } from "../failure-memo.ts";
import { withRecovery } from "../recovery.ts";
import { attemptPath, emit, type Outcome, type Visit } from "../run.ts";
import { isArray, type Json } from "../json.ts";
import { Iterations } from "./map-iterations.ts";
import { type MapPlan, planMap } from "./map-plan.ts";

/** Runs one line of states for each item of an array; its result is the array of their outputs. https://states-language.net/#map-state */
export function runMap(visit: Visit<MapState>): Promise<Outcome> {
  return withRecovery(visit, async () => complete(visit, { value: await runItems(visit), isWork: true }));
}

async function runItems(visit: Visit<MapState>): Promise<Json> {
  const { journal } = visit.run;
  const failed = journal.findEvent(`${attemptPath(visit)}#failed`);
  if (failed !== undefined) {
    visit.frame.lastEventId = failed.event.id;
    throw fromMemo(failed.memo);
  }
  const plan = await planMap(visit);
  const items = recordItems(visit, plan.items);
  const children = new Children(visit);
  const iterations = new Iterations(visit, { ...plan, items }, children);
  const ends = await iterations.runAll();
  return conclude(visit, { plan, children, iterations, ends });
}

/** The items are recorded where an expression made them, as it may make others the next time. */
function recordItems(visit: Visit<MapState>, items: readonly Json[]): readonly Json[] {
  const memo = visit.state.Items === undefined ? undefined : items;
  const entry = emit(visit, "started", { type: "MapStateStarted", mapStateStartedEventDetails: { length: items.length } }, memo);
  return isArray(entry.memo) ? entry.memo : items;
}

interface Ending {
  readonly plan: MapPlan;
  readonly children: Children;
  readonly iterations: Iterations;
  readonly ends: readonly ChildEnd[];
}

function conclude(visit: Visit<MapState>, { plan, children, iterations, ends }: Ending): Json {
  const failed = children.firstFailure(ends);
  if (failed !== undefined && !iterations.areFailuresTolerated()) {
    const error = plan.hasTolerance ? thresholdExceeded() : failed.error;
    visit.frame.lastEventId = failed.frame.lastEventId;
    emit(visit, "failed", { type: "MapStateFailed" }, toMemo(error.failure));
    throw error;
  }
  visit.frame.lastEventId = Math.max(visit.frame.lastEventId, iterations.lastEndEventId);
  visit.run.journal.event(`${attemptPath(visit)}#succeeded`, visit.frame.lastEventId, { type: "MapStateSucceeded" });
  return ends.filter(({ error }) => error === undefined).map(({ output }) => output ?? null);
}

const thresholdExceeded = () =>
  new StateFailed({
    error: StatesError.exceedToleratedFailureThreshold,
    cause: "The specified tolerated failure threshold was exceeded",
  });
