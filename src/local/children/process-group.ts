import { readdirSync, readFileSync } from "node:fs";
import type { Clock } from "../../kit/clock.ts";

/** The kernel's start time of a process, as text; undefined when there is no such process (or it is a zombie). */
export function startTime(pid: number): string | undefined {
  if (process.platform !== "linux") return withoutProc(pid);
  const [state, , , ...rest] = statOf(pid) ?? ["Z"];
  return state === "Z" ? undefined : rest[16];
}

/** What names this boot of the machine: pids and start times begin anew with each. Undefined where the kernel tells none. */
export function bootId(): string | undefined {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return undefined;
  }
}

/** Whether a process of the group lives, its leader or one that the leader left behind. */
export function groupLives(pid: number): boolean {
  try {
    process.kill(-pid, 0);
  } catch {
    return false;
  }
  return startTime(pid) !== undefined || hasLivingMember(pid);
}

/** A killed process dies when the kernel next lets it run: soon, unless it hangs in a device. */
const DEATH_MS = 5000;

/** Ends a process group: asks first, insists after `graceMs`. When it returns, nothing of the group writes any more. */
export async function endGroup(pid: number, graceMs: number, clock: Clock): Promise<void> {
  signalGroup(pid, "SIGTERM");
  await untilGone(pid, graceMs, clock);
  if (!groupLives(pid)) return;
  signalGroup(pid, "SIGKILL");
  await untilGone(pid, DEATH_MS, clock);
}

async function untilGone(pid: number, patienceMs: number, clock: Clock): Promise<void> {
  for (let waited = 0; waited < patienceMs && groupLives(pid); waited += 50) await clock.sleep(50);
}

/** The fields of /proc/<pid>/stat from the third on: state, parent, group … */
function statOf(pid: number | string): readonly string[] | undefined {
  try {
    // proc(5): field 2 may hold blanks and brackets, so read behind the last ")".
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ");
  } catch {
    return undefined;
  }
}

/** Zombies count as members for the kernel, and where nobody reaps them they stay for ever. */
function hasLivingMember(group: number): boolean {
  if (process.platform !== "linux") return true;
  return readdirSync("/proc").some((name) => {
    if (!/^\d+$/.test(name)) return false;
    const [state, , pgrp] = statOf(name) ?? [];
    return pgrp === String(group) && state !== "Z";
  });
}

/** Where there is no /proc (macOS), existence is all that can be asked without a child process. */
function withoutProc(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
    return "running";
  } catch {
    return undefined;
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group ended between the question and the signal: what was wanted.
  }
}
