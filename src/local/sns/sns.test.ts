import { readdirSync, readFileSync } from "node:fs";

import {
  AddPermissionCommand,
  CreateTopicCommand,
  DeleteTopicCommand,
  GetSubscriptionAttributesCommand,
  GetTopicAttributesCommand,
  ListSubscriptionsByTopicCommand,
  ListSubscriptionsCommand,
  ListTagsForResourceCommand,
  ListTopicsCommand,
  PublishBatchCommand,
  PublishCommand,
  RemovePermissionCommand,
  SetTopicAttributesCommand,
  SNSClient,
  SubscribeCommand,
  TagResourceCommand,
  UnsubscribeCommand,
  UntagResourceCommand,
} from "@aws-sdk/client-sns";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { CICD, PRODUCTION, REGION, startAccounts, type TestAccounts } from "../testing/accounts.ts";
import { outboxFolder } from "./deliveries.ts";

let accounts: TestAccounts;
let sns: SNSClient;
beforeAll(async () => {
  accounts = await startAccounts();
  sns = new SNSClient(accounts.config("cicd"));
});
afterAll(() => accounts[Symbol.asyncDispose]());

let count = 0;
const fresh = () => `topic-${++count}`;
const newTopic = async (part: object = {}) => (await sns.send(new CreateTopicCommand({ Name: fresh(), ...part }))).TopicArn!;

