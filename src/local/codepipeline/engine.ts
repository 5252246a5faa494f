import type { Core } from "../gateway/service.ts";
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

/**
 * One execution at a time is in a stage; the others wait in the order of their start. QUEUED lets all pass, SUPERSEDED
 * lets the latest overtake those that wait at the same stage, PARALLEL knows no waiting.
 * @see https://docs.aws.amazon.com/codepipeline/latest/userguide/concepts-how-it-works.html
 */
export function createEngine(core: Core, store: Store, runner: StageRunner): Engine {
  const moving = new Set<string>();
  const keyOf = ({ account, region, pipeline, id }: Execution) => [account, region, pipeline, id];
  const read = (execution: Execution): Execution => store.executions.get(keyOf(execution)) ?? execution;
  const save = (execution: Execution, changed: Partial<Execution>): Execution => {
    const next = { ...read(execution), ...changed, updated: core.clock.now().toISOString() };
    store.executions.put(keyOf(execution), next);
    return next;
  };

  function advance({ account, region, name }: Parameters<Engine["advance"]>[0]): void {
    const active = store.executions.find("active", `${account}/${region}/${name}`).map((entry) => entry.value).sort((a, b) => (a.order < b.order ? -1 : 1));
    for (const execution of active) {
      if (moving.has(execution.id)) continue;
      if (!execution.inStage && execution.stopRequested) finish(execution, "Stopped", execution.stopRequested.reason);
      else if (execution.inStage || mayEnter(execution, active)) move(execution);
    }
  }

  function mayEnter(execution: Execution, active: readonly Execution[]): boolean {
    const stage = stageName(execution);
    const record = store.pipelines.get([execution.account, execution.region, execution.pipeline]);
    if (record?.disabled[stage]) return false;
    if (execution.declaration.executionMode === "PARALLEL") return true;
    const waitingOrIn = active.filter((other) => other.id !== execution.id && read(other).stageIndex === execution.stageIndex && isActive(read(other)));
    if (waitingOrIn.some((other) => read(other).inStage)) return false;
    const later = waitingOrIn.filter((other) => other.order > execution.order);
    if (execution.declaration.executionMode !== "QUEUED" && later.length > 0) {
      finish(execution, "Superseded");
      return false;
    }
    return waitingOrIn.every((other) => other.order > execution.order);
  }

  function move(execution: Execution): void {
    moving.add(execution.id);
    const entered = execution.inStage ? execution : enter(execution);
    core.background(`pipeline ${execution.pipeline} ${execution.id}`, async (signal) => {
      try {
        const status = await runner.run(entered, signal);
        leave(entered, status);
      } finally {
        moving.delete(execution.id);
      }
      if (!signal.aborted) advance({ account: execution.account, region: execution.region, name: execution.pipeline });
    });
  }

  function enter(execution: Execution): Execution {
    return store.transaction(() => {
      const stage = stageName(execution);
      const entered = save(execution, { inStage: true, stages: { ...read(execution).stages, [stage]: "InProgress" } });
      emitStage(core, entered, { stage, state: "STARTED" });
      return entered;
    });
  }

  /** After a stage: on to the next one, or the end. */
  function leave(execution: Execution, status: StageStatus): void {
    store.transaction(() => {
      const now = read(execution);
      const stage = stageName(now);
      const stages = { ...now.stages, [stage]: status };
      emitStage(core, now, { stage, state: status === "Succeeded" ? "SUCCEEDED" : status === "Stopped" ? "STOPPED" : "FAILED" });
      if (status === "Failed") return finish(save(now, { stages, inStage: false }), "Failed", `stage ${stage} failed`);
      if (status === "Stopped") return finish(save(now, { stages, inStage: false }), "Stopped", now.stopRequested?.reason);
      const next = now.stageIndex + 1;
      if (next >= (now.declaration.stages?.length ?? 0)) return finish(save(now, { stages, inStage: false }), "Succeeded");
      save(now, { stages, inStage: false, stageIndex: next });
    });
  }

  function finish(execution: Execution, status: ExecutionStatus, summary?: string): void {
    store.transaction(() => {
      const done = save(execution, { status, inStage: false, ...(summary && { statusSummary: summary }) });
      emitExecution(core, done);
    });
  }

  return {
    advance,
    recover() {
      const pipelines = store.pipelines.list([]).map((entry) => entry.value);
      for (const { account, region, declaration } of pipelines) advance({ account, region, name: declaration.name });
    },
  };
}

const isActive = ({ status }: Execution): boolean => status === "InProgress" || status === "Stopping";
export const stageName = ({ declaration, stageIndex }: Execution): string => declaration.stages?.[stageIndex]?.name ?? "";
