import { formatImageRef, type ImageRef } from "../../kit/image-ref.ts";
import type { Clock } from "../../kit/clock.ts";
import { Gate } from "../../oci/client/gate.ts";
import type { RegistryClient } from "../../oci/client/registry-client.ts";
import type { CopyResult, ImageCopy } from "../../oci/copy.ts";
import { RegistryError } from "../../oci/errors.ts";
import { CacheRefusal, primeImage } from "./prime.ts";

export interface PrimeOptions {
  readonly client: RegistryClient;
  readonly clock: Clock;
  /** Asks upstream what tags mean now. @default false */
  readonly isFresh?: boolean;
  /** Whether an image is known to be in a repository with all its layers. @default - it is looked at */
  readonly isWhole?: (target: ImageRef, digest: string) => boolean;
  /** Images at a time. @default 8 */
  readonly concurrency?: number;
  readonly onDone?: (result: CopyResult) => void;
}

/** How ECR's cache did with one image: as a copy would, or why it brought nothing. */
export type PrimeResult = { readonly result: CopyResult } | { readonly refusal: string };

/** Has ECR's pull-through cache bring images; no byte of them passes here. One image's failure leaves the others alone. */
export async function primeImages(plan: readonly ImageCopy[], options: PrimeOptions): Promise<readonly PrimeResult[]> {
  const gate = new Gate(options.concurrency ?? 8, options.clock);
  return Promise.all(plan.map((image) => gate.pass(async () => {
    const primed = await primeOne(image, options);
    if ("result" in primed) options.onDone?.(primed.result);
    return primed;
  })));
}

async function primeOne({ source, target }: ImageCopy, { client, clock, isFresh = false, isWhole }: PrimeOptions): Promise<PrimeResult> {
  let requests = 0;
  const startedAt = clock.now().getTime();
  const done = (ending: Pick<CopyResult, "status" | "reason"> & Partial<CopyResult>): PrimeResult => ({
    result: { source: formatImageRef(source), target: formatImageRef(target), bytesMoved: 0, bytesSaved: 0, requests, seconds: (clock.now().getTime() - startedAt) / 1000, ...ending },
  });
  try {
    const { digest, isNew, sizeBytes, reason } = await primeImage({
      source, target, client, isFresh, ...(isWhole && { isWhole: (found: string) => isWhole(target, found) }), context: { onRequest: () => void (requests += 1) },
    });
    return done({ status: isNew ? "PULLED" : "SKIPPED", digest, bytesSaved: sizeBytes, reason });
  } catch (error) {
    if (error instanceof CacheRefusal) return { refusal: error.message };
    return done({ status: "FAILED", reason: (error as Error).message, ...(error instanceof RegistryError && error.temporary && { isTemporary: true as const }) });
  }
}
