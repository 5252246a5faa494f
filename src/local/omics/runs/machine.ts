import type { Quotas } from "../quotas.ts";
import type { Run, RunGroup, Task } from "../store.ts";

export interface Placed {
  readonly run: Run;
  readonly task: Task;
}

/** What there is, and who has it. */
export interface Room {
  readonly machine: { readonly cpus: number; readonly memoryBytes: number };
  /** Tasks that started or are about to. */
  readonly holding: readonly Placed[];
  readonly quotas: Pick<Quotas, "tasksPerRun" | "activeGpus">;
  groupOf(run: Run): RunGroup | undefined;
}

/** Whether a task may start now. A task larger than the machine, or than its group's limit, has it for itself. */
export function fits({ run, task }: Placed, { machine, holding, quotas, groupOf }: Room): boolean {
  const ofRun = holding.filter((other) => other.run.uuid === run.uuid);
  const ofAccount = holding.filter((other) => isSameAccount(other.run, run));
  const group = groupOf(run);
  const ofGroup = group === undefined ? [] : ofAccount.filter((other) => other.run.runGroupId === group.id);
  return (
    ofRun.length < quotas.tasksPerRun &&
    hasRoom(machine.cpus, sum(holding, cpusOf), task.cpus) &&
    hasRoom(machine.memoryBytes, sum(holding, memoryOf), task.memoryBytes) &&
    // More than the quota is let through at once, to be refused.
    (task.gpus === 0 || task.gpus > quotas.activeGpus || sum(ofAccount, gpusOf) + task.gpus <= quotas.activeGpus) &&
    (group?.maxCpus === undefined || hasRoom(group.maxCpus, sum(ofGroup, cpusOf), task.cpus)) &&
    (group?.maxGpus === undefined || hasRoom(group.maxGpus, sum(ofGroup, gpusOf), task.gpus))
  );
}

const isSameAccount = (a: Run, b: Run): boolean => a.place.account === b.place.account && a.place.region === b.place.region;

const cpusOf = (task: Task): number => task.cpus;
const memoryOf = (task: Task): number => task.memoryBytes;
const gpusOf = (task: Task): number => task.gpus;

const sum = (placed: readonly Placed[], of: (task: Task) => number): number => placed.reduce((total, { task }) => total + of(task), 0);

/** Something larger than all there is waits until nothing else holds any, and then has it all. */
const hasRoom = (all: number, held: number, wanted: number): boolean => held + wanted <= all || (held === 0 && wanted > all);
