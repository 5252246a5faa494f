import type { State, StateGraph } from "./definition.ts";
import { BranchAborted } from "./errors.ts";
import { whole } from "./history.ts";
import type { EventEntry } from "./journal.ts";
import { isObject, type Json, type JsonObject, parseJson } from "./json.ts";
import type { Frame, Outcome, Run, Visit } from "./run.ts";
import { runChoice } from "./states/choice.ts";
import { runFail } from "./states/fail.ts";
import { runMap } from "./states/map.ts";
import { runParallel } from "./states/parallel.ts";
import { runPass } from "./states/pass.ts";
import { runSucceed } from "./states/succeed.ts";
import { runTaskState } from "./states/task.ts";
import { runWait } from "./states/wait.ts";

/**
 * Runs a line of states from its StartAt to its end and returns the last output.
 * @throws StateFailed when a state fails and nothing catches it; the reason when the line's signal aborts
 */
export async function runGraph(run: Run, frame: Frame, graph: StateGraph, input: Json): Promise<Json> {
  let next: string | undefined = graph.StartAt;
  let data = input;
  for (let step = 0; next !== undefined; step += 1) {
    const name: string = next;
    const state = graph.States[name];
    if (state === undefined) throw new Error(`there is no state "${name}"`);
    const outcome: Outcome = await pass(run, frame, { state, name, step, input: data });
    frame.variables = { ...frame.variables, ...outcome.assigned };
    data = outcome.output;
    next = outcome.next;
  }
  return data;
}

interface Step {
  readonly state: State;
  readonly name: string;
  readonly step: number;
  readonly input: Json;
}

/** Goes through one state, or past it when the journal has its exit. */
async function pass(run: Run, frame: Frame, { state, name, step, input }: Step): Promise<Outcome> {
  const path = `${frame.path}/${step}:${name.replaceAll("/", "%2F")}`;
  const exited = run.journal.findEvent(`${path}#exited`);
  if (exited !== undefined) return recall(frame, exited);
  frame.signal.throwIfAborted();
  const entered = run.journal.event(`${path}#entered`, frame.lastEventId, {
    type: `${state.Type}StateEntered`,
    stateEnteredEventDetails: { name, input: JSON.stringify(input), inputDetails: whole },
  });
  frame.lastEventId = entered.event.id;
  const { id, timestamp } = entered.event;
  const visit = { run, frame, state, name, path, input, enteredAt: timestamp, enteredEventId: id, retryCount: 0, taskToken: undefined };
  return exit(visit, await work(visit));
}

async function work(visit: Visit): Promise<Outcome> {
  try {
    return await dispatch(visit);
  } catch (error) {
    if (error instanceof BranchAborted) tellAborted(visit, error);
    throw error;
  }
}

function dispatch(visit: Visit): Promise<Outcome> {
  const { state } = visit;
  switch (state.Type) {
    case "Pass":
      return runPass({ ...visit, state });
    case "Task":
      return runTaskState({ ...visit, state });
    case "Choice":
      return runChoice({ ...visit, state });
    case "Wait":
      return runWait({ ...visit, state });
    case "Succeed":
      return runSucceed({ ...visit, state });
    case "Fail":
      return runFail({ ...visit, state });
    case "Parallel":
      return runParallel({ ...visit, state });
    case "Map":
      return runMap({ ...visit, state });
  }
}

/** Only states that wait for something can be aborted, and only they have an event for it. */
function tellAborted({ run, path, state }: Visit, { failedAtEventId }: BranchAborted): void {
  const { Type } = state;
  if (Type === "Task" || Type === "Wait" || Type === "Parallel" || Type === "Map")
    run.journal.event(`${path}#aborted`, failedAtEventId, { type: `${Type}StateAborted` });
}

function exit(visit: Visit, outcome: Outcome): Outcome {
  const { run, frame, state, name, path } = visit;
  if (state.Type === "Fail") return outcome;
  const names = Object.keys(outcome.assigned);
  const variables = Object.fromEntries(names.map((variable) => [variable, JSON.stringify(outcome.assigned[variable])]));
  const event = {
    name,
    output: JSON.stringify(outcome.output),
    outputDetails: whole,
    ...(names.length === 0 ? {} : { assignedVariables: variables, assignedVariablesDetails: whole }),
  };
  const memo = { next: outcome.next ?? null };
  const entry = run.journal.event(
    `${path}#exited`,
    frame.lastEventId,
    { type: `${state.Type}StateExited`, stateExitedEventDetails: event },
    memo,
  );
  frame.lastEventId = entry.event.id;
  return outcome;
}

/** The outcome of a state that was left before the process ended. */
function recall(frame: Frame, { event, memo }: EventEntry): Outcome {
  frame.lastEventId = event.id;
  const { output, assignedVariables } = event.stateExitedEventDetails ?? { name: undefined };
  const assigned: JsonObject = Object.fromEntries(Object.entries(assignedVariables ?? {}).map(([name, text]) => [name, parseJson(text)]));
  const next = isObject(memo) ? memo["next"] : null;
  return { output: parseJson(output ?? "null"), assigned, next: typeof next === "string" ? next : undefined };
}
