import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { Core } from "../gateway/service.ts";
import type { Mask } from "./masking.ts";
import { emitState } from "./state-event.ts";
import type { Build, BuildPhase, Store } from "./store.ts";

/** What a build's steps share. */
export interface Worker {
  readonly core: Core;
  readonly store: Store;
}

const keyOf = ({ account, region, id }: Build) => [account, region, id];

/** The build as it is stored now. */
export const current = ({ store }: Worker, build: Build): Build => store.builds.get(keyOf(build)) ?? build;

export function save(worker: Worker, build: Build, changed: Partial<Build>): Build {
  const next = { ...current(worker, build), ...changed };
  worker.store.builds.put(keyOf(build), next);
  return next;
}

export const log = ({ core }: Worker, build: Build, lines: readonly string[]) =>
  core.logs.append({ account: build.account, region: build.region, group: build.logs.group, stream: build.logs.stream }, lines);

/** Ends the phase before and begins this one, once. */
export function phase(worker: Worker, build: Build, phaseType: string): void {
  const now = worker.core.clock.now().toISOString();
  const before = current(worker, build).phases.map((one) =>
    one.endTime ? one : { ...one, phaseStatus: one.phaseStatus ?? "SUCCEEDED", endTime: now },
  );
  if (before.some((one) => one.phaseType === phaseType)) return;
  log(worker, build, [`[Container] ${now} Entering phase ${phaseType}`]);
  save(worker, build, { currentPhase: phaseType, phases: [...before, { phaseType, startTime: now }] });
}

/** Ends the present phase. */
export function endPhase(worker: Worker, build: Build, phaseStatus: string, context?: NonNullable<BuildPhase["contexts"]>[number]): void {
  const { phases } = current(worker, build);
  const now = worker.core.clock.now().toISOString();
  save(worker, build, {
    phases: phases.map((one, index) =>
      index === phases.length - 1 ? { ...one, phaseStatus, endTime: now, ...(context && { contexts: [context] }) } : one,
    ),
  });
  log(worker, build, [`[Container] ${now} Phase complete: ${phases.at(-1)?.phaseType} State: ${phaseStatus}`]);
  if (context) log(worker, build, [`[Container] ${now} Phase context status code: ${context.statusCode} Message: ${context.message}`]);
}

/** Ends a build and tells EventBridge. */
export function end(worker: Worker, build: Build, buildStatus: Build["buildStatus"], why?: string): void {
  if (why) log(worker, build, [`[Container] ${why}`]);
  const now = worker.core.clock.now().toISOString();
  worker.store.transaction(() => {
    const { phases } = current(worker, build);
    const ended = phases.map((one) =>
      one.endTime ? one : { ...one, endTime: now, phaseStatus: buildStatus === "SUCCEEDED" ? "SUCCEEDED" : buildStatus },
    );
    const done = save(worker, build, {
      buildStatus,
      currentPhase: "COMPLETED",
      endTime: now,
      phases: [...ended, { phaseType: "COMPLETED", startTime: now }],
    });
    emitState(worker.core, done);
  });
}

/** Appends to the build's log stream what its log file has gained, whole lines only. */
export async function forwardLog(
  worker: Worker,
  build: Build,
  { log: file, mask }: { readonly log: string; readonly mask: Mask },
): Promise<void> {
  if (!existsSync(file)) return;
  const { logOffset } = current(worker, build);
  const bytes = (await readFile(file)).subarray(logOffset);
  const end = bytes.lastIndexOf(0x0a) + 1;
  if (end === 0) return;
  const lines = bytes.toString("utf8", 0, end - 1).split("\n");
  worker.store.transaction(() => {
    log(worker, build, lines.map(mask));
    save(worker, build, { logOffset: logOffset + end });
  });
}
