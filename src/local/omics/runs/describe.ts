import type { GetRunResponse, GetRunTaskResponse, RunListItem, TaskListItem } from "../../../model/generated/types.ts";
import { gibOf } from "../storage-sizes.ts";
import type { Run, Task } from "../store.ts";
import { streamArn, streams } from "./logs.ts";

const times = ({ creationTime, startTime, stopTime }: Run | Task) => ({ creationTime, startTime, stopTime });

const workflowOf = ({ workflowId, workflowOwnerId, workflowVersionName, workflowUuid }: Run) => ({
  workflowId,
  workflowOwnerId,
  workflowVersionName,
  workflowUuid,
  workflowType: "PRIVATE" as const,
});

/** GetRun. `engineVersion` and `engineSettings` are Nextflow's alone; `scratchStorageMode` is there only if it was sent. */
export const describeRun = (run: Run, { definition }: { readonly definition?: string } = {}): GetRunResponse => ({
  arn: run.arn,
  id: run.id,
  uuid: run.uuid,
  status: run.status,
  statusMessage: run.statusMessage,
  failureReason: run.failureReason,
  ...workflowOf(run),
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
  ...times(run),
  tags: run.tags,
  accelerators: run.accelerators,
  retentionMode: run.retentionMode ?? "RETAIN",
  networkingMode: run.networkingMode,
  scratchStorageMode: run.scratchStorageMode,
  sessionPolicy: run.sessionPolicy,
  outputUriPrefixMode: run.outputUriPrefixMode,
  engineSettings: run.engineSettings,
  engineVersion: run.engineVersion,
  ...(definition !== undefined && { definition }),
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
  ...times(run),
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
  ...times(task),
});

export const taskItem = (task: Task): TaskListItem => taskNumbers(task);

export const describeTask = (run: Run, task: Task): GetRunTaskResponse => ({
  ...taskNumbers(task),
  statusMessage: task.statusMessage,
  failureReason: task.failureReason,
  imageDetails: task.imageDetails,
  ...(run.logLevel !== "OFF" && { logStream: streamArn(run, streams.task(run, task.taskId)) }),
});
