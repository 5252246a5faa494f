import type { Clock } from "../../../kit/clock.ts";
import type { ImageRef } from "../../../kit/image-ref.ts";
import type { RequestContext } from "../../../oci/client/exchange.ts";
import type { RegistryClient } from "../../../oci/client/registry-client.ts";
import { RegistryError } from "../../../oci/errors.ts";
import { wantedDigest } from "./preview.ts";

/** What upstream says of a tag, or why nothing is known of it. */
export interface Upstream {
  readonly digest?: string;
  /** Whether it was asked just now. */
  readonly isNew?: true;
  /** Whether it was asked before, and not now. */
  readonly isKept?: true;
  /** Why nothing is known. */
  readonly unknown?: string;
}

export interface UpstreamOptions {
  readonly client: RegistryClient;
  readonly clock: Clock;
  /** What is known of tags upstream: it was asked a moment ago. @default - nothing is */
  readonly known?: (source: ImageRef) => string | undefined;
  /** An image whose tag upstream can't say anything of fails. @default false: ECR's cache decides, and the reason says so */
  readonly isFresh?: boolean;
  /** Registries that did not answer for one image, and why: they are not asked for the next. */
  readonly silent: Map<string, string>;
}

/** What the reason of an image's result has to say of how upstream was asked. */
export const remarks = ({ unknown, isKept }: Upstream): readonly string[] => [
  ...(unknown ? [`whether its tag has moved upstream is not known: ${unknown}`] : []),
  ...(isKept ? ["upstream was asked less than five minutes ago, --fresh asks again"] : []),
];

/** Time enough for a registry that answers. Where only ECR gets through to it, its cache has the image all the same. */
const PATIENCE_MS = 10_000;

/**
 * Asks upstream which digest it has under the tag of `source`.
 * @throws RegistryError where it does not say and `isFresh` asks for its word
 */
export async function askUpstream(
  source: ImageRef,
  { client, clock, known, isFresh, silent }: UpstreamOptions,
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
