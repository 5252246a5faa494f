import type { Access, Call, Core } from "../gateway/service.ts";
import { noSuchTopic } from "./errors.ts";
import type { SnsStore, Topic } from "./store.ts";

/** SNS as its operations share it. */
export interface Sns {
  readonly core: Core;
  readonly store: SnsStore;
  /** Goes through the deliveries that wait. */
  deliver(): void;
}

export function lookUpTopic({ store }: Sns, arn: string): Topic | undefined {
  const [, , service, region = "", account = "", name = ""] = arn.split(":");
  return service === "sns" ? store.topics.get([account, region, name]) : undefined;
}

/** @throws AwsError NotFound */
export function findTopic(sns: Sns, arn: string): Topic {
  const topic = lookUpTopic(sns, arn);
  if (!topic) throw noSuchTopic();
  return topic;
}

/** Writes a changed topic. @throws AwsError NotFound */
export function changeTopic(sns: Sns, arn: string, change: (topic: Topic) => Topic): void {
  const topic = findTopic(sns, arn);
  sns.store.topics.put([topic.account, topic.region, topic.name], change(topic));
}

/** What IAM must allow for something done with a topic. */
export const onTopic =
  <Input extends { readonly TopicArn?: string | undefined }>(
    sns: Sns,
    action: string,
    contextOf: (input: Input) => Access["context"] = () => ({}),
  ) =>
  (input: Input, call: Call): readonly Access[] => {
    const resource = input.TopicArn ?? "";
    const topic = lookUpTopic(sns, resource);
    return [
      {
        action: `sns:${action}`,
        resource,
        context: { ...ownerContext(call), ...contextOf(input) },
        ...(topic && {
          resourcePolicy: { document: topic.attributes.Policy, name: `the policy of topic ${topic.name}`, account: topic.account },
        }),
      },
    ];
  };

// An older key that AWS's default topic policy still asks for: the account on whose behalf a service publishes.
const ownerContext = ({ caller }: Call): Record<string, string> =>
  caller.kind === "service" && caller.sourceAccount !== undefined ? { "aws:SourceOwner": caller.sourceAccount } : {};

/** The policy of a topic that is made without one. */
export const defaultPolicy = (arn: string, account: string): string =>
  JSON.stringify({
    Version: "2008-10-17",
    Id: "__default_policy_ID",
    Statement: [
      {
        Sid: "__default_statement_ID",
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: [
          "SNS:GetTopicAttributes",
          "SNS:SetTopicAttributes",
          "SNS:AddPermission",
          "SNS:RemovePermission",
          "SNS:DeleteTopic",
          "SNS:Subscribe",
          "SNS:ListSubscriptionsByTopic",
          "SNS:Publish",
        ],
        Resource: arn,
        Condition: { StringEquals: { "AWS:SourceOwner": account } },
      },
    ],
  });
