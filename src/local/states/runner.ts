import type { HistoryEvent } from "@aws-sdk/client-sfn";
import type { Core } from "../gateway/service.ts";
import { parseDefinition } from "./asl/definition.ts";
import { ExecutionStopped, ExecutionSuspended } from "./asl/errors.ts";
import { runExecution } from "./asl/execution.ts";
import type { JournalEntry } from "./asl/journal.ts";
import { parseJson } from "./asl/json.ts";
import type { RunTask } from "./asl/task-call.ts";
import { logEvent } from "./logging.ts";
import { statusEvent } from "./status-event.ts";
import { type Execution, type ExecutionStatus, entryKey, executionKey, executionKeyOfArn, revive, type Store } from "./store.ts";

/** How a task of an execution is run. */
export type RunTaskOf = (execution: Execution) => RunTask;

/** Runs executions in the background, each step journalled before the next. */
export class Runner {
  readonly #core: Core;
  readonly #store: Store;
  readonly #runTaskOf: RunTaskOf;
  readonly #running = new Map<string, AbortController>();
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(core: Core, store: Store, runTaskOf: RunTaskOf) {
    this.#core = core;
    this.#store = store;
    this.#runTaskOf = runTaskOf;
  }

  /** Runs an execution that is in the store, from the end of its journal on. */
  launch(execution: Execution): void {
    const stopping = new AbortController();
    this.#running.set(execution.arn, stopping);
    this.#core.background(`execution ${execution.arn}`, async (signal) => {
      signal.addEventListener("abort", () => stopping.abort(new ExecutionSuspended()), { once: true });
      try {
        await this.#run(execution, stopping.signal);
      } catch (error) {
        if (!(error instanceof ExecutionSuspended)) throw error;
      } finally {
        this.#running.delete(execution.arn);
      }
    });
  }

  /** Leaves all executions as they are, before what they wait for is ended. */
  suspend(): void {
    for (const stopping of this.#running.values()) stopping.abort(new ExecutionSuspended());
  }

  /** Goes on with every execution that was running when the process ended. */
  resumeAll(): void {
    for (const { value } of this.#store.executions.find("running", "yes")) this.launch(value);
  }

  /** Ends a running execution as ABORTED. Its last event is written before this returns. */
  stop(arn: string, { error, cause }: { readonly error?: string | undefined; readonly cause?: string | undefined }): Promise<void> {
    const ended = this.whenEnded(arn);
    this.#running.get(arn)?.abort(new ExecutionStopped(error, cause));
    return ended;
  }

  /** Resolves when the execution is not running any more. @throws the signal's reason */
  whenEnded(arn: string, signal?: AbortSignal): Promise<void> {
    const key = executionKeyOfArn(arn);
    const status = key && this.#store.executions.get(key)?.status;
    if (status !== "RUNNING") return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiters = this.#waiting.get(arn) ?? new Set();
      this.#waiting.set(arn, waiters.add(resolve));
      signal?.addEventListener(
        "abort",
        () => {
          waiters.delete(resolve);
          reject(signal.reason as Error);
        },
        { once: true },
      );
    });
  }

  async #run(execution: Execution, signal: AbortSignal): Promise<void> {
    const { account, region, machine, revisionId, stateMachineArn, arn, name, roleArn, input } = execution;
    const revision = this.#store.revisions.get([account, region, machine, revisionId]);
    if (revision === undefined) throw new Error(`the definition of ${arn} is gone`);
    const resume = this.#store.journals.list(executionKey(execution)).map(({ value }) => revive(value));
    let ordinal = resume.length;
    await runExecution({
      definition: parseDefinition(revision.definition),
      input: parseJson(input),
      context: { Execution: { Id: arn, Name: name, RoleArn: roleArn }, StateMachine: { Id: stateMachineArn, Name: machine } },
      region,
      clock: this.#core.clock,
      random: this.#core.random,
      signal,
      runTask: this.#runTaskOf(execution),
      resume,
      record: (entry) => {
        this.#record(execution, entry, ordinal);
        ordinal += 1;
      },
    });
  }

  /** The entry, its log line and, for the last event, the execution's end are written together or not at all. */
  #record(execution: Execution, entry: JournalEntry, ordinal: number): void {
    const ended = entry.event && endOf(entry.event);
    this.#store.transaction(() => {
      this.#store.journals.put([...executionKey(execution), entryKey(ordinal)], entry);
      if (entry.event !== undefined) logEvent(this.#core, execution, entry.event);
      if (ended !== undefined) this.#finish({ ...execution, ...ended });
    });
    if (ended !== undefined) queueMicrotask(() => this.#wake(execution.arn));
  }

  #finish(execution: Execution): void {
    this.#store.executions.put(executionKey(execution), execution);
    this.#core.emit(statusEvent(execution));
  }

  #wake(arn: string): void {
    for (const resolve of this.#waiting.get(arn) ?? []) resolve();
    this.#waiting.delete(arn);
  }
}

type End = Pick<Execution, "status" | "stoppedAt" | "output" | "error" | "cause">;

const ENDS: Readonly<Record<string, ExecutionStatus>> = {
  ExecutionSucceeded: "SUCCEEDED",
  ExecutionFailed: "FAILED",
  ExecutionTimedOut: "TIMED_OUT",
  ExecutionAborted: "ABORTED",
};

/** What an execution's last event says of it; undefined for any other event. */
function endOf(event: HistoryEvent): End | undefined {
  const status = ENDS[event.type ?? ""];
  if (status === undefined || event.timestamp === undefined) return undefined;
  const output = event.executionSucceededEventDetails?.output;
  const { error, cause } = event.executionFailedEventDetails ?? event.executionAbortedEventDetails ?? {};
  return {
    status,
    stoppedAt: event.timestamp.toISOString(),
    ...(output !== undefined && { output }),
    ...(error !== undefined && { error }),
    ...(cause !== undefined && { cause }),
  };
}
