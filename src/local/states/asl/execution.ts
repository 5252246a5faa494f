import type { Clock } from "../../../kit/clock.ts";
import type { Random } from "../../../kit/random.ts";
import type { Machine } from "./definition.ts";
import { ExecutionStopped, ExecutionTimedOut, type Failure, StateFailed, StatesError } from "./errors.ts";
import { type NewEvent, whole } from "./history.ts";
import { type EventEntry, Journal, type JournalEntry } from "./journal.ts";
import { type Json, parseJson } from "./json.ts";
import type { ExecutionContext, Frame, Run } from "./run.ts";
import { runGraph } from "./sequence.ts";
import type { RunTask } from "./task-call.ts";
import { withDeadline } from "./timers.ts";

/** An execution to run, from its beginning or from where an earlier process left it. */
export interface ExecutionRequest {
  readonly definition: Machine;
  readonly input: Json;
  readonly context: ExecutionContext;
  /** The region that events of tasks name. */
  readonly region: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Aborted with {@link ExecutionStopped} it ends the execution as ABORTED; with ExecutionSuspended (or any other reason) it suspends it without a trace. */
  readonly signal: AbortSignal;
  readonly runTask: RunTask;
  /** Must keep the entry before it returns. Entries with an event are the history. */
  readonly record: (entry: JournalEntry) => void;
  /** The entries that an earlier process recorded, in their order. */
  readonly resume?: readonly JournalEntry[];
}

/** How an execution ended, in the words of DescribeExecution. */
export type ExecutionResult =
  | { readonly status: "SUCCEEDED"; readonly output: Json }
  | { readonly status: "FAILED" | "ABORTED"; readonly error: string | undefined; readonly cause: string | undefined }
  | { readonly status: "TIMED_OUT" };

/**
 * Runs a state machine to its end. What the journal in `resume` says was done is not done again: completed tasks answer from it, a wait
 * goes on to its recorded moment, and a task that was under way is asked for again with the same idempotency key.
 * @throws the signal's reason when the execution was suspended
 */
export async function runExecution(request: ExecutionRequest): Promise<ExecutionResult> {
  const journal = new Journal(request.resume ?? [], request.clock, request.record);
  const ended = journal.findEvent(ENDED);
  if (ended !== undefined) return resultOf(ended);
  const started = begin(journal, request);
  const frame: Frame = { path: "", signal: request.signal, variables: {}, lastEventId: 0 };
  try {
    const output = await runWithin(request, { journal, started, frame });
    return resultOf(journal.event(ENDED, frame.lastEventId, succeeded(output)));
  } catch (error) {
    return conclude(request, { journal, frame, error });
  } finally {
    journal.close();
  }
}

const ENDED = "#ended";

function begin(journal: Journal, { input, context }: ExecutionRequest): EventEntry {
  return journal.event("#started", 0, {
    type: "ExecutionStarted",
    executionStartedEventDetails: { input: JSON.stringify(input), inputDetails: whole, roleArn: context.Execution.RoleArn },
  });
}

interface Beginning {
  readonly journal: Journal;
  readonly started: EventEntry;
  readonly frame: Frame;
}

function runWithin(request: ExecutionRequest, { journal, started, frame }: Beginning): Promise<Json> {
  const { clock, random, runTask, region, definition, context, input } = request;
  const startTime = started.event.timestamp;
  const run: Run = {
    clock,
    random,
    journal,
    runTask,
    region,
    runGraph,
    executionArn: context.Execution.Id,
    context: { ...context, Execution: { ...context.Execution, Input: input, StartTime: startTime.toISOString(), RedriveCount: 0 } },
  };
  const { TimeoutSeconds } = definition;
  const dueMs = startTime.getTime() + (TimeoutSeconds ?? 0) * 1_000;
  const deadline = TimeoutSeconds === undefined ? undefined : { dueMs: () => dueMs, onDue: () => new ExecutionTimedOut() };
  return withDeadline(clock, { deadline, signal: request.signal }, (signal) => {
    Object.assign(frame, { signal });
    return runGraph(run, frame, definition, input);
  });
}

interface Ending {
  readonly journal: Journal;
  readonly frame: Frame;
  readonly error: unknown;
}

function conclude({ signal }: ExecutionRequest, { journal, frame, error }: Ending): ExecutionResult {
  if (error instanceof ExecutionStopped) return resultOf(journal.event(ENDED, journal.lastEventId, aborted(error)));
  signal.throwIfAborted();
  if (error instanceof ExecutionTimedOut) return resultOf(journal.event(ENDED, journal.lastEventId, { type: "ExecutionTimedOut" }));
  const failure: Failure =
    error instanceof StateFailed
      ? error.failure
      : { error: StatesError.runtime, cause: error instanceof Error ? error.message : String(error) };
  return resultOf(journal.event(ENDED, frame.lastEventId, failed(failure)));
}

const succeeded = (output: Json): NewEvent => ({
  type: "ExecutionSucceeded",
  executionSucceededEventDetails: { output: JSON.stringify(output), outputDetails: whole },
});

const failed = ({ error, cause }: Failure): NewEvent => ({
  type: "ExecutionFailed",
  executionFailedEventDetails: { ...(error === undefined ? {} : { error }), ...(cause === undefined ? {} : { cause }) },
});

const aborted = ({ error, errorCause }: ExecutionStopped): NewEvent => ({
  type: "ExecutionAborted",
  executionAbortedEventDetails: { ...(error === undefined ? {} : { error }), ...(errorCause === undefined ? {} : { cause: errorCause }) },
});

function resultOf({ event }: EventEntry): ExecutionResult {
  if (event.type === "ExecutionSucceeded")
    return { status: "SUCCEEDED", output: parseJson(event.executionSucceededEventDetails?.output ?? "null") };
  if (event.type === "ExecutionTimedOut") return { status: "TIMED_OUT" };
  const isAborted = event.type === "ExecutionAborted";
  const details = isAborted ? event.executionAbortedEventDetails : event.executionFailedEventDetails;
  return { status: isAborted ? "ABORTED" : "FAILED", error: details?.error, cause: details?.cause };
}
