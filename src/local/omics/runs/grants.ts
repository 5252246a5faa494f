import { availableParallelism, totalmem } from "node:os";
import type { Containers, TaskGrant } from "../../engines/engine.ts";
import { answer, isAnswered } from "../../engines/run-folder.ts";
import { pullImage } from "../../engines/container-engine.ts";
import { serviceImage } from "../../engines/service-image.ts";
import { taskArn } from "../arns.ts";
import type { Omics } from "../omics.ts";
import { gibOf } from "../storage-sizes.ts";
import type { Run, RunImage, Task } from "../store.ts";
import { changeRun, keyOf } from "./find.ts";
import { foldersOf, ownerOf } from "./folders.ts";
import { readImage, type ReadableImage } from "./images.ts";
import { logRunEvent } from "./logs.ts";
import { fits, type Room } from "./machine.ts";
import { runPrincipal } from "./role.ts";
import { refusalOf, RunFailure } from "./run-failure.ts";
import { changeTask } from "./tasks.ts";

/**
 * Lets waiting tasks start, as far as the machine, the run, its group and the account have room for them.
 * Tasks of runs with a higher priority first, then the older request.
 */
export function grantTasks(omics: Omics): void {
  const { store, core } = omics;
  const active = store.tasks.find("active", "yes").flatMap(({ key, value: task }) => {
    const run = store.runs.get(key.slice(0, 3));
    return run === undefined ? [] : [{ run, task }];
  });
  const holding = active.filter(({ task }) => task.status !== "PENDING");
  const waiting = active.filter(({ run, task }) => task.status === "PENDING" && run.status === "RUNNING").sort(byPriority);
  const machine = { cpus: availableParallelism(), memoryBytes: totalmem() };
  for (const candidate of waiting) {
    const room: Room = { machine, holding, quotas: omics.quotas, groupOf: (run) => groupOf(omics, run) };
    if (!fits(candidate, room)) continue;
    const task = changeTask(omics, candidate.run, { taskId: candidate.task.taskId, status: "STARTING" });
    if (task === undefined) continue;
    holding.push({ run: candidate.run, task });
    logRunEvent(omics, candidate.run, { logMessage: "STARTING_TASK", message: `Task ${task.name} (${task.taskId})` });
    core.background(`omics task ${task.taskId}`, () => grant(omics, candidate.run, task));
  }
}

export interface RunTask {
  readonly run: Run;
  readonly task: Task;
}

const byPriority = (a: RunTask, b: RunTask): number =>
  (b.run.priority ?? 0) - (a.run.priority ?? 0) || (a.task.creationTime < b.task.creationTime ? -1 : 1);

const groupOf = ({ store }: Omics, { place, runGroupId }: Run) =>
  runGroupId === undefined ? undefined : store.runGroups.get([place.account, place.region, runGroupId]);

/** Tasks that were let start before the local accounts died and whose engine still waits for the word. */
export function repeatGrants(omics: Omics, run: Run): void {
  for (const { value: task } of omics.store.tasks.list(keyOf(run)))
    if (task.status === "STARTING" && !isAnswered(foldersOf(omics, run).engine, task.ask))
      omics.core.background(`omics task ${task.taskId}`, () => grant(omics, run, task));
}

async function grant(omics: Omics, run: Run, task: Task): Promise<void> {
  const { engine } = foldersOf(omics, run);
  try {
    checkInstance(omics, run, task);
    const image = task.image === undefined ? undefined : await imageOf(omics, run, task);
    if (image !== undefined) changeTask(omics, run, { taskId: task.taskId, imageDetails: detailsOf(image) });
    const granted = grantOf(omics, { run, task, image: image ?? (await ownImage(omics, run)) });
    if (granted.containers !== "host") omics.core.children.recordContainer(containerOf(run, { task, runtime: granted.containers }));
    answer(engine, task.ask, granted);
  } catch (error) {
    answer(engine, task.ask, refusalOf(error));
  }
}

/** The record of a task's container: the task runner names it after its request. */
export const containerOf = (run: Run, { task, runtime }: { readonly task: Pick<Task, "ask">; readonly runtime: string }) => ({
  owner: ownerOf(run),
  kind: "task",
  container: { runtime, name: `omx-${task.ask}` },
});

/** @throws RunFailure for a task that no instance of HealthOmics could hold */
function checkInstance({ quotas }: Omics, { place }: Run, { name, cpus, memoryBytes, gpus, accelerator, instanceType }: Task): void {
  if (gpus > quotas.activeGpus)
    throw new RunFailure(
      "INSTANCE_RESERVATION_FAILED",
      `Task ${name} asks for ${gpus} GPUs; the account can have ${quotas.activeGpus} at once`,
    );
  if (instanceType !== undefined) return;
  if (gpus > 0)
    throw new RunFailure(
      "UNSUPPORTED_GPU_INSTANCE_TYPE",
      `Task ${name} asks for ${gpus} of the accelerator ${accelerator ?? "(none named)"}, which no instance in ${place.region} has`,
    );
  throw new RunFailure(
    "INVALID_TASK_RESOURCE_VALUE",
    `Task ${name} asks for ${cpus} CPUs and ${gibOf(memoryBytes)} GiB, which no instance in ${place.region} has`,
  );
}

