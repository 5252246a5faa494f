import { describe, expect, test } from "vitest";
import type { Run, RunGroup, Task } from "../store.ts";
import { fits, type Placed, type Room } from "./machine.ts";

const GIB = 1024 ** 3;

const placed = (run: string, more: Partial<Task> & { readonly group?: string; readonly account?: string } = {}): Placed => ({
  run: { uuid: run, place: { account: more.account ?? "1", region: "r" }, ...(more.group && { runGroupId: more.group }) } as Run,
  task: { cpus: 1, memoryBytes: GIB, gpus: 0, ...more } as Task,
});

const room = (holding: readonly Placed[], more: { readonly group?: Partial<RunGroup>; readonly tasksPerRun?: number } = {}): Room => ({
  machine: { cpus: 4, memoryBytes: 8 * GIB },
  holding,
  quotas: { tasksPerRun: more.tasksPerRun ?? 25, activeGpus: 2 },
  groupOf: (run) => (run.runGroupId && more.group ? ({ id: run.runGroupId, ...more.group } as RunGroup) : undefined),
});

describe("whether a task may start", () => {
  test("CPUs and memory of the machine are shared out", () => {
    expect(fits(placed("a", { cpus: 4 }), room([]))).toBe(true);
    expect(fits(placed("a", { cpus: 2 }), room([placed("b", { cpus: 3 })]))).toBe(false);
    expect(fits(placed("a", { memoryBytes: 5 * GIB }), room([placed("b", { memoryBytes: 4 * GIB })]))).toBe(false);
  });

  test("a task larger than the machine has it for itself", () => {
    expect(fits(placed("a", { cpus: 64, memoryBytes: 100 * GIB }), room([]))).toBe(true);
    expect(fits(placed("a", { cpus: 64 }), room([placed("b")]))).toBe(false);
  });

  test("a run has a limit of tasks at once", () => {
    expect(fits(placed("a"), room([placed("a")], { tasksPerRun: 1 }))).toBe(false);
    expect(fits(placed("a"), room([placed("b")], { tasksPerRun: 1 }))).toBe(true);
  });

  test("a group's CPUs and GPUs count its own runs alone", () => {
    const group = { maxCpus: 2, maxGpus: 1 };
    expect(fits(placed("a", { group: "g", cpus: 2 }), room([placed("b", { group: "g" })], { group }))).toBe(false);
    expect(fits(placed("a", { group: "g", cpus: 2 }), room([placed("b", { group: "other" })], { group }))).toBe(true);
    expect(fits(placed("a", { group: "g", gpus: 1 }), room([placed("b", { group: "g", gpus: 1 })], { group }))).toBe(false);
  });

  test("an account has a quota of GPUs, another account its own", () => {
    expect(fits(placed("a", { gpus: 2 }), room([placed("b", { gpus: 1 })]))).toBe(false);
    expect(fits(placed("a", { gpus: 2 }), room([placed("b", { gpus: 1, account: "2" })]))).toBe(true);
  });
});
