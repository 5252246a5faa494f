import type { ActionState, GetPipelineStateInput, GetPipelineStateOutput, StageState } from "@aws-sdk/client-codepipeline";
import { operation } from "../gateway/service.ts";
import { attemptsOf, executionsOf, findPipeline, on } from "./service-parts.ts";
import type { ActionExecution, Execution, PipelineRecord, Store } from "./store.ts";

/** GetPipelineState: what each stage and action last did, and the token of an approval that waits. */
export function stateOperations(store: Store) {
  return {
    GetPipelineState: operation<GetPipelineStateInput, GetPipelineStateOutput>({
      access: (input, call) => on("GetPipelineState", call, input.name),
      run(input, call) {
        const record = findPipeline(store, call, input.name);
        const { declaration } = record;
        const executions = executionsOf(store, call, declaration.name);
        const actions = attemptsOf(store, call, declaration.name);
        return {
          pipelineName: declaration.name,
          pipelineVersion: declaration.version,
          created: new Date(record.created),
          updated: new Date(record.updated),
          stageStates: (declaration.stages ?? []).map((stage, index) =>
            describeStage({ record, executions, actions, name: stage.name ?? "", index }),
          ),
        };
      },
    }),
  };
}

interface StageParts {
  readonly record: PipelineRecord;
  /** Latest first. */
  readonly executions: readonly Execution[];
  readonly actions: readonly ActionExecution[];
  readonly name: string;
  readonly index: number;
}

function describeStage({ record, executions, actions, name, index }: StageParts): StageState {
  const latest = executions.find((execution) => execution.stages[name] !== undefined);
  const waiting = executions
    .filter((execution) => execution.status === "InProgress" && execution.stageIndex === index && !execution.inStage)
    .reverse();
  const disabled = record.disabled[name];
  const declared = record.declaration.stages?.[index]?.actions ?? [];
  const isRetried = latest?.retried?.includes(name) === true;
  return {
    stageName: name,
    ...(isRetried && { retryStageMetadata: { autoStageRetryAttempt: 1, latestRetryTrigger: "AutomatedStageRetry" as const } }),
    inboundTransitionState: disabled
      ? { enabled: false, disabledReason: disabled.reason, lastChangedBy: disabled.by, lastChangedAt: new Date(disabled.at) }
      : { enabled: true },
    ...(waiting[0] && {
      inboundExecution: { pipelineExecutionId: waiting[0].id, status: "InProgress" as const },
      inboundExecutions: waiting.map((execution) => ({ pipelineExecutionId: execution.id, status: "InProgress" as const })),
    }),
    ...(latest && { latestExecution: { pipelineExecutionId: latest.id, status: latest.stages[name] as never } }),
    actionStates: declared.map(({ name: action = "" }) =>
      describeActionState(
        action,
        actions.find((one) => one.stage === name && one.action === action),
      ),
    ),
  };
}

function describeActionState(actionName: string, action: ActionExecution | undefined): ActionState {
  if (!action) return { actionName };
  return {
    actionName,
    latestExecution: {
      actionExecutionId: action.id,
      status: action.status,
      lastStatusChange: new Date(action.updated),
      ...(action.summary && { summary: action.summary }),
      ...(action.updatedBy && { lastUpdatedBy: action.updatedBy }),
      ...(action.externalId && { externalExecutionId: action.externalId }),
      ...(action.externalUrl && { externalExecutionUrl: action.externalUrl }),
      ...(action.token && action.status === "InProgress" && { token: action.token }),
      ...(action.error && { errorDetails: action.error }),
    },
  };
}
