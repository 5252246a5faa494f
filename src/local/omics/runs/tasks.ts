import type { EngineEvent, TaskEnded, TaskStarted } from "../../engines/engine.ts";
import { emitTaskStatus } from "../emit.ts";
import { nextId } from "../ids.ts";
import { instanceTypeOf } from "../instance-types.ts";
import type { Omics } from "../omics.ts";
import { gibOf } from "../storage-sizes.ts";
import type { Run, Task } from "../store.ts";
import { keyOf } from "./find.ts";
import { logRunEvent } from "./logs.ts";

type TaskRequested = Extract<EngineEvent, { type: "task.request" }>;

/** A task as the engine asked for it; every attempt is a task of its own. */
export function addTask(omics: Omics, run: Run, event: TaskRequested): Task {
  const { store, core } = omics;
  const taskId = nextId({ store, core }, "task", run.place);
  const { cpus, memoryBytes, gpus, accelerator, image, name } = event;
  const instanceType = instanceTypeOf({ cpus, memoryGib: gibOf(memoryBytes), gpus, ...(accelerator && { accelerator }) }, run.place.region);
  const task: Task = {
    runId: run.id,
    taskId,
    uuid: core.random.uuid(),
    ask: event.ask,
    status: "PENDING",
    name,
    cpus,
    memoryBytes,
    gpus,
    creationTime: event.at,
    ...(instanceType !== undefined && { instanceType }),
    ...(accelerator !== undefined && { accelerator }),
    ...(image !== undefined && { image }),
  };
  store.tasks.put([...keyOf(run), taskId], task);
  emitTaskStatus(core, run, task);
  return task;
}

/** The task of a request; undefined when its run was deleted. */
export const taskOf = ({ store }: Omics, ask: string): Task | undefined => store.tasks.find("ask", ask)[0]?.value;

/** Changes a task, with its event where the status changes. */
export function changeTask(omics: Omics, run: Run, change: Partial<Task> & Pick<Task, "taskId">): Task | undefined {
  return omics.store.transaction(() => {
    const key = [...keyOf(run), change.taskId];
    const task = omics.store.tasks.get(key);
    if (task === undefined) return undefined;
    const changed: Task = { ...task, ...change };
    omics.store.tasks.put(key, changed);
    if (changed.status !== task.status) emitTaskStatus(omics.core, run, changed);
    return changed;
  });
}

export function taskStarted(omics: Omics, run: Run, event: TaskStarted): void {
  const task = taskOf(omics, event.task);
  if (task === undefined) return;
  const { stdout, stderr, container } = event;
  changeTask(omics, run, {
    taskId: task.taskId,
    status: "RUNNING",
    startTime: event.at,
    stdout,
    stderr,
    ...(container !== undefined && { container }),
  });
  logRunEvent(omics, run, { logMessage: "RUNNING_TASK", message: `Task ${task.name} (${task.taskId})` });
}

const ENDS = { completed: "COMPLETED", failed: "FAILED", cancelled: "CANCELLED" } as const;

export function taskEnded(omics: Omics, run: Run, event: TaskEnded): Task | undefined {
  const task = taskOf(omics, event.task);
  if (task === undefined) return undefined;
  const failure = event.outcome === "failed" ? failureOf(event) : {};
  const ended = changeTask(omics, run, {
    taskId: task.taskId,
    status: ENDS[event.outcome],
    stopTime: event.at,
    ...failure,
    ...(event.peakMemoryBytes !== undefined && { peakMemoryBytes: event.peakMemoryBytes }),
  });
  logRunEvent(omics, run, {
    logMessage: `TASK_${ENDS[event.outcome]}`,
    message: `Task ${task.name} (${task.taskId})${event.message === undefined ? "" : `: ${event.message}`}`,
  });
  return ended;
}

/** A command that ends with another code than its author allows is the task's own failure. */
function failureOf({ code, message, exitCode }: TaskEnded): Pick<Task, "failureReason" | "statusMessage"> {
  return { failureReason: code ?? "RUN_TASK_FAILED", statusMessage: message ?? `Task failed with exit code ${exitCode}` };
}
