import type { Core } from "../gateway/service.ts";
import { taskArn } from "./arns.ts";
import type { Definition, Run, Task } from "./store.ts";

// Shapes of the details: guide, "Amazon EventBridge integration". Every detail carries omicsVersion, arn and status.

const SOURCE = "aws.omics";
const VERSION = { omicsVersion: "1.0.0" };

export function emitWorkflowStatus(core: Core, { place, arn, status }: Definition): void {
  core.emit({ ...place, source: SOURCE, detailType: "Workflow Status Change", resources: [arn], detail: { ...VERSION, arn, status } });
}

export function emitRunStatus(core: Core, run: Run): void {
  const { place, arn, status, uuid, id, name, runOutputUri, workflowId, workflowName } = run;
  core.emit({
    ...place,
    source: SOURCE,
    detailType: "Run Status Change",
    resources: [arn],
    detail: {
      ...VERSION,
      arn,
      status,
      uuid,
      runId: id,
      ...(name && { runName: name }),
      runOutputUri,
      workflowId,
      ...(workflowName && { workflowName }),
    },
  });
}

export function emitTaskStatus(core: Core, run: Run, task: Task): void {
  const arn = taskArn(run.place, task.taskId);
  core.emit({
    ...run.place,
    source: SOURCE,
    detailType: "Task Status Change",
    resources: [arn],
    detail: {
      ...VERSION,
      arn,
      status: task.status,
      runArn: run.arn,
      runUuid: run.uuid,
      runId: run.id,
      ...(run.name && { runName: run.name }),
      workflowId: run.workflowId,
      ...(run.workflowName && { workflowName: run.workflowName }),
    },
  });
}
