import type {
  AddPermissionInput,
  CreateTopicInput,
  CreateTopicResponse,
  DeleteTopicInput,
  GetTopicAttributesInput,
  GetTopicAttributesResponse,
  ListTagsForResourceRequest,
  ListTagsForResourceResponse,
  ListTopicsInput,
  ListTopicsResponse,
  RemovePermissionInput,
  SetTopicAttributesInput,
  Tag,
  TagResourceRequest,
  UntagResourceRequest,
} from "@aws-sdk/client-sns";

import { validatePolicyDocument } from "../authorization/validate-policy.ts";
import { pageOf } from "../gateway/paging.ts";
import { type AnyOperation, type Call, operation } from "../gateway/service.ts";
import { attributesDiffer, invalidParameter, noSuchResource, tagsDiffer } from "./errors.ts";
import { changeTopic, defaultPolicy, findTopic, lookUpTopic, onTopic, type Sns } from "./topic-access.ts";
import { type Topic, topicArn } from "./store.ts";

const PAGE = 100;
const SETTABLE = ["Policy", "DisplayName", "KmsMasterKeyId", "TracingConfig", "SignatureVersion"];

const tagMap = (tags: readonly Tag[] = []): Readonly<Record<string, string>> =>
  Object.fromEntries(tags.map(({ Key, Value }) => [Key ?? "", Value ?? ""]));

const tagContext = (tags: readonly Tag[] | undefined): Record<string, string | readonly string[]> =>
  tags
    ? {
        "aws:TagKeys": tags.map(({ Key }) => Key ?? ""),
        ...Object.fromEntries(tags.map(({ Key, Value }) => [`aws:RequestTag/${Key}`, Value ?? ""])),
      }
    : {};

const createTopic = ({ core, store }: Sns) =>
  operation<CreateTopicInput, CreateTopicResponse>({
    access: ({ Name: name = "", Tags }, { account, region }) => [
      { action: "sns:CreateTopic", resource: topicArn({ account, region, name }), context: tagContext(Tags) },
    ],
    run({ Name: name = "", Attributes = {}, Tags }, { account, region }) {
      checkName(name, Attributes);
      for (const [attribute, value] of Object.entries(Attributes)) checkAttribute(core, attribute, value);
      const before = store.topics.get([account, region, name]);
      if (before) {
        if (Object.entries(Attributes).some(([attribute, value]) => before.attributes[attribute] !== value)) throw attributesDiffer();
        if (Tags && !sameTags(before.tags, tagMap(Tags))) throw tagsDiffer();
        return { TopicArn: topicArn(before) };
      }
      const topic: Topic = {
        account,
        region,
        name,
        attributes: { Policy: defaultPolicy(topicArn({ account, region, name }), account), ...Attributes },
        tags: tagMap(Tags),
      };
      store.topics.put([account, region, name], topic);
      return { TopicArn: topicArn(topic) };
    },
  });

const sameTags = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean =>
  Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([key, value]) => b[key] === value);

function checkName(name: string, { FifoTopic }: Readonly<Record<string, string>>): void {
  if (FifoTopic === "true" || name.endsWith(".fifo")) throw invalidParameter("Topic Name Reason: the local accounts have no FIFO topics");
  if (!/^[A-Za-z0-9_-]{1,256}$/.test(name)) throw invalidParameter("Topic Name");
}

function checkAttribute({ directory }: Sns["core"], name: string, value: string): void {
  if (name === "FifoTopic") return;
  if (!SETTABLE.includes(name))
    throw invalidParameter(`AttributeName Reason: the local accounts know ${SETTABLE.join(", ")}; ${name} they do not`);
  const problem = name === "Policy" ? validatePolicyDocument(value, "resource") : undefined;
  if (problem !== undefined) throw invalidParameter(`Policy Error: ${problem}`);
  const nobody = name === "Policy" ? directory.missingPrincipal(value) : undefined;
  if (nobody !== undefined) throw invalidParameter(`Policy Error: PrincipalNotFound ("AWS":"${nobody}")`);
}

const getTopicAttributes = (sns: Sns) =>
  operation<GetTopicAttributesInput, GetTopicAttributesResponse>({
    access: onTopic(sns, "GetTopicAttributes"),
    run({ TopicArn = "" }) {
      const topic = findTopic(sns, TopicArn);
      const confirmed = sns.store.subscriptions.count([TopicArn]);
      return {
        Attributes: {
          TopicArn,
          Owner: topic.account,
          DisplayName: "",
          SubscriptionsConfirmed: String(confirmed),
          SubscriptionsPending: "0",
          SubscriptionsDeleted: "0",
          ...topic.attributes,
        },
      };
    },
  });

const setTopicAttributes = (sns: Sns) =>
  operation<SetTopicAttributesInput, object>({
    access: onTopic(sns, "SetTopicAttributes"),
    run({ TopicArn = "", AttributeName: name = "", AttributeValue: value = "" }) {
      checkAttribute(sns.core, name, value);
      changeTopic(sns, TopicArn, (topic) => ({ ...topic, attributes: { ...topic.attributes, [name]: value } }));
      return {};
    },
  });

