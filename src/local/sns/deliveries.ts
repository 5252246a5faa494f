import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { type AccountId, parseAccountId } from "../../kit/account-id.ts";
import { AwsError } from "../gateway/aws-error.ts";
import type { Core } from "../gateway/service.ts";
import { type Delivery, type SnsStore, subscriptionArn } from "./store.ts";

const MOST_ATTEMPTS = 5;
const FIRST_WAIT_MS = 1000;
const FINAL = new Set(["AccessDenied", "AccessDeniedException", "ResourceNotFoundException", "NotImplemented", "InvalidParameter"]);

/** Where e-mails are, one file each. */
export const outboxFolder = (core: Core): string => join(core.dataDir, "work", "sns", "outbox");

/**
 * A function that sets off the delivery of everything that waits. It may be called at any time; one worker runs.
 * A delivery is forgotten after it succeeded, so that a kill in between repeats it and loses nothing.
 */
export function createDeliverer(core: Core, store: SnsStore): () => void {
  let wake: AbortController | undefined;
  async function work(signal: AbortSignal): Promise<void> {
    for (;;) {
      const next = earliest(store);
      if (!next || signal.aborted) {
        wake = undefined;
        return;
      }
      const waitMs = Date.parse(next.due) - core.clock.now().getTime();
      if (waitMs <= 0) {
        await deliverOne(core, store, next);
        continue;
      }
      // A new message ends the wait for one that is to be tried again.
      const woken = (wake = new AbortController());
      await core.clock.sleep(waitMs, AbortSignal.any([signal, woken.signal])).catch(() => undefined);
    }
  }
  return () => {
    if (wake) return wake.abort();
    wake = new AbortController();
    core.background("sns deliveries", work);
  };
}

function earliest(store: SnsStore): Delivery | undefined {
  const waiting = store.deliveries.list([]).map(({ value }) => value);
  return waiting.reduce<Delivery | undefined>((first, one) => (first && first.due <= one.due ? first : one), undefined);
}

const keyOf = ({ published, messageId, subscription }: Delivery): readonly string[] => [published, messageId, subscription.id];

async function deliverOne(core: Core, store: SnsStore, delivery: Delivery): Promise<void> {
  try {
    if (delivery.subscription.protocol === "lambda") await invoke(core, delivery);
    else writeEmail(core, delivery);
    store.deliveries.delete(keyOf(delivery));
  } catch (error) {
    putOff(core, store, { delivery, error: error instanceof Error ? error : new Error(String(error)) });
  }
}

function putOff(core: Core, store: SnsStore, { delivery, error }: { readonly delivery: Delivery; readonly error: Error }): void {
  const attempts = delivery.attempts + 1;
  const what = `message ${delivery.messageId} to ${delivery.subscription.endpoint}`;
  if (attempts >= MOST_ATTEMPTS || (error instanceof AwsError && FINAL.has(error.code))) {
    core.log("sns", `${what} was given up after ${attempts} attempts: ${error.message}`);
    store.deliveries.delete(keyOf(delivery));
    return;
  }
  const due = new Date(core.clock.now().getTime() + FIRST_WAIT_MS * 2 ** delivery.attempts).toISOString();
  store.deliveries.put(keyOf(delivery), { ...delivery, attempts, due });
}

async function invoke(core: Core, delivery: Delivery): Promise<void> {
  const { subscription } = delivery;
  const [, , , region = "", account = ""] = subscription.endpoint.split(":");
  await core.dispatcher.call({
    service: "lambda",
    operation: "Invoke",
    account,
    region,
    input: { FunctionName: subscription.endpoint, InvocationType: "Event", Payload: Buffer.from(JSON.stringify(eventOf(delivery))) },
    as: {
      kind: "service",
      service: "sns.amazonaws.com",
      sourceAccount: accountOf(subscription.topicArn),
      sourceArn: subscription.topicArn,
    },
  });
}

const accountOf = (arn: string): AccountId => parseAccountId(arn.split(":")[4] ?? "");

// https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
const eventOf = (delivery: Delivery) => ({
  Records: [
    {
      EventSource: "aws:sns",
      EventVersion: "1.0",
      EventSubscriptionArn: subscriptionArn(delivery.subscription),
      Sns: notificationOf(delivery),
    },
  ],
});

const notificationOf = ({ messageId, subscription, subject, message, attributes, published }: Delivery) => ({
  Type: "Notification",
  MessageId: messageId,
  TopicArn: subscription.topicArn,
  Subject: subject ?? null,
  Message: message,
  Timestamp: published,
  SignatureVersion: "1",
  Signature: "not signed: local accounts",
  SigningCertUrl: "",
  UnsubscribeUrl: "",
  MessageAttributes: attributes,
});

function writeEmail(core: Core, delivery: Delivery): void {
  const folder = outboxFolder(core);
  mkdirSync(folder, { recursive: true });
  const { messageId, subscription, published } = delivery;
  const subject = delivery.subject ?? "AWS Notification Message";
  const body = subscription.protocol === "email-json" ? JSON.stringify(notificationOf(delivery), null, 2) : delivery.message;
  const text = [
    "From: AWS Notifications <no-reply@sns.amazonaws.com>",
    `To: ${subscription.endpoint}`,
    `Date: ${new Date(published).toUTCString()}`,
    `Subject: ${subject}`,
    `Message-ID: <${messageId}@sns.amazonaws.com>`,
    `X-Amz-Sns-Topic-Arn: ${subscription.topicArn}`,
    "Content-Type: text/plain; charset=utf-8",
    "",
    body,
    "",
  ].join("\n");
  // Written aside and renamed, so that whoever watches the folder sees whole files; the same name for the same delivery.
  const name = `${published.replace(/[:.]/g, "-")}-${messageId}-${subscription.id}.eml`;
  const draft = join(core.dataDir, "work", "sns", name);
  writeFileSync(draft, text);
  renameSync(draft, join(folder, name));
  core.log("sns", `e-mail to ${subscription.endpoint}: "${subject}" (${join(folder, name)})`);
}
