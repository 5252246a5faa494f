import {
  type Json,
  type ResourceProvider,
  type ResourceRequest,
  type ResourceState,
  tagsOf,
  type UpdateRequest,
} from "../cloudformation/resource-provider.ts";
import { ignoring } from "../gateway/ignore-error.ts";

const gone = ignoring("NotFound", "ResourceNotFound");

interface Subscriber {
  readonly Protocol: string;
  readonly Endpoint: string;
}
const subscribersOf = (value: Json | undefined): readonly Subscriber[] => (value ?? []) as unknown as readonly Subscriber[];

const topic: ResourceProvider = {
  type: "AWS::SNS::Topic",
  properties: {
    TopicName: "string",
    DisplayName: "string",
    KmsMasterKeyId: "string",
    Subscription: [{ Protocol: "string", Endpoint: "string" }],
    Tags: [{ Key: "string", Value: "string" }],
  },
  replaceOn: ["TopicName"],
  attributes: ["TopicArn", "TopicName"],
  async create(request) {
    const { properties, call } = request;
    const Name = (properties["TopicName"] as string | undefined) ?? request.suggestedName(256, { allowed: "\\w-" });
    // Attributes follow by themselves: making a topic again with other ones would be refused.
    const { TopicArn } = await call<{ TopicArn: string }>("sns", "CreateTopic", { Name });
    request.announce(TopicArn);
    await setAttributes(request, TopicArn);
    const Tags = tagsOf(request);
    if (Tags.length > 0) await call("sns", "TagResource", { ResourceArn: TopicArn, Tags });
    for (const subscriber of subscribersOf(properties["Subscription"])) await call("sns", "Subscribe", { TopicArn, ...subscriber });
    return state(TopicArn);
  },
  async update(request) {
    await setAttributes(request, request.physicalId);
    await changeTags(request);
    await changeSubscribers(request);
    return state(request.physicalId);
  },
  delete: async ({ physicalId, call }) => {
    await call("sns", "DeleteTopic", { TopicArn: physicalId }).catch(gone);
  },
};

async function setAttributes({ properties, call }: ResourceRequest, TopicArn: string): Promise<void> {
  for (const AttributeName of ["DisplayName", "KmsMasterKeyId"])
    await call("sns", "SetTopicAttributes", { TopicArn, AttributeName, AttributeValue: properties[AttributeName] ?? "" });
}

async function changeTags(request: UpdateRequest): Promise<void> {
  const ResourceArn = request.physicalId;
  const now = tagsOf(request);
  const { Tags: before } = await request.call<{ Tags: readonly { Key: string }[] }>("sns", "ListTagsForResource", { ResourceArn });
  const removed = before.map(({ Key }) => Key).filter((key) => !now.some(({ Key }) => Key === key));
  if (removed.length > 0) await request.call("sns", "UntagResource", { ResourceArn, TagKeys: removed });
  if (now.length > 0) await request.call("sns", "TagResource", { ResourceArn, Tags: now });
}

async function changeSubscribers({ properties, previousProperties, physicalId: TopicArn, call }: UpdateRequest): Promise<void> {
  const now = subscribersOf(properties["Subscription"]);
  for (const subscriber of now) await call("sns", "Subscribe", { TopicArn, ...subscriber });
  const removed = subscribersOf(previousProperties["Subscription"]).filter(
    (one) => !now.some((kept) => kept.Protocol === one.Protocol && kept.Endpoint === one.Endpoint),
  );
  if (removed.length === 0) return;
  const { Subscriptions } = await call<{ Subscriptions: readonly (Subscriber & { SubscriptionArn: string })[] }>(
    "sns",
    "ListSubscriptionsByTopic",
    { TopicArn },
  );
  for (const { SubscriptionArn } of Subscriptions.filter((one) =>
    removed.some((other) => other.Protocol === one.Protocol && other.Endpoint === one.Endpoint),
  ))
    await call("sns", "Unsubscribe", { SubscriptionArn });
}

const state = (arn: string): ResourceState => ({ physicalId: arn, attributes: { TopicArn: arn, TopicName: arn.split(":").at(-1) ?? "" } });

const subscription: ResourceProvider = {
  type: "AWS::SNS::Subscription",
  properties: { TopicArn: "string", Protocol: "string", Endpoint: "string" },
  required: ["TopicArn", "Protocol", "Endpoint"],
  replaceOn: ["TopicArn", "Protocol", "Endpoint"],
  attributes: ["Arn"],
  async create({ properties, call }) {
    const { TopicArn, Protocol, Endpoint } = properties;
    const { SubscriptionArn } = await call<{ SubscriptionArn: string }>("sns", "Subscribe", { TopicArn, Protocol, Endpoint });
    return { physicalId: SubscriptionArn, attributes: { Arn: SubscriptionArn } };
  },
  update: async ({ physicalId }) => ({ physicalId, attributes: { Arn: physicalId } }),
  delete: async ({ physicalId, call }) => {
    await call("sns", "Unsubscribe", { SubscriptionArn: physicalId }).catch(gone);
  },
};

const topicPolicy: ResourceProvider = {
  type: "AWS::SNS::TopicPolicy",
  properties: { Topics: ["string"], PolicyDocument: "json" },
  required: ["Topics", "PolicyDocument"],
  replaceOn: [],
  attributes: ["Id"],
  async create(request) {
    const id = request.suggestedName(128);
    await putPolicy(request);
    return { physicalId: id, attributes: { Id: id } };
  },
  async update(request) {
    await putPolicy(request);
    return { physicalId: request.physicalId, attributes: { Id: request.physicalId } };
  },
  // CloudFormation leaves the policy of a topic as it is: a topic has always one.
  delete: async () => undefined,
};

async function putPolicy({ properties, call }: ResourceRequest): Promise<void> {
  const AttributeValue = JSON.stringify(properties["PolicyDocument"]);
  for (const TopicArn of properties["Topics"] as readonly string[])
    await call("sns", "SetTopicAttributes", { TopicArn, AttributeName: "Policy", AttributeValue });
}

/** The CloudFormation types of SNS. */
export const snsResources: readonly ResourceProvider[] = [topic, subscription, topicPolicy];
