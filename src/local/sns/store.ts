import type { AccountId } from "../../kit/account-id.ts";
import type { Collection, Database } from "../storage/database.ts";

export interface Topic {
  readonly account: AccountId;
  readonly region: string;
  readonly name: string;
  /** Those that were set, as the API names them; `Policy` is always there. */
  readonly attributes: Readonly<Record<string, string>> & { readonly Policy: string };
  readonly tags: Readonly<Record<string, string>>;
}

export type Protocol = "email" | "email-json" | "lambda";

export interface Subscription {
  readonly id: string;
  readonly topicArn: string;
  readonly owner: AccountId;
  readonly protocol: Protocol;
  readonly endpoint: string;
}

export interface MessageAttribute {
  readonly Type: string;
  readonly Value: string;
}

/** A message on its way to one subscriber. */
export interface Delivery {
  readonly messageId: string;
  readonly subscription: Subscription;
  readonly subject?: string;
  readonly message: string;
  readonly attributes: Readonly<Record<string, MessageAttribute>>;
  readonly published: string;
  readonly attempts: number;
  /** ISO; not before. */
  readonly due: string;
}

/** Everything SNS remembers. */
export interface SnsStore {
  /** Key: account, region, name. */
  readonly topics: Collection<Topic>;
  /** Key: ARN of the topic, id. */
  readonly subscriptions: Collection<Subscription>;
  /** Key: time and id, in the order of publishing. */
  readonly deliveries: Collection<Delivery>;
}

export const snsStore = (database: Database): SnsStore => ({
  topics: database.collection("sns.topics"),
  subscriptions: database.collection("sns.subscriptions"),
  deliveries: database.collection("sns.deliveries"),
});

export const topicArn = ({ account, region, name }: Pick<Topic, "account" | "region" | "name">): string =>
  `arn:aws:sns:${region}:${account}:${name}`;
export const subscriptionArn = ({ topicArn: arn, id }: Subscription): string => `${arn}:${id}`;
