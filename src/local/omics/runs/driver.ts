import { findContainerEngine } from "../../engines/container-engine.ts";
import type { Containers } from "../../engines/engine.ts";
import { readResult } from "../../engines/run-folder.ts";
import type { Omics } from "../omics.ts";
import type { Run, Verdict } from "../store.ts";
import { beginRun } from "./begin.ts";
import { clearRun } from "./clear.ts";
import { endRun } from "./end.ts";
import { changeRun, keyOf, type RunKey } from "./find.ts";
import { followRun } from "./follow.ts";
import { engineOf, foldersOf } from "./folders.ts";
import { grantTasks, repeatGrants } from "./grants.ts";
import { startWaitingRuns } from "./queue.ts";
import { RunFailure } from "./run-failure.ts";
import { answerInputs } from "./answer-inputs.ts";

/** Drives runs from STARTING to their end, each in work of its own that a restart picks up again. */
export interface Driver {
  schedule(): void;
  /** Picks up what a former process left. */
  recover(): void;
  /** Asks a run's engine to stop; a run that has none yet ends without one. */
  cancel(key: RunKey): void;
}

export function createDriver(omicsOf: () => Omics): Driver {
  const driving = new Set<string>();
  const containers = chosenContainers(omicsOf);

  const driver: Driver = {
    schedule() {
      for (const key of startWaitingRuns(omicsOf())) drive(key);
      grantTasks(omicsOf());
    },
    recover() {
      const { store } = omicsOf();
      const begun = store.runs.find("active", "yes").filter(({ value }) => value.status !== "PENDING");
      for (const { key } of begun) drive(key as unknown as RunKey);
      driver.schedule();
    },
    cancel(key) {
      const omics = omicsOf();
      const run = omics.store.runs.get(key);
      if (run === undefined) return;
      omics.core.background(`omics cancel run ${run.id}`, () => engineOf(omics, run).cancel());
      drive(key);
    },
  };
  return driver;

  function drive(key: RunKey): void {
    const name = key.join("/");
    if (driving.has(name)) return;
    driving.add(name);
    omicsOf().core.background(`omics run ${key[2]}`, (signal) =>
      driveToEnd(omicsOf(), key, { signal, containers }).finally(() => {
        driving.delete(name);
        if (!signal.aborted) driver.schedule();
      }),
    );
  }
}

/** Where tasks run: what the settings say, and where they say `auto`, what the machine has. It is asked once. */
function chosenContainers(omicsOf: () => Omics): () => Promise<Containers> {
  let found: Promise<Containers> | undefined;
  return () => {
    const { core, engines } = omicsOf();
    const asked = core.settings.containers;
    if (asked !== "auto") return Promise.resolve(asked);
    found ??= findContainerEngine(engines);
    return found;
  };
}

interface Driving {
  readonly signal: AbortSignal;
  containers(): Promise<Containers>;
}

/** One step after the other, each of which may have been done before by a process that died. */
async function driveToEnd(omics: Omics, key: RunKey, { signal, containers }: Driving): Promise<void> {
  try {
    await begun(omics, key, containers);
    await followed(omics, key, signal);
  } catch (error) {
    if (signal.aborted) return;
    decide(omics, key, verdictOf(omics, error));
    const run = omics.store.runs.get(key);
    if (run !== undefined) await engineOf(omics, run).cancel();
  }
  if (signal.aborted) return;
  const ended = await endRun(omics, key);
  if (ended === undefined) return;
  await gone(omics, ended);
  await clearRun(omics, ended, signal);
}

const LEAVING_MS = 5000;
const REAPING_MS = 50;

/** The engine has said its last word; its process takes a moment to go. */
async function gone(omics: Omics, run: Run): Promise<void> {
  const { clock } = omics.core;
  const engine = engineOf(omics, run);
  for (let waited = 0; waited < LEAVING_MS && engine.isAlive(); waited += 20) await clock.sleep(20);
  // Also forgets the record of one that a former process had started.
  await engine.cancel();
  // Its exit is told to us a turn after the kernel shows it; a stop may close the database before that.
  await clock.sleep(REAPING_MS);
}

async function begun(omics: Omics, key: RunKey, containers: () => Promise<Containers>): Promise<void> {
  const run = omics.store.runs.get(key);
  if (run?.status === "STARTING" && !run.isCancelled) await beginRun(omics, key, await containers());
}

async function followed(omics: Omics, key: RunKey, signal: AbortSignal): Promise<void> {
  const run = omics.store.runs.get(key);
  if (run === undefined || run.verdict !== undefined) return;
  if (run.status === "RUNNING" || run.isCancelled) {
    if (run.isCancelled) await engineOf(omics, run).cancel();
    answerInputs(omics, run);
    repeatGrants(omics, run);
    await followRun(omics, key, signal);
    if (signal.aborted) return;
    await endRemains(omics, run);
  }
  const now = omics.store.runs.get(key) ?? run;
  if (now.verdict === undefined) decide(omics, key, verdictFrom(omics, now));
}

/** An engine that died without a word leaves tasks that nobody follows: they must not work on while the run ends. */
async function endRemains(omics: Omics, run: Run): Promise<void> {
  if (readResult(foldersOf(omics, run).engine) === undefined) await engineOf(omics, run).cancel();
}

function verdictFrom(omics: Omics, run: Run): Verdict {
  if (run.isCancelled) return { status: "CANCELLED" };
  const result = engineOf(omics, run).result();
  switch (result.outcome) {
    case "completed":
      return { status: "COMPLETED" };
    case "cancelled":
      return { status: "FAILED", reason: "SERVICE_ERROR", message: "The workflow engine was ended from outside" };
    case "failed":
      return failureFrom(omics, run, result);
  }
}

/** A task that failed for a reason of its own gives the run that reason: the engine knows only that a task failed. */
function failureFrom(omics: Omics, run: Run, { code, message }: { readonly code: string; readonly message: string }): Verdict {
  if (/No space left on device|ENOSPC/.test(message)) return { status: "FAILED", reason: "FILE_SYSTEM_OUT_OF_SPACE", message };
  const failed = omics.store.tasks
    .list(keyOf(run), { reverse: true })
    .map(({ value }) => value)
    .find(({ status }) => status === "FAILED");
  if (code !== "RUN_TASK_FAILED" || failed === undefined) return { status: "FAILED", reason: code, message };
  return {
    status: "FAILED",
    reason: failed.failureReason ?? code,
    message: `Task ${failed.name} (${failed.taskId}): ${failed.statusMessage ?? message}`,
  };
}

function verdictOf(omics: Omics, error: unknown): Verdict {
  if (error instanceof RunFailure) return { status: "FAILED", reason: error.code, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error ? error.stack : undefined;
  omics.core.log("omics", `a run failed inside the local accounts: ${stack ?? message}`);
  return { status: "FAILED", reason: "SERVICE_ERROR", message };
}

function decide(omics: Omics, key: RunKey, verdict: Verdict): void {
  changeRun(omics, key, { verdict });
}
