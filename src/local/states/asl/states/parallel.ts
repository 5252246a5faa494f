import { type ChildEnd, Children } from "../children.ts";
import { complete } from "../complete.ts";
import type { ParallelState, StateGraph } from "../definition.ts";
import { StateFailed } from "../errors.ts";
import { fromMemo, toMemo } from "../failure-memo.ts";
import { evaluate } from "../jsonata.ts";
import { fill, select } from "../jsonpath.ts";
import type { Json } from "../json.ts";
import { withRecovery } from "../recovery.ts";
import { attemptPath, emit, type Outcome, type Visit } from "../run.ts";

/** Runs its branches side by side on copies of one input; its result is the array of their outputs. https://states-language.net/#parallel-state */
export function runParallel(visit: Visit<ParallelState>): Promise<Outcome> {
  return withRecovery(visit, async () => complete(visit, { value: await runBranches(visit), isWork: true }));
}

async function runBranches(visit: Visit<ParallelState>): Promise<Json> {
  const { journal } = visit.run;
  const path = attemptPath(visit);
  const failed = journal.findEvent(`${path}#failed`);
  if (failed !== undefined) {
    visit.frame.lastEventId = failed.event.id;
    throw fromMemo(failed.memo);
  }
  const input = journal.find(`${path}#started`)?.memo ?? (await branchInput(visit));
  emit(visit, "started", { type: "ParallelStateStarted" }, input);
  const children = new Children(visit);
  const ends = await Promise.all(visit.state.Branches.map((graph, index) => runBranch(visit, { graph, index, input, children })));
  return conclude(visit, children, ends);
}

async function branchInput(visit: Visit<ParallelState>): Promise<Json> {
  const { QueryLanguage, Arguments, InputPath, Parameters } = visit.state;
  if (QueryLanguage === "JSONata") return Arguments === undefined ? visit.input : evaluate(Arguments, "Arguments", { visit });
  const data = select(InputPath, { visit, data: visit.input });
  return Parameters === undefined ? data : fill(Parameters, { visit, data });
}

interface Branch {
  readonly graph: StateGraph;
  readonly index: number;
  readonly input: Json;
  readonly children: Children;
}

async function runBranch(visit: Visit, { graph, index, input, children }: Branch): Promise<ChildEnd> {
  const frame = children.frame(`${attemptPath(visit)}/b${index}`, visit.frame.lastEventId);
  try {
    return { frame, output: await visit.run.runGraph(visit.run, frame, graph, input) };
  } catch (error) {
    if (error instanceof StateFailed) children.stop(frame);
    return { frame, error };
  }
}

function conclude(visit: Visit, children: Children, ends: readonly ChildEnd[]): Json {
  const failed = children.firstFailure(ends);
  if (failed !== undefined) {
    visit.frame.lastEventId = failed.frame.lastEventId;
    emit(visit, "failed", { type: "ParallelStateFailed" }, toMemo(failed.error.failure));
    throw failed.error;
  }
  const last = Math.max(...ends.map(({ frame }) => frame.lastEventId));
  visit.run.journal.event(`${attemptPath(visit)}#succeeded`, last, { type: "ParallelStateSucceeded" });
  visit.frame.lastEventId = last;
  return ends.map(({ output }) => output ?? null);
}
