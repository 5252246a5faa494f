import type { Core } from "../gateway/service.ts";
import { forgetStage, isRetriable } from "./retry.ts";
import { emitExecution, emitStage } from "./state-events.ts";
import type { StageRunner } from "./stage.ts";
import type { Execution, ExecutionStatus, StageStatus, Store } from "./store.ts";

/** Moves executions through their stages. */
export interface Engine {
  /** Looks at every active execution of a pipeline and moves those that can move. Safe to call at any time. */
  advance(pipeline: { readonly account: string; readonly region: string; readonly name: string }): void;
  /** Resumes everything after a restart. */
  recover(): void;
}

interface Mover {
  readonly core: Core;
  readonly store: Store;
  readonly runner: StageRunner;
  /** Executions whose stage runs in this process. */
  readonly moving: Set<string>;
}

/**
 * One execution at a time is in a stage; the others wait in the order of their start. QUEUED lets all pass, SUPERSEDED
 * lets the latest overtake those that wait at the same stage, PARALLEL knows no waiting.
 * @see https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
 */
export function createEngine(core: Core, store: Store, runner: StageRunner): Engine {
  const mover: Mover = { core, store, runner, moving: new Set() };
  return {
    advance: (pipeline) => advance(mover, pipeline),
    recover() {
      const pipelines = store.pipelines.list([]).map((entry) => entry.value);
      for (const { account, region, declaration } of pipelines) advance(mover, { account, region, name: declaration.name });
    },
  };
}

const keyOf = ({ account, region, pipeline, id }: Execution) => [account, region, pipeline, id];
const read = ({ store }: Mover, execution: Execution): Execution => store.executions.get(keyOf(execution)) ?? execution;

function save(mover: Mover, execution: Execution, changed: Partial<Execution>): Execution {
  const next = { ...read(mover, execution), ...changed, updated: mover.core.clock.now().toISOString() };
  mover.store.executions.put(keyOf(execution), next);
  return next;
}

function advance(mover: Mover, { account, region, name }: Parameters<Engine["advance"]>[0]): void {
  const active = mover.store.executions
    .find("active", `${account}/${region}/${name}`)
    .map((entry) => entry.value)
    .sort((a, b) => (a.order < b.order ? -1 : 1));
  for (const execution of active) {
    if (mover.moving.has(execution.id)) continue;
    if (!execution.inStage && execution.stopRequested) finish(mover, execution, "Stopped", execution.stopRequested.reason);
    else if (execution.inStage || mayEnter(mover, execution, active)) move(mover, execution);
  }
}

function mayEnter(mover: Mover, execution: Execution, active: readonly Execution[]): boolean {
  const stage = stageName(execution);
  const record = mover.store.pipelines.get([execution.account, execution.region, execution.pipeline]);
  if (record?.disabled[stage]) return false;
  if (execution.declaration.executionMode === "PARALLEL") return true;
  const others = active
    .map((other) => read(mover, other))
    .filter((other) => other.id !== execution.id && other.stageIndex === execution.stageIndex && isActive(other));
  const isOvertaken = others.some((other) => !other.inStage && other.order > execution.order);
  if (execution.declaration.executionMode !== "QUEUED" && isOvertaken) {
    finish(mover, execution, "Superseded");
    return false;
  }
  return others.every((other) => !other.inStage && other.order > execution.order);
}

function move(mover: Mover, execution: Execution): void {
  mover.moving.add(execution.id);
  const entered = execution.inStage ? execution : enter(mover, execution);
  mover.core.background(`pipeline ${execution.pipeline} ${execution.id}`, async (signal) => {
    try {
      const status = await mover.runner.run(entered, signal);
      leave(mover, entered, status);
    } finally {
      mover.moving.delete(execution.id);
    }
    if (!signal.aborted) advance(mover, { account: execution.account, region: execution.region, name: execution.pipeline });
  });
}

function enter(mover: Mover, execution: Execution): Execution {
  return mover.store.transaction(() => {
    const stage = stageName(execution);
    const entered = save(mover, execution, { inStage: true, stages: { ...read(mover, execution).stages, [stage]: "InProgress" } });
    emitStage(mover.core, entered, { stage, status: "InProgress" });
    return entered;
  });
}

/** After a stage: on to the next one, or the end. */
function leave(mover: Mover, execution: Execution, status: StageStatus): void {
  mover.store.transaction(() => {
    const now = read(mover, execution);
    const stage = stageName(now);
    const stages = { ...now.stages, [stage]: status };
    emitStage(mover.core, now, { stage, status });
    if (status === "Failed" && isRetriable(now, stage)) return retry(mover, now, stage);
    const left = { stages, inStage: false };
    if (status === "Failed") return finish(mover, save(mover, now, left), "Failed", `stage ${stage} failed`);
    if (status === "Stopped") return finish(mover, save(mover, now, left), "Stopped", now.stopRequested?.reason);
    const next = now.stageIndex + 1;
    if (next >= (now.declaration.stages?.length ?? 0)) return finish(mover, save(mover, now, left), "Succeeded");
    save(mover, now, { ...left, stageIndex: next });
  });
}

/** Back to the entry of the same stage: https://docs.aws.amazon.com/codepipeline/latest/userguide/stage-retry.html */
function retry(mover: Mover, execution: Execution, stage: string): void {
  const mode = execution.declaration.stages?.[execution.stageIndex]?.onFailure?.retryConfiguration?.retryMode;
  if (mode === "ALL_ACTIONS") forgetStage(mover.store, execution, stage);
  save(mover, execution, { inStage: false, retried: [...(execution.retried ?? []), stage] });
}

function finish(mover: Mover, execution: Execution, status: ExecutionStatus, summary?: string): void {
  mover.store.transaction(() => {
    const done = save(mover, execution, { status, inStage: false, ...(summary && { statusSummary: summary }) });
    emitExecution(mover.core, done);
  });
}

const isActive = ({ status }: Execution): boolean => status === "InProgress" || status === "Stopping";
export const stageName = ({ declaration, stageIndex }: Execution): string => declaration.stages?.[stageIndex]?.name ?? "";
