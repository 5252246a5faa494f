import type { PipelineVariable } from "@aws-sdk/client-codepipeline";
import type { Core } from "../gateway/service.ts";
import { resolveVariables } from "./pipeline-variables.ts";
import { emitExecution } from "./state-events.ts";
import type { Execution, PipelineRecord, Store } from "./store.ts";

/** What an execution begins with. */
export interface Start {
  readonly record: PipelineRecord;
  readonly trigger: Execution["trigger"];
  readonly id?: string;
  readonly variables?: readonly PipelineVariable[] | undefined;
  /** Commits to build instead of the newest ones, by source action. */
  readonly revisions?: Readonly<Record<string, string>>;
}

/** Makes an execution; the engine moves it. @throws AwsError ValidationException for its variables */
export function startExecution(core: Core, store: Store, { record, trigger, id, variables, revisions }: Start): Execution {
  const { account, region, declaration } = record;
  const now = core.clock.now();
  const execution: Execution = {
    account,
    region,
    pipeline: declaration.name,
    id: id ?? core.random.uuid(),
    order: `${String(now.getTime()).padStart(15, "0")}-${String(store.executions.count([account, region, declaration.name])).padStart(9, "0")}`,
    status: "InProgress",
    started: now.toISOString(),
    updated: now.toISOString(),
    trigger,
    declaration,
    stageIndex: 0,
    inStage: false,
    stages: {},
    artifacts: {},
    revisions: [],
    variables: { variables: resolveVariables(declaration, variables) },
    ...(revisions && { requestedRevisions: revisions }),
  };
  store.transaction(() => {
    store.executions.put([account, region, declaration.name, execution.id], execution);
    emitExecution(core, execution);
  });
  return execution;
}
