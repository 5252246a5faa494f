import { ECRServiceException } from "@aws-sdk/client-ecr";
import type { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { isPassing } from "../../../aws/passing.ts";
import type { Clock } from "../../../kit/clock.ts";
import { type ImageRef, parseImageRef, referenceOf } from "../../../kit/image-ref.ts";
import { sourceRepository } from "../../../kit/registry-namespaces.ts";
import { InvalidValue } from "../../../kit/invalid-value.ts";
import { Gate } from "../../../oci/client/gate.ts";
import { copyImages, newTransfers, type Transfers } from "../../../oci/copy.ts";
import type { RegistryClient } from "../../../oci/client/registry-client.ts";
import { RegistryError } from "../../../oci/errors.ts";
import { InvalidManifest } from "../../../oci/manifest.ts";
import { ReleaseError } from "../../errors.ts";
import { exportedResult, failureOf } from "../after-build.ts";
import { watchDeadline } from "../overtime.ts";
import type { ImagePull } from "../plan.ts";
import { platformRemark } from "../platform-remark.ts";
import { presentBefore } from "../present.ts";
import { type Preview, previewCopy, wantedDigest } from "./preview.ts";
import { CacheRefusal, primeImage } from "./prime.ts";
import { openRepository } from "../repositories/repository.ts";
import { sizeOf } from "../size.ts";
import type { AfterBuild, ImageOutcome } from "../staging.ts";
import { REGISTRY_BUSY } from "../state-machines.ts";
import { targetClient } from "../target-client.ts";
import { type ImageWorkshop, workshopClient } from "../workshop.ts";

/** A workshop that has to end in time and knows who goes on. */
export interface PullWorkshop extends ImageWorkshop {
  /** Where the logs of builds are. */
  readonly logs: CloudWatchLogsClient;
  /** When to stop and hand over. @default - never */
  readonly deadline?: Date;
  /** An image of which more bytes are missing is handed over at once. @default - none is */
  readonly limitBytes?: number;
  /** Registries whose images ECR's pull-through cache brings. @default - none */
  readonly pullThrough?: readonly string[];
}

/** An error that the state machine tries again after a while. */
export class RegistryBusy extends Error {
  override readonly name = REGISTRY_BUSY;
}

/** A workshop at work: what its images share. */
interface OpenWorkshop extends PullWorkshop {
  readonly registries: RegistryClient;
  readonly transfers: Transfers;
}

/** An image to bring, and after a build what became of it. */
export type PullItem = ImagePull & AfterBuild;
type Pulled = ImageOutcome & Partial<ImagePull>;

/** With each come its manifests and connections. */
const IMAGES_AT_ONCE = 8;

/**
 * Brings images into the account's ECR as `pullImage` does each. A blob that several of them need comes from its source once.
 * @returns what became of each; the item itself where it is to be tried alone: its registry was busy, or time was over
 */
export async function pullTogether(
  workshop: PullWorkshop,
  items: readonly (PullItem | ImageOutcome)[],
): Promise<readonly (PullItem | Pulled)[]> {
  const { clock, deadline } = workshop;
  const gate = new Gate(IMAGES_AT_ONCE, clock);
  await using registries = workshopClient(workshop);
  const open: OpenWorkshop = { ...workshop, registries, transfers: newTransfers(clock) };
  const isOver = () => deadline !== undefined && clock.now() >= deadline;
  const one = async (item: PullItem): Promise<PullItem | Pulled> => {
    if (isOver()) return item;
    try {
      const pulled = await pullIn(open, item);
      workshop.say?.(`  ${pulled.status.padEnd(9)} ${item.source_uri} ${(pulled.seconds ?? 0).toFixed(1)} s: ${pulled.reason ?? ""}`);
      return pulled.status === "TOO_LARGE" && isOver() ? item : pulled;
    } catch (error) {
      if (error instanceof RegistryBusy) return item;
      throw error;
    }
  };
  // Awaited here: the client must not be closed before.
  return await Promise.all(items.map((item) => ("source" in item ? gate.pass(() => one(item)) : item)));
}

/**
 * Brings one image into the account's ECR, and leaves its repository readable for HealthOmics.
 * @returns SUCCEEDED, SKIPPED, or FAILED with a reason: the others go on; TOO_LARGE where a build has to do it
 * @throws RegistryBusy where a registry throttles or does not answer, after the client's own tries
 */
export async function pullImage(workshop: PullWorkshop, item: PullItem): Promise<Pulled> {
  await using registries = workshopClient(workshop);
  return await pullIn({ ...workshop, registries, transfers: newTransfers(workshop.clock) }, item);
}

async function pullIn(workshop: OpenWorkshop, item: PullItem): Promise<Pulled> {
  const { source_uri, source, target_image, referrers, build } = item;
  const about = { source_uri, target_image, ...(build && { build }) };
  if (item.status === "BUILD_FAILED") return { ...about, status: "FAILED", ...(await failureOf(workshop.logs, item.cause)) };
  const built = item.status === "BUILD_ENDED" ? exportedResult(item.exported) : undefined;
  const started = workshop.clock.now().getTime();
  try {
    const result = await pull(workshop, item, built !== undefined);
    const handedOver = result.status === "TOO_LARGE" && { source, ...(referrers && { referrers }) };
    return {
      ...about,
      ...handedOver,
      seconds: secondsSince(workshop.clock, started),
      ...result,
      ...(result.status === "SKIPPED" && built),
    };
  } catch (error) {
    return { ...about, status: "FAILED", seconds: secondsSince(workshop.clock, started), reason: reasonOf(error) };
  }
}

const secondsSince = (clock: Clock, startedMs: number): number => (clock.now().getTime() - startedMs) / 1000;

/** Why an image failed. @throws RegistryBusy for what passes; the error itself where the fault is not the image's */
function reasonOf(error: unknown): string {
  if (error instanceof RegistryError && error.passesSoon) throw new RegistryBusy(error.message);
  if (error instanceof RegistryError || error instanceof InvalidManifest || error instanceof InvalidValue) return error.message;
  // A registry whose name nobody knows says so itself.
  if (!(error instanceof RegistryError) && isPassing(error))
    throw new RegistryBusy(`ECR: ${(error as Error).name}: ${(error as Error).message}`);
  if (error instanceof ECRServiceException) return `${error.name}: ${error.message}`;
  if (error instanceof ReleaseError) return `${error.message}; ${error.fix}`;
  throw error;
}

type Result = Pick<ImageOutcome, "status" | "digest" | "size" | "bytes_moved" | "bytes_saved" | "reason">;

async function pull(workshop: OpenWorkshop, item: ImagePull, isBuilt: boolean): Promise<Result> {
  const source = parseImageRef(item.source);
  const target = parseImageRef(item.target_image);
  const { registries } = workshop;
  const isCovered = workshop.pullThrough?.includes(source.registry) ?? false;
  const primed = isCovered && !item.referrers ? await prime({ workshop, client: registries, source, target }) : undefined;
  if (primed && "status" in primed) return primed;
  const client = targetClient(registries, {
    ecr: workshop.ecr,
    place: workshop.place,
    repositories: workshop.repositories,
    sourceOf: () => sourceRepository(source),
    isCached: (repository) => isCovered && repository === target.repository,
  });
  const preview = await look({ workshop, client, source, target });
  if (!preview) return timeOver(isBuilt);
  const result = await bring({ workshop, client, source, target, referrers: item.referrers ?? false }, preview, isBuilt);
  if (result.status !== "SUCCEEDED" && result.status !== "SKIPPED") return result;
  await openRepository(workshop.ecr, target.repository, workshop.place);
  const size = await sizeOf(workshop.ecr, target, result.digest);
  const reason = primed ? `${result.reason}; ECR's pull-through cache does not bring it: ${primed.refusal}` : result.reason;
  return { ...result, size, ...(result.status === "SKIPPED" && { bytes_saved: size }), ...(reason && { reason }) };
}

/**
 * ECR makes the repository, by the template of the stack, and brings the bytes. When the function's time is over before
 * they are there, the answer says so: who reads the image waits for them in ECR.
 * @returns why, where the cache brings nothing: then the image is copied
 */
async function prime({ workshop, client, source, target }: Copying): Promise<Result | { readonly refusal: string }> {
  const overtime = watchDeadline(workshop.clock, workshop.deadline);
  const context = overtime ? { signal: overtime.signal } : {};
  try {
    const { digest, isNew, sizeBytes, reason } = await primeImage({
      source,
      target,
      client,
      present: presentBefore(workshop.ecr),
      wanted: () => wantedDigest(client.repository(source, context), source),
      context,
    });
    await openRepository(workshop.ecr, target.repository, workshop.place);
    return { status: isNew ? "SUCCEEDED" : "SKIPPED", digest, size: sizeBytes, bytes_moved: 0, bytes_saved: sizeBytes, reason };
  } catch (error) {
    if (error instanceof CacheRefusal && !error.failure.temporary) return { refusal: error.message };
    if (!overtime?.isOver()) throw error instanceof CacheRefusal ? error.failure : error;
    return await stillComing({ workshop, client, source, target });
  } finally {
    await overtime?.end();
  }
}

async function stillComing({ workshop, client, source, target }: Copying): Promise<Result> {
  const digest = await wantedDigest(client.repository(source), source);
  if (!(await client.repository(target).headManifest(digest)))
    return { status: "FAILED", reason: "the function's time was over before ECR's pull-through cache had the image's manifest" };
  await openRepository(workshop.ecr, target.repository, workshop.place);
  return {
    status: "SUCCEEDED",
    digest,
    bytes_moved: 0,
    reason: "ECR's pull-through cache is still bringing its layers; who reads one waits for it",
  };
}

/** What a copy would do; undefined where the function's time was over before a registry had said it. */
async function look({ workshop: { clock, deadline }, ...copying }: Copying): Promise<Preview | undefined> {
  const overtime = watchDeadline(clock, deadline);
  try {
    return await previewCopy({ ...copying, ...(overtime && { signal: overtime.signal }) });
  } catch (error) {
    if (!overtime?.isOver()) throw error;
    return undefined;
  } finally {
    await overtime?.end();
  }
}

/** A build has more time; after one, nobody has. */
const timeOver = (isBuilt: boolean): Result => ({ status: isBuilt ? "FAILED" : "TOO_LARGE", reason: "the function's time was over" });

const there = ({ digest }: Preview): Result => ({ status: "SKIPPED", digest, bytes_moved: 0, reason: "the target has the same digest" });

const tooLarge = ({ missingBytes }: Preview, limit: number): Result => ({
  status: "TOO_LARGE",
  reason: `${missingBytes} bytes are missing, a function is given up to ${Math.floor(limit)}`,
});

/** Copies an image, unless it is there or too large for a function. */
async function bring(copying: WholeCopying, preview: Preview, isBuilt: boolean): Promise<Result> {
  const { workshop, source, referrers } = copying;
  const limit = workshop.limitBytes;
  if (preview.present === preview.digest && !referrers) return there(preview);
  if (!isBuilt && limit !== undefined && preview.missingBytes > limit) return tooLarge(preview, limit);
  return await copy({ ...copying, source: { ...source, digest: preview.digest } }, isBuilt);
}

interface Copying {
  readonly workshop: OpenWorkshop;
  readonly client: RegistryClient;
  readonly source: ImageRef;
  readonly target: ImageRef;
}

interface WholeCopying extends Copying {
  /** Whether what refers to the image comes too. */
  readonly referrers: boolean;
}

async function copy(
  { workshop: { clock, deadline, transfers }, client, source, target, referrers }: WholeCopying,
  isBuilt: boolean,
): Promise<Result> {
  const overtime = watchDeadline(clock, deadline);
  const [copied] = await copyImages([{ source, target }], {
    sourceClient: client,
    targetClient: client,
    clock,
    referrers,
    transfers,
    remark: platformRemark,
    ...(overtime && { signal: overtime.signal }),
  });
  await overtime?.end();
  if (!copied) throw new Error(`${referenceOf(source)} was not copied`);
  const { status, digest, bytesMoved, bytesSaved, reason } = copied;
  const counted = { bytes_moved: bytesMoved, bytes_saved: bytesSaved };
  if (status !== "FAILED") return { status: status === "PULLED" ? "SUCCEEDED" : status, ...(digest && { digest }), ...counted, reason };
  if (overtime?.isOver() && !isBuilt) return { ...timeOver(isBuilt), ...counted };
  if (copied.isTemporary) throw new RegistryBusy(reason);
  return { status: "FAILED", ...counted, reason };
}
