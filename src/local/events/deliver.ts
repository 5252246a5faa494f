import { AwsError } from "../gateway/aws-error.ts";
import type { Core } from "../gateway/service.ts";
import type { Delivery, Store } from "./store.ts";
import { targetInput } from "./target-input.ts";
import { send } from "./targets.ts";

/** As AWS, unless the target says otherwise: 185 retries within 24 hours. */
const MOST_RETRIES = 185;
const LONGEST_AGE_SECONDS = 86_400;
const LONGEST_DELAY_MS = 900_000;

export interface DeliveryPlace {
  readonly core: Core;
  readonly store: Store;
  /** Key of the delivery. */
  readonly key: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Hands an event to a target, again and again while the target fails in a way that may pass. What is given up is told in the log,
 * as there is no dead-letter queue.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html
 */
export async function deliver(place: DeliveryPlace, delivery: Delivery): Promise<void> {
  const { core, store, key, signal } = place;
  for (let present = delivery; ;) {
    const waitMs = present.nextMs - core.clock.now().getTime();
    if (waitMs > 0) await core.clock.sleep(waitMs, signal);
    if (signal.aborted) return;
    const error = await attempt(core, present, key.join("/"));
    const next = error === undefined ? undefined : retryOf(core, present, error);
    if (next === undefined) {
      store.deliveries.delete(key);
      if (error !== undefined)
        core.log(
          "events",
          `event ${present.event.id} of rule ${present.rule.name} was not delivered to ${present.target.Arn}: ${error.message}`,
        );
      return;
    }
    store.deliveries.put(key, next);
    present = next;
  }
}

async function attempt(core: Core, { event, rule, target }: Delivery, id: string): Promise<Error | undefined> {
  try {
    const input = targetInput(target, event, { ruleArn: rule.arn, ruleName: rule.name });
    await send(core, { id, event, rule, target, input });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** The delivery with its next attempt; undefined when it is given up. */
function retryOf(core: Core, delivery: Delivery, error: Error): Delivery | undefined {
  const { MaximumRetryAttempts = MOST_RETRIES, MaximumEventAgeInSeconds = LONGEST_AGE_SECONDS } = delivery.target.RetryPolicy ?? {};
  const nextMs = core.clock.now().getTime() + Math.min(LONGEST_DELAY_MS, 1_000 * 2 ** delivery.attempts);
  const isTooLate = nextMs > delivery.firstMs + MaximumEventAgeInSeconds * 1_000;
  if (!mayPass(error) || delivery.attempts >= MaximumRetryAttempts || isTooLate) return undefined;
  return { ...delivery, attempts: delivery.attempts + 1, nextMs };
}

/** Missing permissions and missing targets do not pass by waiting; throttling and failures of the service may. */
const mayPass = (error: Error): boolean => {
  if (!(error instanceof AwsError) || error.status === 501) return false;
  return error.status >= 500 || /Thrott|TooManyRequests|LimitExceeded/.test(error.code);
};
