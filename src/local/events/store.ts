import type { Target } from "@aws-sdk/client-eventbridge";
import type { Collection, Database } from "../storage/database.ts";
import type { BusEvent } from "./target-input.ts";

/** A rule of an account's default bus. */
export interface Rule {
  readonly arn: string;
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly state: "ENABLED" | "DISABLED";
  readonly eventPattern?: string;
  readonly scheduleExpression?: string;
  readonly description?: string;
  readonly roleArn?: string;
  /** The account that made it. */
  readonly createdBy: string;
  /** ISO time of the last change: a schedule counts from it. */
  readonly changedAt: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** An event on its way to one target. */
export interface Delivery {
  readonly event: BusEvent;
  readonly rule: Pick<Rule, "arn" | "name" | "account" | "region">;
  readonly target: Target;
  readonly attempts: number;
  /** Milliseconds since 1970. */
  readonly firstMs: number;
  readonly nextMs: number;
}

/** Everything EventBridge remembers. */
export interface Store {
  /** Key: account, region, rule. */
  readonly rules: Collection<Rule>;
  /** Key: account, region, rule, target. */
  readonly targets: Collection<Target>;
  /** Key: the delivery's id. */
  readonly deliveries: Collection<Delivery>;
  transaction<R>(work: () => R): R;
}

export const createStore = (database: Database): Store => ({
  rules: database.collection("events.rules"),
  targets: database.collection("events.targets", { arn: (target: Target) => target.Arn }),
  deliveries: database.collection("events.deliveries"),
  transaction: (work) => database.transaction(work),
});

export const ruleKey = ({ account, region, name }: Pick<Rule, "account" | "region" | "name">) => [account, region, name] as const;
