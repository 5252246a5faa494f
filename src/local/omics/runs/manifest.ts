import { runGroupArn, taskArn, versionArn, workflowArn } from "../arns.ts";
import type { Omics } from "../omics.ts";
import { gibOf } from "../storage-sizes.ts";
import type { Run, Task } from "../store.ts";
import { keyOf } from "./find.ts";
import { appendLog, streams } from "./logs.ts";

/**
 * Writes the run's manifest: one JSON document an event, the run first, then its tasks. Members: guide, "Information
 * about runs", and what aws-healthomics-tools reads.
 */
export function writeManifest(omics: Omics, run: Run): void {
  const tasks = omics.store.tasks.list(keyOf(run)).map(({ value }) => value);
  const lines = [runRecord(run), ...tasks.map((task) => taskRecord(run, task))].map((record) => JSON.stringify(record));
  appendLog(omics, run, { stream: streams.manifest(run), lines });
}

const runRecord = (run: Run): object => ({
  arn: run.arn,
  uuid: run.uuid,
  creationTime: run.creationTime,
  startTime: run.startTime,
  stopTime: run.stopTime,
  status: run.status,
  name: run.name,
  engine: run.engine,
  main: run.main,
  digest: run.digest,
  parameters: run.parameters,
  resourceDigests: run.resourceDigests ?? {},
  roleArn: run.roleArn,
  startedBy: run.startedBy,
  outputUri: run.outputUri,
  storageType: run.storageType,
  storageCapacity: run.storageCapacity,
  priority: run.priority,
  logLevel: run.logLevel,
  retentionMode: run.retentionMode,
  workflow: workflowArn(run.place, run.workflowId),
  workflowType: "PRIVATE",
  workflowVersion: run.workflowVersionName && versionArn(run.place, run.workflowId, run.workflowVersionName),
  workflowOwnerId: run.workflowOwnerId,
  run: run.runId && `arn:aws:omics:${run.place.region}:${run.place.account}:run/${run.runId}`,
  runGroup: run.runGroupId && runGroupArn(run.place, run.runGroupId),
  failureReason: run.failureReason,
  engineVersion: run.engineVersion,
  // Not HealthOmics's: where the tasks of this run ran.
  "omx:local:containers": run.containers,
  // Without them aws-healthomics-tools leaves the run out of its sums.
  metrics: {
    ...(run.storageCapacity !== undefined && {
      [run.storageType === "STATIC" ? "storageReservedGiB" : "storageMaximumGiB"]: run.storageCapacity,
    }),
    ...runningSeconds(run),
  },
});

// The guide's sample of a finished task says SUCCESS; the tools that AWS publishes look for the API's COMPLETED.
const taskRecord = (run: Run, task: Task): object => ({
  arn: taskArn(run.place, task.taskId),
  uuid: task.uuid,
  run: run.arn,
  name: task.name,
  status: task.status,
  cpus: task.cpus,
  memory: gibOf(task.memoryBytes),
  gpus: task.gpus,
  instanceType: task.instanceType,
  image: task.imageDetails?.image,
  imageDigest: task.imageDetails?.imageDigest,
  creationTime: task.creationTime,
  startTime: task.startTime,
  stopTime: task.stopTime,
  failureReason: task.failureReason,
  metrics: {
    cpusReserved: task.cpus,
    memoryReservedGiB: gibOf(task.memoryBytes),
    gpusReserved: task.gpus,
    ...(task.peakMemoryBytes !== undefined && { memoryMaximumGiB: task.peakMemoryBytes / 1024 ** 3 }),
    ...runningSeconds(task),
  },
});

const runningSeconds = ({ startTime, stopTime }: Pick<Task, "startTime" | "stopTime">): { readonly runningSeconds?: number } =>
  startTime === undefined || stopTime === undefined ? {} : { runningSeconds: (Date.parse(stopTime) - Date.parse(startTime)) / 1000 };
