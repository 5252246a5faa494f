import type {
  GetSubscriptionAttributesInput,
  GetSubscriptionAttributesResponse,
  ListSubscriptionsByTopicInput,
  ListSubscriptionsByTopicResponse,
  ListSubscriptionsInput,
  ListSubscriptionsResponse,
  SubscribeInput,
  SubscribeResponse,
  UnsubscribeInput,
} from "@aws-sdk/client-sns";

import { principalAccount } from "../authorization/principal.ts";
import { pageOf } from "../gateway/paging.ts";
import { type AnyOperation, operation } from "../gateway/service.ts";
import { invalidParameter, noSuchSubscription } from "./errors.ts";
import { findTopic, onTopic, type Sns } from "./topic-access.ts";
import { type Protocol, type Subscription, subscriptionArn } from "./store.ts";

const PAGE = 100;
const PROTOCOLS: readonly Protocol[] = ["email", "email-json", "lambda"];

const subscribe = (sns: Sns) =>
  operation<SubscribeInput, SubscribeResponse>({
    access: onTopic(sns, "Subscribe", ({ Protocol: protocol = "", Endpoint = "" }) => ({
      "sns:Protocol": protocol,
      "sns:Endpoint": Endpoint,
    })),
    run({ TopicArn = "", Protocol: asked, Endpoint: endpoint = "", Attributes = {} }, { caller, account }) {
      const { core, store } = sns;
      findTopic(sns, TopicArn);
      const protocol = checkProtocol(asked, endpoint);
      const refused = Object.keys(Attributes)[0];
      if (refused !== undefined) throw invalidParameter(`Attributes Reason: the local accounts have no ${refused} of subscriptions`);
      const before = store.subscriptions.list([TopicArn]).find(({ value }) => value.protocol === protocol && value.endpoint === endpoint);
      const subscription: Subscription = before?.value ?? {
        id: core.random.uuid(),
        topicArn: TopicArn,
        owner: principalAccount(caller) ?? account,
        protocol,
        endpoint,
      };
      store.subscriptions.put([TopicArn, subscription.id], subscription);
      return { SubscriptionArn: subscriptionArn(subscription) };
    },
  });

function checkProtocol(asked: string | undefined, endpoint: string): Protocol {
  const protocol = PROTOCOLS.find((one) => one === asked);
  if (!protocol) throw invalidParameter(`Protocol Reason: the local accounts deliver to ${PROTOCOLS.join(", ")}; to ${asked} they do not`);
  const isGood = protocol === "lambda" ? /^arn:[^:]+:lambda:[^:]+:\d{12}:function:.+$/.test(endpoint) : /^[^@\s]+@[^@\s]+$/.test(endpoint);
  if (!isGood) throw invalidParameter(protocol === "lambda" ? "Lambda endpoint ARN" : "Email address");
  return protocol;
}

function findSubscription({ store }: Sns, arn: string): Subscription {
  const at = arn.lastIndexOf(":");
  const found = store.subscriptions.get([arn.slice(0, at), arn.slice(at + 1)]);
  if (!found) throw noSuchSubscription();
  return found;
}

const unsubscribe = (sns: Sns) =>
  operation<UnsubscribeInput, object>({
    access: ({ SubscriptionArn = "" }) => [
      { action: "sns:Unsubscribe", resource: SubscriptionArn.slice(0, SubscriptionArn.lastIndexOf(":")) },
    ],
    run({ SubscriptionArn = "" }) {
      const at = SubscriptionArn.lastIndexOf(":");
      // Ending what has ended succeeds on AWS too.
      sns.store.subscriptions.delete([SubscriptionArn.slice(0, at), SubscriptionArn.slice(at + 1)]);
      return {};
    },
  });

const describe = (subscription: Subscription) => ({
  SubscriptionArn: subscriptionArn(subscription),
  Owner: subscription.owner,
  Protocol: subscription.protocol,
  Endpoint: subscription.endpoint,
  TopicArn: subscription.topicArn,
});

function paged(all: readonly Subscription[], token: string | undefined) {
  const { items, next } = pageOf(all, { token, limit: PAGE, invalid: () => invalidParameter("NextToken") });
  return { Subscriptions: items.map(describe), ...(next !== undefined && { NextToken: next }) };
}

const listSubscriptions = ({ store }: Sns) =>
  operation<ListSubscriptionsInput, ListSubscriptionsResponse>({
    access: (_input, { account, region }) => [{ action: "sns:ListSubscriptions", resource: `arn:aws:sns:${region}:${account}:*` }],
    run: ({ NextToken }, { account, region }) =>
      paged(
        store.subscriptions
          .list([])
          .map(({ value }) => value)
          .filter(({ owner, topicArn }) => owner === account && topicArn.split(":")[3] === region),
        NextToken,
      ),
  });

const listByTopic = (sns: Sns) =>
  operation<ListSubscriptionsByTopicInput, ListSubscriptionsByTopicResponse>({
    access: onTopic(sns, "ListSubscriptionsByTopic"),
    run({ TopicArn = "", NextToken }) {
      findTopic(sns, TopicArn);
      return paged(
        sns.store.subscriptions.list([TopicArn]).map(({ value }) => value),
        NextToken,
      );
    },
  });

const getAttributes = (sns: Sns) =>
  operation<GetSubscriptionAttributesInput, GetSubscriptionAttributesResponse>({
    access: ({ SubscriptionArn = "" }) => [
      { action: "sns:GetSubscriptionAttributes", resource: SubscriptionArn.slice(0, SubscriptionArn.lastIndexOf(":")) },
    ],
    run({ SubscriptionArn = "" }) {
      const attributes = {
        ...describe(findSubscription(sns, SubscriptionArn)),
        PendingConfirmation: "false",
        ConfirmationWasAuthenticated: "true",
        RawMessageDelivery: "false",
      };
      return { Attributes: attributes };
    },
  });

/** Who hears of a topic's messages. */
export const subscriptionOperations = (sns: Sns): Readonly<Record<string, AnyOperation>> => ({
  GetSubscriptionAttributes: getAttributes(sns),
  ListSubscriptions: listSubscriptions(sns),
  ListSubscriptionsByTopic: listByTopic(sns),
  Subscribe: subscribe(sns),
  Unsubscribe: unsubscribe(sns),
});