/** E-mails to an address, once there are as many as expected. */
async function mailTo(address: string, expected: number): Promise<string[]> {
  const { clock } = accounts.accounts.core;
  for (let attempt = 0; attempt < 200; attempt++) {
    const folder = outboxFolder(accounts.accounts.core);
    const mails = listed(folder)
      .map((name) => readFileSync(`${folder}/${name}`, "utf8"))
      .filter((mail) => mail.includes(`To: ${address}\n`));
    if (mails.length >= expected) return mails;
    await clock.sleep(10);
  }
  throw new Error(`no mail to ${address}`);
}
function listed(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

describe("topics", () => {
  test("are made once, whoever often asks, and found, changed, tagged, deleted", async () => {
    const Name = fresh();
    const { TopicArn } = await sns.send(
      new CreateTopicCommand({ Name, Attributes: { DisplayName: "Releases" }, Tags: [{ Key: "a", Value: "1" }] }),
    );
    expect(TopicArn).toBe(`arn:aws:sns:${REGION}:${CICD}:${Name}`);
    expect((await sns.send(new CreateTopicCommand({ Name }))).TopicArn).toBe(TopicArn);
    await expect(sns.send(new CreateTopicCommand({ Name, Attributes: { DisplayName: "Other" } }))).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
    await sns.send(new SetTopicAttributesCommand({ TopicArn, AttributeName: "DisplayName", AttributeValue: "Other" }));
    expect((await sns.send(new GetTopicAttributesCommand({ TopicArn }))).Attributes).toMatchObject({
      TopicArn,
      Owner: CICD,
      DisplayName: "Other",
      SubscriptionsConfirmed: "0",
    });
    await sns.send(new TagResourceCommand({ ResourceArn: TopicArn, Tags: [{ Key: "b", Value: "2" }] }));
    await sns.send(new UntagResourceCommand({ ResourceArn: TopicArn, TagKeys: ["a"] }));
    expect((await sns.send(new ListTagsForResourceCommand({ ResourceArn: TopicArn }))).Tags).toEqual([{ Key: "b", Value: "2" }]);
    expect((await sns.send(new ListTopicsCommand({}))).Topics).toContainEqual({ TopicArn });
    await sns.send(new DeleteTopicCommand({ TopicArn }));
    await sns.send(new DeleteTopicCommand({ TopicArn }));
    await expect(sns.send(new GetTopicAttributesCommand({ TopicArn }))).rejects.toMatchObject({
      name: "NotFoundException",
      message: "Topic does not exist",
    });
  });

  test.each([
    ["a FIFO topic", () => newTopic({ Name: "a.fifo", Attributes: { FifoTopic: "true" } }), "FIFO"],
    ["a strange name", () => newTopic({ Name: "a b" }), "Topic Name"],
    ["a policy that is none", () => newTopic({ Attributes: { Policy: "{" } }), "Policy Error"],
    ["a strange attribute", () => newTopic({ Attributes: { DataProtectionPolicy: "{}" } }), "DataProtectionPolicy"],
    [
      "a protocol nothing delivers to",
      async () => sns.send(new SubscribeCommand({ TopicArn: await newTopic(), Protocol: "sms", Endpoint: "+1" })),
      "to sms they do not",
    ],
    [
      "an address that is none",
      async () => sns.send(new SubscribeCommand({ TopicArn: await newTopic(), Protocol: "email", Endpoint: "nobody" })),
      "Email address",
    ],
    [
      "a filter policy",
      async () =>
        sns.send(
          new SubscribeCommand({ TopicArn: await newTopic(), Protocol: "email", Endpoint: "a@b", Attributes: { FilterPolicy: "{}" } }),
        ),
      "FilterPolicy",
    ],
    ["an empty message", async () => sns.send(new PublishCommand({ TopicArn: await newTopic(), Message: "" })), "Empty message"],
    [
      "a subject with a line break",
      async () => sns.send(new PublishCommand({ TopicArn: await newTopic(), Message: "x", Subject: "a\nBcc: b" })),
      "Subject",
    ],
  ])("refuse %s", async (_what, attempt, message) => {
    await expect(attempt()).rejects.toMatchObject({ name: "InvalidParameterException", message: expect.stringContaining(message) });
  });
});

describe("subscribers", () => {
  test("by e-mail find their messages in the outbox", async () => {
    const TopicArn = await newTopic();
    const address = `anna-${count}@example.org`;
    const { SubscriptionArn } = await sns.send(new SubscribeCommand({ TopicArn, Protocol: "email", Endpoint: address }));
    expect((await sns.send(new SubscribeCommand({ TopicArn, Protocol: "email", Endpoint: address }))).SubscriptionArn).toBe(
      SubscriptionArn,
    );
    const { MessageId } = await sns.send(
      new PublishCommand({ TopicArn, Subject: "Approve 1.2.3", Message: "Please look at\nthe outputs." }),
    );
    const [mail] = await mailTo(address, 1);
    expect(mail).toContain("Subject: Approve 1.2.3\n");
    expect(mail).toContain(`Message-ID: <${MessageId}@`);
    expect(mail).toContain("\n\nPlease look at\nthe outputs.\n");
    expect(accounts.log.some((line) => line.includes(`sns: e-mail to ${address}: "Approve 1.2.3"`))).toBe(true);
    expect((await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }))).Subscriptions).toMatchObject([
      { SubscriptionArn, Endpoint: address },
    ]);
    expect((await sns.send(new ListSubscriptionsCommand({}))).Subscriptions!.map((one) => one.SubscriptionArn)).toContain(SubscriptionArn);
    expect((await sns.send(new GetSubscriptionAttributesCommand({ SubscriptionArn }))).Attributes).toMatchObject({
      PendingConfirmation: "false",
      Protocol: "email",
    });
    await sns.send(new UnsubscribeCommand({ SubscriptionArn }));
    await sns.send(new PublishCommand({ TopicArn, Message: "again" }));
    expect((await mailTo(address, 1)).length).toBe(1);
  });

  test("by e-mail-json get the whole notification, each protocol its own text", async () => {
    const TopicArn = await newTopic();
    const [plain, json] = [`plain-${count}@example.org`, `json-${count}@example.org`];
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: "email", Endpoint: plain }));
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: "email-json", Endpoint: json }));
    const Message = JSON.stringify({ default: "for all", email: "for e-mail" });
    await sns.send(
      new PublishCommand({
        TopicArn,
        Message,
        MessageStructure: "json",
        MessageAttributes: { release: { DataType: "String", StringValue: "1.2.3" } },
      }),
    );
    expect((await mailTo(plain, 1))[0]).toContain("for e-mail");
    expect(JSON.parse((await mailTo(json, 1))[0]!.split("\n\n").slice(1).join("\n\n"))).toMatchObject({
      Type: "Notification",
      TopicArn,
      Message: "for all",
      MessageAttributes: { release: { Type: "String", Value: "1.2.3" } },
    });
    await expect(sns.send(new PublishCommand({ TopicArn, Message: "{}", MessageStructure: "json" }))).rejects.toThrow("No default entry");
  });

  test("that can't be reached for good are given up and named, and hold up nobody else", async () => {
    const TopicArn = await newTopic();
    const address = `last-${count}@example.org`;
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: "lambda", Endpoint: `arn:aws:lambda:${REGION}:${CICD}:function:none` }));
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: "email", Endpoint: address }));
    await sns.send(new PublishCommand({ TopicArn, Message: "x" }));
    await mailTo(address, 1);
    await expect
      .poll(() => accounts.log.some((line) => /to arn:aws:lambda:.*:function:none was given up after 1 attempts/.test(line)))
      .toBe(true);
  });

  test("get batches, whose entries fail one by one", async () => {
    const TopicArn = await newTopic();
    const address = `batch-${count}@example.org`;
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: "email", Endpoint: address }));
    const answer = await sns.send(
      new PublishBatchCommand({
        TopicArn,
        PublishBatchRequestEntries: [
          { Id: "a", Message: "one" },
          { Id: "b", Message: "" },
          { Id: "c", Message: "three" },
        ],
      }),
    );
    expect(answer).toMatchObject({
      Successful: [{ Id: "a" }, { Id: "c" }],
      Failed: [{ Id: "b", Code: "InvalidParameter", SenderFault: true }],
    });
    expect((await mailTo(address, 2)).length).toBe(2);
  });
});

