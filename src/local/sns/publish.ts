import type { MessageAttributeValue, PublishBatchInput, PublishBatchResponse, PublishInput, PublishResponse } from "@aws-sdk/client-sns";

import { AwsError } from "../gateway/aws-error.ts";
import { type AnyOperation, type Call, operation } from "../gateway/service.ts";
import { emptyBatch, idsNotDistinct, invalidParameter, tooManyEntries } from "./errors.ts";
import { findTopic, onTopic, type Sns } from "./topic-access.ts";
import type { Delivery, MessageAttribute, Protocol } from "./store.ts";

const MOST_BYTES = 262_144;
const MOST_ENTRIES = 10;

type Entry = Pick<PublishInput, "Message" | "Subject" | "MessageStructure" | "MessageAttributes">;

const publish = (sns: Sns) =>
  operation<PublishInput, PublishResponse>({
    access: (input, call) => onTopic(sns, "Publish")({ TopicArn: input.TopicArn ?? input.TargetArn }, call),
    async run(input, call) {
      const arn = input.TopicArn ?? input.TargetArn;
      if (arn === undefined) throw invalidParameter("the local accounts publish to topics: TopicArn is needed");
      await askForKey(sns, call, arn);
      return { MessageId: accept(sns, arn, input) };
    },
  });

// The publisher must be able to use the key of an encrypted topic; SNS decrypts by itself.
async function askForKey(sns: Sns, call: Call, arn: string): Promise<void> {
  const { account, region, attributes } = findTopic(sns, arn);
  const key = attributes["KmsMasterKeyId"];
  if (key === undefined || key === "") return;
  await sns.core.dispatcher.call({
    service: "kms",
    operation: "DescribeKeyUse",
    input: { KeyId: key, Action: "GenerateDataKey" },
    as: call.caller,
    account,
    region,
    context: {
      ...call.context,
      "kms:ViaService": `sns.${region}.amazonaws.com`,
      "kms:EncryptionContext:aws:sns:topicArn": arn,
      "kms:EncryptionContextKeys": ["aws:sns:topicArn"],
    },
  });
}

/** Stores a message with a delivery for each subscriber. @returns its id */
function accept({ core, store, deliver }: Sns, arn: string, entry: Entry): string {
  checkEntry(entry);
  const messageId = core.random.uuid();
  const texts = textsOf(entry);
  const published = core.clock.now().toISOString();
  core.database.transaction(() => {
    for (const { value: subscription } of store.subscriptions.list([arn])) {
      const delivery: Delivery = {
        messageId,
        subscription,
        message: texts(subscription.protocol),
        attributes: attributesOf(entry.MessageAttributes),
        published,
        attempts: 0,
        due: published,
        ...(entry.Subject !== undefined && { subject: entry.Subject }),
      };
      store.deliveries.put([published, messageId, subscription.id], delivery);
    }
  });
  deliver();
  return messageId;
}

function checkEntry({ Message = "", Subject, MessageAttributes = {} }: Entry): void {
  if (Message === "") throw invalidParameter("Empty message");
  const attributes = Object.entries(MessageAttributes).reduce(
    (sum, [name, { DataType = "", StringValue = "", BinaryValue }]) =>
      sum + name.length + DataType.length + StringValue.length + (BinaryValue?.length ?? 0),
    0,
  );
  if (Buffer.byteLength(Message) + attributes > MOST_BYTES) throw invalidParameter("Message too long");
  if (Subject !== undefined && !/^[\x20-\x7e]{1,100}$/.test(Subject)) throw invalidParameter("Subject");
}

/** The text for each protocol: with MessageStructure `json`, that of the protocol or the default. */
function textsOf({ Message = "", MessageStructure }: Entry): (protocol: Protocol) => string {
  if (MessageStructure !== "json") return () => Message;
  let parsed: Readonly<Record<string, unknown>>;
  try {
    parsed = JSON.parse(Message) as Readonly<Record<string, unknown>>;
  } catch {
    throw invalidParameter("Message Structure - JSON message body failed to parse");
  }
  if (typeof parsed["default"] !== "string") throw invalidParameter("Message Structure - No default entry in JSON message body");
  return (protocol) => String(parsed[protocol] ?? parsed["default"]);
}

const attributesOf = (given: Readonly<Record<string, MessageAttributeValue>> = {}): Readonly<Record<string, MessageAttribute>> =>
  Object.fromEntries(
    Object.entries(given).map(([name, { DataType = "String", StringValue, BinaryValue }]) => [
      name,
      { Type: DataType, Value: StringValue ?? Buffer.from(BinaryValue ?? []).toString("base64") },
    ]),
  );

const publishBatch = (sns: Sns) =>
  operation<PublishBatchInput, PublishBatchResponse>({
    access: onTopic(sns, "Publish"),
    async run({ TopicArn = "", PublishBatchRequestEntries: entries = [] }, call) {
      if (entries.length === 0) throw emptyBatch();
      if (entries.length > MOST_ENTRIES) throw tooManyEntries();
      if (new Set(entries.map(({ Id }) => Id)).size < entries.length) throw idsNotDistinct();
      await askForKey(sns, call, TopicArn);
      const outcomes = entries.map((entry) => attempt(entry.Id ?? "", () => accept(sns, TopicArn, entry)));
      return { Successful: outcomes.flatMap(({ good }) => good ?? []), Failed: outcomes.flatMap(({ bad }) => bad ?? []) };
    },
  });

function attempt(Id: string, work: () => string) {
  try {
    return { good: { Id, MessageId: work() } };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return { bad: { Id, Code: error.code, Message: error.message, SenderFault: true } };
  }
}

/** What sends messages. */
export const publishOperations = (sns: Sns): Readonly<Record<string, AnyOperation>> => ({
  Publish: publish(sns),
  PublishBatch: publishBatch(sns),
});