const listTopics = ({ store }: Sns) =>
  operation<ListTopicsInput, ListTopicsResponse>({
    access: (_input, { account, region }) => [{ action: "sns:ListTopics", resource: `arn:aws:sns:${region}:${account}:*` }],
    run({ NextToken }, { account, region }) {
      const topics = store.topics.list([account, region]).map(({ value }) => ({ TopicArn: topicArn(value) }));
      const { items, next } = pageOf(topics, { token: NextToken, limit: PAGE, invalid: () => invalidParameter("NextToken") });
      return { Topics: items, ...(next !== undefined && { NextToken: next }) };
    },
  });

const deleteTopic = (sns: Sns) =>
  operation<DeleteTopicInput, object>({
    access: onTopic(sns, "DeleteTopic"),
    run({ TopicArn = "" }) {
      const topic = lookUpTopic(sns, TopicArn);
      // Deleting what is not there succeeds on AWS too.
      if (!topic) return {};
      const { core, store } = sns;
      core.database.transaction(() => {
        for (const { key } of store.subscriptions.list([TopicArn])) store.subscriptions.delete(key);
        store.topics.delete([topic.account, topic.region, topic.name]);
      });
      return {};
    },
  });

interface PolicyDocument {
  readonly Statement: readonly { readonly Sid?: string }[];
}

const editPolicy = (sns: Sns, arn: string, edit: (statements: PolicyDocument["Statement"]) => readonly object[]): void => {
  changeTopic(sns, arn, (topic) => {
    const policy = JSON.parse(topic.attributes.Policy) as PolicyDocument;
    return {
      ...topic,
      attributes: { ...topic.attributes, Policy: JSON.stringify({ ...policy, Statement: edit([policy.Statement].flat()) }) },
    };
  });
};

const addPermission = (sns: Sns) =>
  operation<AddPermissionInput, object>({
    access: onTopic(sns, "AddPermission"),
    run({ TopicArn = "", Label = "", AWSAccountId = [], ActionName = [] }) {
      editPolicy(sns, TopicArn, (statements) => {
        if (statements.some(({ Sid }) => Sid === Label)) throw invalidParameter("Statement already exists");
        const AWS = AWSAccountId.map((account) => `arn:aws:iam::${account}:root`);
        return [
          ...statements,
          { Sid: Label, Effect: "Allow", Principal: { AWS }, Action: ActionName.map((action) => `SNS:${action}`), Resource: TopicArn },
        ];
      });
      return {};
    },
  });

const removePermission = (sns: Sns) =>
  operation<RemovePermissionInput, object>({
    access: onTopic(sns, "RemovePermission"),
    run({ TopicArn = "", Label = "" }) {
      editPolicy(sns, TopicArn, (statements) => statements.filter(({ Sid }) => Sid !== Label));
      return {};
    },
  });

function findTagged(sns: Sns, arn: string): Topic {
  const topic = lookUpTopic(sns, arn);
  if (!topic) throw noSuchResource();
  return topic;
}

const tagging = (sns: Sns): Readonly<Record<string, AnyOperation>> => ({
  TagResource: operation<TagResourceRequest, object>({
    access: ({ ResourceArn = "", Tags }, _call: Call) => [{ action: "sns:TagResource", resource: ResourceArn, context: tagContext(Tags) }],
    run({ ResourceArn = "", Tags }) {
      findTagged(sns, ResourceArn);
      changeTopic(sns, ResourceArn, (topic) => ({ ...topic, tags: { ...topic.tags, ...tagMap(Tags) } }));
      return {};
    },
  }),
  UntagResource: operation<UntagResourceRequest, object>({
    access: ({ ResourceArn = "", TagKeys = [] }) => [
      { action: "sns:UntagResource", resource: ResourceArn, context: { "aws:TagKeys": TagKeys } },
    ],
    run({ ResourceArn = "", TagKeys = [] }) {
      findTagged(sns, ResourceArn);
      changeTopic(sns, ResourceArn, (topic) => ({
        ...topic,
        tags: Object.fromEntries(Object.entries(topic.tags).filter(([key]) => !TagKeys.includes(key))),
      }));
      return {};
    },
  }),
  ListTagsForResource: operation<ListTagsForResourceRequest, ListTagsForResourceResponse>({
    access: ({ ResourceArn = "" }) => [{ action: "sns:ListTagsForResource", resource: ResourceArn }],
    run: ({ ResourceArn = "" }) => ({ Tags: Object.entries(findTagged(sns, ResourceArn).tags).map(([Key, Value]) => ({ Key, Value })) }),
  }),
});

/** Topics. */
export const topicOperations = (sns: Sns): Readonly<Record<string, AnyOperation>> => ({
  AddPermission: addPermission(sns),
  CreateTopic: createTopic(sns),
  DeleteTopic: deleteTopic(sns),
  GetTopicAttributes: getTopicAttributes(sns),
  ListTopics: listTopics(sns),
  RemovePermission: removePermission(sns),
  SetTopicAttributes: setTopicAttributes(sns),
  ...tagging(sns),
});