const detailsOf = ({ image, digest, sourceImage }: RunImage): NonNullable<Task["imageDetails"]> => ({
  image,
  imageDigest: digest,
  ...(sourceImage !== undefined && { sourceImage }),
});

/** Every task of a run that names an image gets the same bytes: the image is read once. */
async function imageOf(omics: Omics, run: Run, { image: source = "", gpus }: Task): Promise<RunImage> {
  const known = omics.store.runs.get(keyOf(run))?.images?.[source];
  if (known !== undefined) return known;
  const read = await readImage(omics, run, { source, role: runPrincipal(omics, run) });
  const { image, digest, sourceImage, bytes } = read;
  const most = gpus > 0 ? omics.quotas.gpuImageBytes : omics.quotas.imageBytes;
  if (bytes > most)
    throw new RunFailure("CANNOT_START_CONTAINER_SIZE_ERROR", `The image ${image} has ${bytes} bytes; ${most} are the most`);
  const found: RunImage = { image, digest, ...(sourceImage !== undefined && { sourceImage }), reference: await bring(omics, run, read) };
  const changed = changeRun(omics, keyOf(run), ({ images }) => ({ images: { [source]: found, ...images } }));
  return changed?.images?.[source] ?? found;
}

interface TokenAnswer {
  readonly authorizationData?: readonly { readonly authorizationToken?: string }[];
}

/**
 * Brings the image into the container engine from the local registry; on the host nothing is brought. That HealthOmics
 * may read it is settled: this is its way from one of our folders into another, under the registry's own account.
 */
async function bring(omics: Omics, run: Run, { ref, ecr, digest }: ReadableImage): Promise<string> {
  const host = new URL(omics.core.endpoint()).host;
  const reference = `${host}/${ecr.account}/${ecr.region}/${ref.repository}@${digest}`;
  const program = run.containers ?? "host";
  if (program === "host") return reference;
  const { authorizationData } = await omics.core.dispatcher.call<TokenAnswer>({
    service: "ecr",
    operation: "GetAuthorizationToken",
    input: {},
    as: { kind: "root", account: ecr.account },
    region: ecr.region,
  });
  try {
    await pullImage(omics.engines, { program, reference, authorization: authorizationData?.[0]?.authorizationToken ?? "" });
  } catch (error) {
    throw new RunFailure(
      "CANNOT_START_CONTAINER_ERROR",
      `The image could not be pulled: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  return reference;
}

/** For a task that names no image: the service's own, where tasks run in containers. */
async function ownImage(omics: Omics, { containers = "host" }: Run): Promise<TaskGrant["image"]> {
  if (containers === "host") return undefined;
  try {
    return { reference: await serviceImage(omics.engines, containers), digest: "" };
  } catch (error) {
    throw new RunFailure("CANNOT_START_CONTAINER_ERROR", error instanceof Error ? error.message : String(error));
  }
}

/** Guide, "Container images for private workflows". */
const SHARED_BYTES_OF_A_GPU = 8 * 1024 ** 3;

interface Granting {
  readonly run: Run;
  readonly task: Task;
  readonly image: TaskGrant["image"];
}

function grantOf(omics: Omics, { run, task, image }: Granting): TaskGrant {
  const containers: Containers = run.containers ?? "host";
  const { definition } = foldersOf(omics, run);
  return {
    containers,
    executable: containers,
    run: run.uuid,
    network: "none",
    cpus: Math.min(task.cpus, availableParallelism()),
    memoryBytes: task.memoryBytes,
    ...(task.gpus > 0 && { sharedMemoryBytes: task.gpus * SHARED_BYTES_OF_A_GPU }),
    environment: { ...workflowEnvironment(run, task), ...(containers === "host" && hostEnvironment(omics)) },
    mounts: [[definition, "/mnt/workflow"]],
    ...(image !== undefined && { image: { reference: image.reference, digest: image.digest } }),
  };
}

/** Variables of every task (guide, "Environment variables"): the sample there shows ARNs for RUN and TASK. */
const workflowEnvironment = (run: Run, task: Task): Readonly<Record<string, string>> => ({
  AWS_REGION: run.place.region,
  AWS_WORKFLOW_RUN: run.arn,
  AWS_WORKFLOW_RUN_ID: run.id,
  AWS_WORKFLOW_RUN_UUID: run.uuid,
  AWS_WORKFLOW_TASK: taskArn(run.place, task.taskId),
  AWS_WORKFLOW_TASK_ID: task.taskId,
  AWS_WORKFLOW_TASK_UUID: task.uuid,
});

/** On the host a task finds the machine's programs and nothing else of its environment: no key, no profile. */
const hostEnvironment = ({ core }: Omics): Readonly<Record<string, string>> => ({
  PATH: core.settings.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
  LANG: "C.UTF-8",
});
