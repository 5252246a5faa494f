import type { EngineEvent } from "../../engines/engine.ts";
import type { Omics } from "../omics.ts";
import type { Run, Task } from "../store.ts";
import { answerInputs } from "./answer-inputs.ts";
import { changeRun, keyOf, type RunKey } from "./find.ts";
import { engineOf, foldersOf } from "./folders.ts";
import { containerOf } from "./grants.ts";
import { sendTail, streams } from "./logs.ts";
import { watchStorage } from "./storage.ts";
import { addTask, changeTask, taskEnded, taskStarted } from "./tasks.ts";
import { endAtLimit } from "./time-limit.ts";

const TAIL_MS = 1000;

/** Takes in what a run's engine says until it is gone: each event once, whoever dies. */
export async function followRun(omics: Omics, key: RunKey, signal: AbortSignal): Promise<void> {
  const run = omics.store.runs.get(key);
  if (run === undefined) return;
  const engine = engineOf(omics, run);
  const ended = new AbortController();
  const tails = sendTails(omics, key, AbortSignal.any([signal, ended.signal]));
  const limits = [endAtLimit, watchStorage].map((limit) => limit(omics, run, AbortSignal.any([signal, ended.signal])));
  try {
    for await (const { event, position } of engine.events(run.eventPosition, signal)) takeIn(omics, key, { event, position });
  } finally {
    ended.abort();
    await Promise.all([tails, ...limits]);
  }
  if (signal.aborted) return;
  endTasks(omics, key);
}

function takeIn(omics: Omics, key: RunKey, { event, position }: { readonly event: EngineEvent; readonly position: number }): void {
  const run = omics.store.transaction(() => {
    const inputs = event.type === "inputs.request" ? { inputsAsk: { ask: event.ask, uris: event.uris } } : {};
    const changed = changeRun(omics, key, { eventPosition: position, ...inputs });
    if (changed !== undefined) apply(omics, changed, event);
    return changed;
  });
  if (run === undefined) return;
  if (event.type === "inputs.request") answerInputs(omics, run);
  if (event.type === "task.request" || event.type === "task.ended") omics.schedule();
}

function apply(omics: Omics, run: Run, event: EngineEvent): void {
  switch (event.type) {
    case "task.request":
      addTask(omics, run, event);
      return;
    case "task.started":
      taskStarted(omics, run, event);
      return;
    case "task.ended": {
      const task = taskEnded(omics, run, event);
      if (task === undefined) return;
      sendTaskTail(omics, run, { task, isFinal: true });
      // The task runner removes what it started.
      if (run.containers !== "host") omics.core.children.forget(containerOf(run, { task, runtime: run.containers ?? "docker" }));
      return;
    }
    case "inputs.request":
    case "engine.running":
    case "engine.ended":
  }
}

/** Tasks that the engine, dying, left without an end. */
function endTasks(omics: Omics, key: RunKey): void {
  const run = omics.store.runs.get(key);
  if (run === undefined) return;
  const stopTime = omics.core.clock.now().toISOString();
  for (const { value: task } of omics.store.tasks.list(keyOf(run))) {
    if (task.status !== "PENDING" && task.status !== "STARTING" && task.status !== "RUNNING" && task.status !== "STOPPING") continue;
    // A run that was ended, by its user or at a limit, takes its tasks with it.
    const why =
      run.isCancelled || run.verdict !== undefined
        ? { status: "CANCELLED" as const }
        : { status: "FAILED" as const, failureReason: "SERVICE_ERROR", statusMessage: "The workflow engine ended before the task did" };
    changeTask(omics, run, { taskId: task.taskId, ...why, stopTime });
    sendTaskTail(omics, run, { task, isFinal: true });
  }
  sendTail(omics, run, { file: foldersOf(omics, run).engine.engineLog, stream: streams.engine(run), isFinal: true });
}

async function sendTails(omics: Omics, key: RunKey, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await omics.core.clock.sleep(TAIL_MS, signal).catch(() => undefined);
    const run = omics.store.runs.get(key);
    if (run === undefined || signal.aborted) return;
    sendTail(omics, run, { file: foldersOf(omics, run).engine.engineLog, stream: streams.engine(run), isFinal: false });
    for (const { value: task } of omics.store.tasks.list(keyOf(run)))
      if (task.status === "RUNNING") sendTaskTail(omics, run, { task, isFinal: false });
  }
}

function sendTaskTail(omics: Omics, run: Run, { task, isFinal }: { readonly task: Task; readonly isFinal: boolean }): void {
  const stream = streams.task(run, task.taskId);
  for (const file of [task.stdout, task.stderr]) if (file !== undefined) sendTail(omics, run, { file, stream, isFinal });
}
