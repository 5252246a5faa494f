import { formatImageRef, type ImageRef } from "../../../kit/image-ref.ts";
import type { Clock } from "../../../kit/clock.ts";
import { Gate } from "../../../oci/client/gate.ts";
import type { RegistryClient } from "../../../oci/client/registry-client.ts";
import type { CopyResult, ImageCopy } from "../../../oci/copy.ts";
import { RegistryError } from "../../../oci/errors.ts";
import type { RequestContext } from "../../../oci/client/exchange.ts";
import { wantedDigest } from "./preview.ts";
import { CacheRefusal, primeImage } from "./prime.ts";

export interface PrimeOptions {
  readonly client: RegistryClient;
  readonly clock: Clock;
  /** What is known of tags upstream: it was asked a moment ago. @default - nothing is */
  readonly known?: (source: ImageRef) => string | undefined;
  /** An image whose tag upstream can't say anything of fails. @default false: ECR's cache decides, and the reason says so */
  readonly isFresh?: boolean;
  /** Whether an image is known to be in a repository with all its layers. @default - it is looked at */
  readonly isWhole?: (target: ImageRef, digest: string) => boolean;
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

interface PrimingAll extends PrimeOptions {
  /** Registries that did not answer for one image, and why: they are not asked for the next. */
  readonly silent: Map<string, string>;
}

async function primeOne({ source, target }: ImageCopy, options: PrimingAll): Promise<PrimeResult> {
  const { client, clock, isWhole } = options;
  let requests = 0;
  const startedAt = clock.now().getTime();
  const context = { onRequest: () => void (requests += 1) };
  const done = (ending: Pick<CopyResult, "status" | "reason"> & Partial<CopyResult>): CopyResult => ({
    source: formatImageRef(source),
    target: formatImageRef(target),
    bytesMoved: 0,
    bytesSaved: 0,
    requests,
    seconds: (clock.now().getTime() - startedAt) / 1000,
    ...ending,
  });
  let upstream: Upstream = {};
  const wanted = async () => (upstream = await askUpstream(source, options, context)).digest;
  try {
    const { digest, isNew, sizeBytes, reason } = await primeImage({
      source,
      target,
      client,
      wanted,
      ...(isWhole && { isWhole: (found: string) => isWhole(target, found) }),
      context,
    });
    const result = done({
      status: isNew ? "PULLED" : "SKIPPED",
      digest,
      bytesSaved: sizeBytes,
      reason: [reason, ...remarks(upstream)].join("; "),
    });
    return { result, ...(upstream.isNew && upstream.digest && { upstream: upstream.digest }) };
  } catch (error) {
    if (error instanceof CacheRefusal) return { refusal: error.message };
    return {
      result: done({
        status: "FAILED",
        reason: (error as Error).message,
        ...(error instanceof RegistryError && error.temporary && { isTemporary: true as const }),
      }),
    };
  }
}

interface Upstream {
  readonly digest?: string;
  /** Whether it was asked just now. */
  readonly isNew?: true;
  /** Whether it was asked before, and not now. */
  readonly isKept?: true;
  /** Why nothing is known. */
  readonly unknown?: string;
}

const remarks = ({ unknown, isKept }: Upstream): readonly string[] => [
  ...(unknown ? [`whether its tag has moved upstream is not known: ${unknown}`] : []),
  ...(isKept ? ["upstream was asked less than five minutes ago, --fresh asks again"] : []),
];

/** Time enough for a registry that answers. Where only ECR gets through to it, its cache has the image all the same. */
const PATIENCE_MS = 10_000;

async function askUpstream(
  source: ImageRef,
  { client, clock, known, isFresh, silent }: PrimingAll,
  context: RequestContext,
): Promise<Upstream> {
  const digest = known?.(source);
  if (digest !== undefined) return { digest, isKept: true };
  if (isFresh) return { digest: await wantedDigest(client.repository(source, context), source), isNew: true };
  const before = silent.get(source.registry);
  if (before !== undefined) return { unknown: before };
  try {
    return {
      digest: await within(clock, PATIENCE_MS, (signal) => wantedDigest(client.repository(source, { ...context, signal }), source)),
      isNew: true,
    };
  } catch (error) {
    const unknown = (error as Error).message;
    if (!(error instanceof RegistryError) || error.kind === "unreachable" || error.temporary) silent.set(source.registry, unknown);
    return { unknown };
  }
}

async function within<Value>(clock: Clock, ms: number, work: (signal: AbortSignal) => Promise<Value>): Promise<Value> {
  const [late, done] = [new AbortController(), new AbortController()];
  const timer = clock.sleep(ms, done.signal).then(
    () => late.abort(new Error(`it does not answer within ${ms / 1000} s`)),
    () => undefined,
  );
  try {
    return await work(late.signal);
  } finally {
    done.abort(new Error("done"));
    await timer;
  }
}
