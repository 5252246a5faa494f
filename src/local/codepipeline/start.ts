import type { Core } from "../gateway/service.ts";
import { emitExecution } from "./state-events.ts";
import type { Execution, PipelineRecord, Store } from "./store.ts";

/** Makes an execution; the engine moves it. */
export function startExecution(core: Core, store: Store, { record, trigger, id }: { readonly record: PipelineRecord; readonly trigger: Execution["trigger"]; readonly id?: string }): Execution {
  const { account, region, declaration } = record;
  const now = core.clock.now();
  const execution: Execution = {
    account, region, pipeline: declaration.name, id: id ?? core.random.uuid(),
    order: `${String(now.getTime()).padStart(15, "0")}-${String(store.executions.count([account, region, declaration.name])).padStart(9, "0")}`,
    status: "InProgress", started: now.toISOString(), updated: now.toISOString(), trigger, declaration, stageIndex: 0, inStage: false, stages: {}, artifacts: {}, variables: {}, revisions: [],
  };
  store.transaction(() => {
    store.executions.put([account, region, declaration.name, execution.id], execution);
    emitExecution(core, execution);
  });
  return execution;
}