describe("who may publish", () => {
  const publish = (client: SNSClient, TopicArn: string) => client.send(new PublishCommand({ TopicArn, Message: "x" }));
  test("nobody but the account's own permitted, until the topic policy lets others in", async () => {
    const TopicArn = await newTopic();
    const production = new SNSClient(accounts.config("production"));
    await expect(publish(new SNSClient(accounts.config("developer")), TopicArn)).rejects.toMatchObject({
      name: "AuthorizationErrorException",
      message: expect.stringContaining("no identity-based policy allows the sns:Publish action"),
    });
    await expect(publish(production, TopicArn)).rejects.toThrow("no resource-based policy");
    await sns.send(new AddPermissionCommand({ TopicArn, Label: "production", AWSAccountId: [PRODUCTION], ActionName: ["Publish"] }));
    await publish(production, TopicArn);
    await sns.send(new RemovePermissionCommand({ TopicArn, Label: "production" }));
    await expect(publish(production, TopicArn)).rejects.toThrow("no resource-based policy");
  });

  test("a service needs the topic policy, also where the default one stands", async () => {
    const TopicArn = await newTopic();
    const { dispatcher } = accounts.accounts.core;
    const as = {
      kind: "service",
      service: "events.amazonaws.com",
      sourceAccount: CICD,
      sourceArn: `arn:aws:events:${REGION}:${CICD}:rule/x`,
    } as const;
    const call = () =>
      dispatcher.call({ service: "sns", operation: "Publish", input: { TopicArn, Message: "x" }, as, account: CICD, region: REGION });
    const statement = {
      Effect: "Allow",
      Principal: { Service: "events.amazonaws.com" },
      Action: "sns:Publish",
      Resource: TopicArn,
      Condition: { ArnEquals: { "aws:SourceArn": as.sourceArn } },
    };
    await sns.send(
      new SetTopicAttributesCommand({
        TopicArn,
        AttributeName: "Policy",
        AttributeValue: JSON.stringify({ Version: "2012-10-17", Statement: { ...statement, Principal: { Service: "s3.amazonaws.com" } } }),
      }),
    );
    await expect(call()).rejects.toMatchObject({ code: "AuthorizationError" });
    await sns.send(
      new SetTopicAttributesCommand({
        TopicArn,
        AttributeName: "Policy",
        AttributeValue: JSON.stringify({ Version: "2012-10-17", Statement: statement }),
      }),
    );
    await expect(call()).resolves.toHaveProperty("MessageId");
  });

  test("whoever may not use the key of the topic may not publish", async () => {
    const kms = new KMSClient(accounts.config("cicd"));
    const admin = { Effect: "Allow", Principal: { AWS: `arn:aws:iam::${CICD}:user/cicd` }, Action: "kms:PutKeyPolicy", Resource: "*" };
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Policy: JSON.stringify({ Version: "2012-10-17", Statement: [admin] }) }));
    const TopicArn = await newTopic({ Attributes: { KmsMasterKeyId: KeyMetadata!.Arn! } });
    await expect(publish(sns, TopicArn)).rejects.toThrow("kms:GenerateDataKey");
    const open = await kms.send(new CreateKeyCommand({}));
    await publish(sns, await newTopic({ Attributes: { KmsMasterKeyId: open.KeyMetadata!.Arn! } }));
  });
});

test("a message that waited for its delivery at a stop goes out after the start", async () => {
  const TopicArn = await newTopic();
  const address = `later-${count}@example.org`;
  await sns.send(new SubscribeCommand({ TopicArn, Protocol: "email", Endpoint: address }));
  const { core } = accounts.accounts;
  const subscription = (await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }))).Subscriptions![0]!;
  const now = core.clock.now().toISOString();
  const id = subscription.SubscriptionArn!.split(":").at(-1)!;
  core.database.collection("sns.deliveries").put([now, "m", id], {
    messageId: "m",
    message: "kept",
    attributes: {},
    published: now,
    due: now,
    attempts: 0,
    subscription: { id, topicArn: TopicArn, owner: CICD, protocol: "email", endpoint: address },
  });
  await accounts.restart();
  sns = new SNSClient(accounts.config("cicd"));
  expect((await mailTo(address, 1))[0]).toContain("kept");
});
