import type { Clock } from "../../../kit/clock.ts";
import type { Random } from "../../../kit/random.ts";
import type { State, StateGraph } from "./definition.ts";
import { type Failure, StateFailed, StatesError } from "./errors.ts";
import type { NewEvent } from "./history.ts";
import type { EventEntry, Journal } from "./journal.ts";
import { exceedsDataLimit, type Json, type JsonObject } from "./json.ts";
import type { RunTask } from "./task-call.ts";

/** What the context object (`$$`, `$states.context`) says of the execution. */
export interface ExecutionContext {
  readonly Execution: { readonly Id: string; readonly Name: string; readonly RoleArn: string };
  readonly StateMachine: { readonly Id: string; readonly Name: string };
}

/** What every state of one execution shares. */
export interface Run {
  readonly clock: Clock;
  readonly random: Random;
  readonly journal: Journal;
  readonly runTask: RunTask;
  readonly context: JsonObject;
  readonly executionArn: string;
  readonly region: string;
  /** Runs a line of states to its end; Parallel and Map call it for their branches and iterations. */
  readonly runGraph: (run: Run, frame: Frame, graph: StateGraph, input: Json) => Promise<Json>;
}

/** A line of states that follow each other: the machine, a branch, or an iteration. */
export interface Frame {
  readonly path: string;
  readonly signal: AbortSignal;
  readonly item?: { readonly Index: number; readonly Value: Json };
  variables: JsonObject;
  lastEventId: number;
}

/** One visit to a state. */
export interface Visit<S extends State = State> {
  readonly run: Run;
  readonly frame: Frame;
  readonly state: S;
  readonly name: string;
  readonly path: string;
  readonly input: Json;
  readonly enteredAt: Date;
  readonly enteredEventId: number;
  retryCount: number;
  taskToken: string | undefined;
}

/** How a state ended: what it hands on, what it assigned, where to go (undefined: the end). */
export interface Outcome {
  readonly output: Json;
  readonly assigned: JsonObject;
  readonly next: string | undefined;
}

/** The path of the visit's present attempt, the key of everything that a retry does anew. */
export const attemptPath = (visit: Visit): string => `${visit.path}/a${visit.retryCount}`;

/** Writes an event of the visit's present attempt and moves the end of the visit's line to it. */
export function emit(visit: Visit, step: string, event: NewEvent, memo?: Json): EventEntry {
  const entry = visit.run.journal.event(`${attemptPath(visit)}#${step}`, visit.frame.lastEventId, event, memo);
  visit.frame.lastEventId = entry.event.id;
  return entry;
}

const COUNTS_RETRIES = new Set(["Task", "Parallel", "Map"]);

/** The context object as this visit sees it. https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html */
export function contextObject(visit: Visit, item = visit.frame.item): JsonObject {
  return {
    ...visit.run.context,
    State: {
      Name: visit.name,
      EnteredTime: visit.enteredAt.toISOString(),
      ...(COUNTS_RETRIES.has(visit.state.Type) ? { RetryCount: visit.retryCount } : {}),
    },
    ...(visit.taskToken === undefined ? {} : { Task: { Token: visit.taskToken } }),
    ...(item === undefined ? {} : { Map: { Item: { ...item } } }),
  };
}

/** A failure of this visit whose cause begins as Step Functions begins it. */
export function failure(visit: Visit, error: string, text: string): StateFailed {
  return new StateFailed({
    error,
    cause: `An error occurred while executing the state '${visit.name}' (entered at the event id #${visit.enteredEventId}). ${text}`,
    ...terminalIfRuntime(error),
  });
}

const terminalIfRuntime = (error: string): Pick<Failure, "isTerminal"> => (error === StatesError.runtime ? { isTerminal: true } : {});

/** The value itself. @throws StateFailed when it is more than Step Functions carries */
export function withinDataLimit<T extends Json>(visit: Visit, value: T): T {
  if (!exceedsDataLimit(value)) return value;
  throw new StateFailed({
    error: StatesError.dataLimitExceeded,
    cause: `The state/task '${visit.name}' returned a result with a size exceeding the maximum number of bytes service limit.`,
    isTerminal: true,
  });
}
