import type { Core } from "../gateway/service.ts";
import { type ActionExecution, type Execution, pipelineArn, type StageStatus } from "./store.ts";

// https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html

const STATES: Readonly<Record<string, string>> = {
  InProgress: "STARTED",
  Succeeded: "SUCCEEDED",
  Failed: "FAILED",
  Stopped: "STOPPED",
  Stopping: "STOPPING",
  Superseded: "SUPERSEDED",
  Cancelled: "CANCELED",
  Abandoned: "ABANDONED",
};

const base = (
  core: Core,
  { account, region, pipeline, declaration, id, started }: Execution,
  detailType: string,
  detail: Readonly<Record<string, unknown>>,
): void =>
  core.emit({
    account,
    region,
    source: "aws.codepipeline",
    detailType,
    resources: [pipelineArn({ account, region }, pipeline)],
    detail: { pipeline, "execution-id": id, "start-time": started, version: declaration.version, ...detail },
  });

export const emitExecution = (core: Core, execution: Execution): void =>
  base(core, execution, "CodePipeline Pipeline Execution State Change", {
    state: STATES[execution.status],
    "execution-trigger": { "trigger-type": execution.trigger.triggerType, "trigger-detail": execution.trigger.triggerDetail },
  });

export const emitStage = (
  core: Core,
  execution: Execution,
  { stage, status }: { readonly stage: string; readonly status: StageStatus },
): void => base(core, execution, "CodePipeline Stage Execution State Change", { stage, state: STATES[status] });

export const emitAction = (core: Core, execution: Execution, action: ActionExecution): void => {
  const declared = execution.declaration.stages
    ?.find((stage) => stage.name === action.stage)
    ?.actions?.find((one) => one.name === action.action);
  base(core, execution, "CodePipeline Action Execution State Change", {
    stage: action.stage,
    action: action.action,
    "action-execution-id": action.id,
    state: STATES[action.status],
    region: action.region,
    type: declared?.actionTypeId,
    ...(action.externalId && {
      "execution-result": {
        "external-execution-id": action.externalId,
        ...(action.summary && { "external-execution-summary": action.summary }),
        ...(action.error && { "error-code": action.error.code }),
      },
    }),
  });
};
