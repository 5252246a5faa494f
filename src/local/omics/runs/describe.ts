import type { GetRunResponse, GetRunTaskResponse, RunListItem, TaskListItem } from "../../../model/generated/types.ts";
import { gibOf } from "../storage-sizes.ts";
import type { Run, Task } from "../store.ts";
import { streamArn, streams } from "./logs.ts";

/** GetRun. `engineVersion` and `engineSettings` are Nextflow's alone; `scratchStorageMode` is there only if it was sent. */
export const describeRun = (run: Run): GetRunResponse => ({
  arn: run.arn,
  id: run.id,
  uuid: run.uuid,
  status: run.status,
  statusMessage: run.statusMessage,
  failureReason: run.failureReason,
  workflowId: run.workflowId,
  workflowType: "PRIVATE",
  workflowOwnerId: run.workflowOwnerId,
  workflowVersionName: run.workflowVersionName,
  workflowUuid: run.workflowUuid,
  runId: run.runId,
  roleArn: run.roleArn,
  name: run.name,
  runGroupId: run.runGroupId,
  priority: run.priority,
  digest: run.digest,
  parameters: run.parameters,
  storageType: run.storageType,
  storageCapacity: run.storageCapacity,
  outputUri: run.outputUri,
  runOutputUri: run.runOutputUri,
  logLevel: run.logLevel,
  resourceDigests: run.resourceDigests ?? {},
  startedBy: run.startedBy,
  creationTime: run.creationTime,
  startTime: run.startTime,
  stopTime: run.stopTime,
  tags: run.tags,
  accelerators: run.accelerators,
  retentionMode: run.retentionMode ?? "RETAIN",
  networkingMode: run.networkingMode,
  scratchStorageMode: run.scratchStorageMode,
  sessionPolicy: run.sessionPolicy,
  engineSettings: run.engineSettings,
  engineVersion: run.engineVersion,
  ...(run.logLevel !== "OFF" && {
    logLocation: { runLogStream: streamArn(run, streams.run(run)), engineLogStream: streamArn(run, streams.engine(run)) },
  }),
});

export const runItem = (run: Run): RunListItem => ({
  arn: run.arn,
  id: run.id,
  status: run.status,
  workflowId: run.workflowId,
  workflowVersionName: run.workflowVersionName,
  workflowName: run.workflowName,
  name: run.name,
  priority: run.priority,
  storageType: run.storageType,
  storageCapacity: run.storageCapacity,
  creationTime: run.creationTime,
  startTime: run.startTime,
  stopTime: run.stopTime,
});

const taskNumbers = (task: Task) => ({
  taskId: task.taskId,
  uuid: task.uuid,
  status: task.status,
  name: task.name,
  cpus: task.cpus,
  memory: gibOf(task.memoryBytes),
  gpus: task.gpus,
  instanceType: task.instanceType,
  creationTime: task.creationTime,
  startTime: task.startTime,
  stopTime: task.stopTime,
});

export const taskItem = (task: Task): TaskListItem => taskNumbers(task);

export const describeTask = (run: Run, task: Task): GetRunTaskResponse => ({
  ...taskNumbers(task),
  statusMessage: task.statusMessage,
  failureReason: task.failureReason,
  imageDetails: task.imageDetails,
  ...(run.logLevel !== "OFF" && { logStream: streamArn(run, streams.task(run, task.taskId)) }),
});
