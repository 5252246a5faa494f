import { formatImageRef } from "../kit/image-ref.ts";
import type { ImageRef } from "../kit/image-ref.ts";
import { systemClock } from "../kit/clock.ts";
import type { Clock } from "../kit/clock.ts";
import { Gate } from "./client/gate.ts";
import type { RegistryClient } from "./client/registry-client.ts";
import { BlobMover } from "./copy/blob-mover.ts";
import { copyImage } from "./copy/image-copier.ts";
import type { Copied, CopyTask, Remark } from "./copy/image-copier.ts";
import { copyReferrers, type Referrer } from "./copy/referrers.ts";
import { RegistryError } from "./errors.ts";
import { parsePlatform } from "./manifest.ts";

/** One image to bring from one registry to another. */
export interface ImageCopy {
  readonly source: ImageRef;
  readonly target: ImageRef;
}

export interface CopyOptions {
  readonly sourceClient: RegistryClient;
  readonly targetClient: RegistryClient;
  /** `all` keeps every platform of an index; `linux/amd64` takes that one out of it. @default "all" */
  readonly platform?: string;
  /** Signatures, SBOMs and attestations too. @default false */
  readonly referrers?: boolean;
  /** Images at a time, and blobs being sent at a time over all of them. @default 8 images, 4 blobs */
  readonly concurrency?: { readonly images?: number; readonly blobs?: number };
  /** Of several calls: what one brought, the others find. Their clients must be the same. @default - this call's own */
  readonly transfers?: Transfers;
  readonly onProgress?: (event: CopyEvent) => void;
  /**
   * What a user should know of an image, told with the reason of its result. Of one that is new, `from` has the configuration.
   * @default - nothing
   */
  readonly remark?: Remark;
  readonly clock?: Clock;
  /** Ends the run early: what is not done by then is FAILED. */
  readonly signal?: AbortSignal;
}

/** How one image fared. */
export interface CopyResult {
  readonly source: string;
  readonly target: string;
  /** What is in the target now; absent where the copy failed. */
  readonly digest?: string;
  readonly status: "PULLED" | "SKIPPED" | "FAILED";
  readonly bytesMoved: number;
  /** Bytes that were needed and did not have to be sent; those of an unchanged index are not known and count 0. */
  readonly bytesSaved: number;
  /** Requests to both registries, without those that only ask for a token. */
  readonly requests: number;
  readonly seconds: number;
  /** Why it was copied, skipped, or could not be. */
  readonly reason: string;
  /** Set where it failed and may succeed within minutes. */
  readonly isTemporary?: true;
}

export type CopyEvent =
  | { readonly type: "started"; readonly source: string; readonly target: string }
  | { readonly type: "bytes"; readonly source: string; readonly bytes: number }
  | { readonly type: "done"; readonly result: CopyResult };

/** Blobs on their way, and those that have come. */
export interface Transfers {
  readonly gate: Gate;
  /** By target registry: what one holds, another cannot mount. */
  readonly movers: Map<string, BlobMover>;
}

/** @param blobs how many are sent at a time, over all calls that share these */
export const newTransfers = (clock: Clock, blobs = 4): Transfers => ({ gate: new Gate(blobs, clock), movers: new Map() });

/**
 * Copies images from registry to registry, without a disk in between. Blobs that images share move once; one image's
 * failure leaves the others alone; a second call finds what the first did.
 * @returns one result for each image, in the order of the plan
 * @throws InvalidManifest for a `platform` that is none
 */
export async function copyImages(plan: readonly ImageCopy[], options: CopyOptions): Promise<readonly CopyResult[]> {
  const clock = options.clock ?? systemClock;
  const platform = options.platform === undefined || options.platform === "all" ? undefined : parsePlatform(options.platform);
  const images = new Gate(options.concurrency?.images ?? 8, clock);
  const run: Run = {
    options,
    clock,
    platform,
    transfers: options.transfers ?? newTransfers(clock, options.concurrency?.blobs),
  };
  const copies = new Map<string, Promise<CopyResult>>();
  return Promise.all(
    plan.map((image) => {
      const key = `${formatImageRef(image.source)} ${formatImageRef(image.target)}`;
      const copy = copies.get(key) ?? images.pass(() => copyOne(run, image));
      copies.set(key, copy);
      return copy;
    }),
  );
}

/**
 * Copies what refers to an image that the target has: signatures, SBOMs, attestations. What is there is not sent again.
 * @throws RegistryError, InvalidManifest
 */
export async function copyReferrersOf(
  image: ImageCopy,
  digest: string,
  options: Pick<CopyOptions, "sourceClient" | "targetClient" | "clock" | "transfers">,
): Promise<readonly Referrer[]> {
  const clock = options.clock ?? systemClock;
  const run: Run = { options, clock, platform: undefined, transfers: options.transfers ?? newTransfers(clock) };
  return copyReferrers(taskOf(run, image, { movedBytes: 0, savedBytes: 0, requests: 0 }), digest);
}

interface Run {
  readonly options: CopyOptions;
  readonly clock: Clock;
  readonly platform: CopyTask["platform"];
  readonly transfers: Transfers;
}

/** What is counted while an image is copied. */
interface Tally {
  movedBytes: number;
  savedBytes: number;
  requests: number;
}

async function copyOne(run: Run, image: ImageCopy): Promise<CopyResult> {
  const { clock, options } = run;
  const tally: Tally = { movedBytes: 0, savedBytes: 0, requests: 0 };
  const names = { source: formatImageRef(image.source), target: formatImageRef(image.target) };
  const startedAt = clock.now().getTime();
  options.onProgress?.({ type: "started", ...names });
  const ending = await tryToCopy(run, taskOf(run, image, tally));
  const seconds = (clock.now().getTime() - startedAt) / 1000;
  const { movedBytes, savedBytes, requests } = tally;
  const result: CopyResult = { ...names, ...ending, bytesMoved: movedBytes, bytesSaved: savedBytes, requests, seconds };
  options.onProgress?.({ type: "done", result });
  return result;
}

async function tryToCopy({ options }: Run, task: CopyTask): Promise<Pick<CopyResult, "digest" | "status" | "reason" | "isTemporary">> {
  try {
    options.signal?.throwIfAborted();
    const { digest, isNew, reason }: Copied = await copyImage(task);
    if (options.referrers) await copyReferrers(task, digest);
    return { digest, status: isNew ? "PULLED" : "SKIPPED", reason };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { status: "FAILED", reason, ...(error instanceof RegistryError && error.passesSoon ? { isTemporary: true as const } : {}) };
  }
}

function moverFor({ transfers: { gate, movers } }: Run, registry: string): BlobMover {
  const mover = movers.get(registry) ?? new BlobMover(gate);
  movers.set(registry, mover);
  return mover;
}

function taskOf(run: Run, { source, target }: ImageCopy, tally: Tally): CopyTask {
  const { options, platform } = run;
  const context = {
    onRequest: () => void (tally.requests += 1),
    ...(options.signal ? { signal: options.signal } : {}),
  };
  const name = formatImageRef(source);
  return {
    source,
    target,
    platform,
    mover: moverFor(run, target.registry),
    from: options.sourceClient.repository(source, context),
    to: options.targetClient.repository(target, context),
    remark: options.remark,
    count: ({ movedBytes, savedBytes }) => {
      tally.movedBytes += movedBytes;
      tally.savedBytes += savedBytes;
    },
    onBytes: options.onProgress && ((bytes) => options.onProgress?.({ type: "bytes", source: name, bytes })),
  };
}
