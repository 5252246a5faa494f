import type { ActionExecutionDetail, PipelineDeclaration, PipelineExecution, PipelineExecutionSummary } from "@aws-sdk/client-codepipeline";
import type { ActionExecution, ArtifactLocation, Execution } from "./store.ts";

/** An execution as GetPipelineExecution gives it. */
export const describeExecution = (execution: Execution): PipelineExecution => ({
  pipelineName: execution.pipeline,
  pipelineVersion: execution.declaration.version,
  pipelineExecutionId: execution.id,
  status: execution.status,
  ...(execution.statusSummary && { statusSummary: execution.statusSummary }),
  trigger: execution.trigger as never,
  executionMode: execution.declaration.executionMode ?? "SUPERSEDED",
  variables: Object.entries(execution.variables["variables"] ?? {}).map(([name, resolvedValue]) => ({ name, resolvedValue })),
  artifactRevisions: execution.revisions.map(({ actionName, revisionId, revisionSummary, revisionUrl }) => ({
    name: actionName,
    revisionId,
    revisionSummary,
    revisionUrl,
  })),
});

/** An execution as ListPipelineExecutions gives it. */
export const describeSummary = (execution: Execution): PipelineExecutionSummary => ({
  pipelineExecutionId: execution.id,
  status: execution.status,
  startTime: new Date(execution.started),
  lastUpdateTime: new Date(execution.updated),
  ...(execution.statusSummary && { statusSummary: execution.statusSummary }),
  trigger: execution.trigger as never,
  executionMode: execution.declaration.executionMode ?? "SUPERSEDED",
  sourceRevisions: execution.revisions.map(({ actionName, revisionId, revisionSummary, revisionUrl }) => ({
    actionName,
    revisionId,
    revisionSummary,
    revisionUrl,
  })),
  ...(execution.stopRequested && { stopTrigger: { reason: execution.stopRequested.reason } }),
});

/** An attempt at an action as ListActionExecutions gives it. */
export function describeAction(action: ActionExecution, declaration: PipelineDeclaration): ActionExecutionDetail {
  const declared = declaration.stages?.find((stage) => stage.name === action.stage)?.actions?.find((one) => one.name === action.action);
  const artifact = ({ name, bucket, key }: ArtifactLocation) => ({ name, s3location: { bucket, key } });
  return {
    pipelineExecutionId: action.executionId,
    actionExecutionId: action.id,
    pipelineVersion: declaration.version,
    stageName: action.stage,
    actionName: action.action,
    startTime: new Date(action.started),
    lastUpdateTime: new Date(action.updated),
    status: action.status,
    ...(action.updatedBy && { updatedBy: action.updatedBy }),
    input: {
      ...(declared?.actionTypeId && { actionTypeId: declared.actionTypeId }),
      configuration: declared?.configuration ?? {},
      resolvedConfiguration: action.configuration,
      region: action.region,
      inputArtifacts: action.inputs.map(artifact),
      ...(declared?.namespace && { namespace: declared.namespace }),
      ...(declared?.roleArn && { roleArn: declared.roleArn }),
    },
    output: {
      outputArtifacts: action.status === "Succeeded" ? action.outputs.map(artifact) : [],
      executionResult: {
        ...(action.externalId && { externalExecutionId: action.externalId }),
        ...(action.externalUrl && { externalExecutionUrl: action.externalUrl }),
        ...(action.summary && { externalExecutionSummary: action.summary }),
        ...(action.error && { errorDetails: action.error }),
      },
      outputVariables: action.variables ?? {},
    },
  };
}
