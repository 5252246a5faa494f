import { formatImageRef, type ImageRef } from "../../../kit/image-ref.ts";
import type { Clock } from "../../../kit/clock.ts";
import { Gate } from "../../../oci/client/gate.ts";
import type { CopyResult, ImageCopy } from "../../../oci/copy.ts";
import { RegistryError } from "../../../oci/errors.ts";
import type { RequestContext } from "../../../oci/client/exchange.ts";
import { askUpstream, remarks, type Upstream, type UpstreamOptions } from "./ask-upstream.ts";
import { CacheRefusal, primeImage, type Priming } from "./prime.ts";

export interface PrimeOptions extends Omit<UpstreamOptions, "silent"> {
  /** Whether an image is known to be in a repository with all its layers. @default - it is looked at */
  readonly isWhole?: (target: ImageRef, digest: string) => boolean;
  /** The digest that a repository has under a tag or digest before anything is brought. @default - unknown: what comes counts as new */
  readonly present?: Priming["present"];
  /** Images at a time. @default 8 */
  readonly concurrency?: number;
  readonly onDone?: (result: CopyResult) => void;
}

/** How ECR's cache did with one image: as a copy would, or why it brought nothing. */
export type PrimeResult =
  | { readonly result: CopyResult; /** What upstream has under the tag, where it was asked. */ readonly upstream?: string }
  | { readonly refusal: string };

/** Has ECR's pull-through cache bring images; no byte of them passes here. One image's failure leaves the others alone. */
export async function primeImages(plan: readonly ImageCopy[], options: PrimeOptions): Promise<readonly PrimeResult[]> {
  const gate = new Gate(options.concurrency ?? 8, options.clock);
  const silent = new Map<string, string>();
  return Promise.all(
    plan.map((image) =>
      gate.pass(async () => {
        const primed = await primeOne(image, { ...options, silent });
        if ("result" in primed) options.onDone?.(primed.result);
        return primed;
      }),
    ),
  );
}

type PrimingAll = PrimeOptions & UpstreamOptions;

async function primeOne(image: ImageCopy, options: PrimingAll): Promise<PrimeResult> {
  const { context, ended } = startTally(image, options.clock);
  try {
    const { upstream, ...ending } = await bring(image, options, context);
    return { result: ended(ending), ...(upstream.isNew && upstream.digest && { upstream: upstream.digest }) };
  } catch (error) {
    if (error instanceof CacheRefusal) return { refusal: error.message };
    const isTemporary = error instanceof RegistryError && error.temporary;
    return {
      result: ended({ status: "FAILED", reason: (error as Error).message, ...(isTemporary && { isTemporary: true as const }) }),
    };
  }
}

type Ending = Pick<CopyResult, "status" | "reason"> & Partial<CopyResult>;

/** Counts the requests for one image and the time it takes, for its result. */
function startTally({ source, target }: ImageCopy, clock: Clock) {
  let requests = 0;
  const startedAt = clock.now().getTime();
  const context: RequestContext = {
    onRequest: () => {
      requests += 1;
    },
  };
  const ended = (ending: Ending): CopyResult => ({
    source: formatImageRef(source),
    target: formatImageRef(target),
    bytesMoved: 0,
    bytesSaved: 0,
    requests,
    seconds: (clock.now().getTime() - startedAt) / 1000,
    ...ending,
  });
  return { context, ended };
}

/** Has the cache bring one image while upstream is asked what it means by the tag. */
async function bring(
  { source, target }: ImageCopy,
  options: PrimingAll,
  context: RequestContext,
): Promise<Ending & { readonly upstream: Upstream }> {
  const { client, isWhole, known, present } = options;
  const expected = source.digest ?? known?.(source);
  const isExpected = expected !== undefined && isWhole?.(target, expected) === true;
  let upstream: Upstream = {};
  const { digest, isNew, sizeBytes, reason } = await primeImage({
    source,
    target,
    client,
    wanted: async () => {
      upstream = await askUpstream(source, options, context);
      return upstream.digest;
    },
    // What is known to be there needs no look before.
    ...(present && !isExpected && { present }),
    ...(isWhole && { isWhole: (found: string) => isWhole(target, found) }),
    context,
  });
  return {
    status: isNew ? "PULLED" : "SKIPPED",
    digest,
    bytesSaved: sizeBytes,
    reason: [reason, ...remarks(upstream)].join("; "),
    upstream,
  };
}
