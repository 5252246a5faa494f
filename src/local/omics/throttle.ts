import type { Clock } from "../../kit/clock.ts";
import type { AnyOperation, Call } from "../gateway/service.ts";
import { throttled } from "./errors.ts";

/** Requests a second of an account and region (guide, "API quotas"; StartRun has 1 there and 5 in "Service quotas"). */
const RATES: Readonly<Record<string, number>> = { StartRun: 5, CreateWorkflow: 5, StartRunBatch: 1 };
const TAG_RATE = 5;
const SHARE_RATE = 1;
const OTHER_RATE = 10;

function rateOf(operation: string): number {
  if (operation.includes("Tag") || operation === "UntagResource") return TAG_RATE;
  if (operation.includes("Share")) return SHARE_RATE;
  return RATES[operation] ?? OTHER_RATE;
}

interface Bucket {
  readonly tokens: number;
  readonly atMs: number;
}

/** The operations, each held to its rate: a bucket that holds one second's requests and fills again evenly. */
export function throttle(operations: Readonly<Record<string, AnyOperation>>, clock: Clock): Readonly<Record<string, AnyOperation>> {
  const buckets = new Map<string, Bucket>();

  function take(operation: string, { account, region }: Call): void {
    const rate = rateOf(operation);
    const key = `${account}/${region}/${operation}`;
    const atMs = clock.now().getTime();
    const before = buckets.get(key) ?? { tokens: rate, atMs };
    const tokens = Math.min(rate, before.tokens + ((atMs - before.atMs) / 1000) * rate);
    buckets.set(key, { tokens: Math.max(0, tokens - 1), atMs });
    if (tokens < 1) throw throttled();
  }

  const held = (name: string, operation: AnyOperation): AnyOperation => ({
    access(input, call) {
      take(name, call);
      return operation.access(input, call);
    },
    run: (input, call) => operation.run(input, call),
  });
  return Object.fromEntries(Object.entries(operations).map(([name, operation]) => [name, held(name, operation)]));
}
