import { complete } from "../complete.ts";
import type { TaskState } from "../definition.ts";
import { type Failure, StateFailed, StatesError, TaskError } from "../errors.ts";
import { fromMemo, toMemo } from "../failure-memo.ts";
import type { EventEntry } from "../journal.ts";
import { exceedsDataLimit, type Json } from "../json.ts";
import { withRecovery } from "../recovery.ts";
import { attemptPath, emit, type Outcome, type Visit } from "../run.ts";
import type { TaskCall } from "../task-call.ts";
import { shownOutput, type TaskEvents, taskEvents } from "../task-events.ts";
import { type Deadline, withDeadline } from "../timers.ts";
import { planTask, type TaskPlan } from "./task-plan.ts";

/** Has work done outside of the machine. https://states-language.net/#task-state */
export function runTaskState(visit: Visit<TaskState>): Promise<Outcome> {
  return withRecovery(visit, async () => {
    const events = taskEvents(visit.state.Resource, visit.run.region);
    const value = await resultOf(visit, events);
    return complete(visit, { value, isWork: true });
  });
}

async function resultOf(visit: Visit<TaskState>, events: TaskEvents): Promise<Json> {
  const { plan, scheduled } = await planTask(visit, events);
  const done = visit.run.journal.findEvent(`${attemptPath(visit)}#done`);
  if (done !== undefined) return replay(visit, done);
  if (visit.run.journal.find(`${attemptPath(visit)}#submitted`) === undefined) emit(visit, "started", events.started);
  return perform(visit, { plan, events, scheduledMs: scheduled.event.timestamp.getTime() });
}

/** The recorded result of an attempt that was over before the process ended. */
function replay(visit: Visit, done: EventEntry): Json {
  visit.frame.lastEventId = done.event.id;
  const output = shownOutput(done.event);
  if (output === undefined) throw fromMemo(done.memo);
  return output;
}

interface Attempt {
  readonly plan: TaskPlan;
  readonly events: TaskEvents;
  readonly scheduledMs: number;
}

async function perform(visit: Visit<TaskState>, attempt: Attempt): Promise<Json> {
  const { run, frame } = visit;
  const timing = new Timing(attempt, run.clock.now().getTime());
  try {
    const work = (signal: AbortSignal) =>
      run.runTask(taskCall(visit, attempt, { signal, beat: () => timing.beat(run.clock.now().getTime()) }));
    const output = await withDeadline(run.clock, { deadline: timing.deadline(), signal: frame.signal }, work);
    if (exceedsDataLimit(output)) throw tooLarge(attempt.events.label);
    emit(visit, "done", attempt.events.succeeded(output));
    return output;
  } catch (error) {
    frame.signal.throwIfAborted();
    throw fail(visit, attempt, error);
  }
}

function taskCall(
  visit: Visit<TaskState>,
  { plan, events }: Attempt,
  life: { readonly signal: AbortSignal; readonly beat: () => void },
): TaskCall {
  const { run, name, state } = visit;
  const known = run.journal.findEvent(`${attemptPath(visit)}#submitted`);
  if (known !== undefined) visit.frame.lastEventId = known.event.id;
  return {
    resource: state.Resource,
    parameters: plan.parameters,
    stateName: name,
    idempotencyKey: `${run.executionArn}${attemptPath(visit)}`,
    signal: life.signal,
    timeoutSeconds: plan.timeoutSeconds,
    taskToken: plan.token,
    credentials: plan.roleArn === undefined ? undefined : { roleArn: plan.roleArn },
    submitted: known === undefined ? undefined : shownOutput(known.event),
    submit: (output) => {
      if (life.signal.aborted) return;
      emit(visit, "submitted", events.submitted(output));
      life.beat();
    },
    heartbeat: life.beat,
  };
}

class TaskTimedOut extends Error {
  readonly isMissedHeartbeat: boolean;
  constructor(isMissedHeartbeat: boolean) {
    super("the task timed out");
    this.isMissedHeartbeat = isMissedHeartbeat;
  }
}

/** When an attempt is late: its timeout counts from its scheduling, its heartbeat from the last sign of life. */
class Timing {
  readonly #timeoutMs: number;
  readonly #heartbeatSeconds: number;
  #lastBeatMs: number;

  constructor({ plan, scheduledMs }: Attempt, nowMs: number) {
    this.#timeoutMs = plan.timeoutSeconds === undefined ? Number.POSITIVE_INFINITY : scheduledMs + plan.timeoutSeconds * 1_000;
    this.#heartbeatSeconds = plan.token === undefined ? Number.POSITIVE_INFINITY : (plan.heartbeatSeconds ?? Number.POSITIVE_INFINITY);
    this.#lastBeatMs = nowMs;
  }

  beat(nowMs: number): void {
    this.#lastBeatMs = nowMs;
  }

  deadline(): Deadline | undefined {
    if (this.#dueMs() === Number.POSITIVE_INFINITY) return undefined;
    return { dueMs: () => this.#dueMs(), onDue: () => new TaskTimedOut(this.#heartbeatMs() < this.#timeoutMs) };
  }

  #heartbeatMs = () => this.#lastBeatMs + this.#heartbeatSeconds * 1_000;
  #dueMs = () => Math.min(this.#timeoutMs, this.#heartbeatMs());
}

/** Records how the attempt failed. Anything but a TaskError is a fault of ours: the execution fails and says so. */
function fail(visit: Visit<TaskState>, { events }: Attempt, error: unknown): StateFailed {
  if (error instanceof TaskTimedOut) {
    const failure: Failure = { error: StatesError.timeout, cause: undefined, isMissedHeartbeat: error.isMissedHeartbeat };
    emit(visit, "done", events.timedOut(failure), toMemo(failure));
    return new StateFailed(failure);
  }
  const failure = failureOf(error);
  const isSubmitted = visit.run.journal.find(`${attemptPath(visit)}#submitted`) !== undefined;
  emit(visit, "done", events.failed(failure, isSubmitted), toMemo(failure));
  return new StateFailed(failure);
}

function failureOf(error: unknown): Failure {
  if (error instanceof StateFailed) return error.failure;
  if (error instanceof TaskError) return { error: error.error, cause: error.errorCause };
  return { error: StatesError.runtime, cause: error instanceof Error ? error.message : String(error), isTerminal: true };
}

/** Unlike a state's own output, a task's result that is too large can be caught. */
const tooLarge = (label: string) =>
  new StateFailed({
    error: StatesError.dataLimitExceeded,
    cause: `The state/task '${label}' returned a result with a size exceeding the maximum number of bytes service limit.`,
  });
