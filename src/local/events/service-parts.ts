import type { Access, Call, Core } from "../gateway/service.ts";
import type { Bus } from "./bus.ts";
import { busNotFound, ruleNotFound } from "./errors.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Rule, Store } from "./store.ts";

/** What the operations of EventBridge share. */
export interface Events {
  readonly core: Core;
  readonly store: Store;
  readonly bus: Bus;
  readonly scheduler: Scheduler;
}

type Place = Pick<Call, "account" | "region">;

export const ruleArn = ({ account, region }: Place, name: string): string => `arn:aws:events:${region}:${account}:rule/${name}`;
export const busArn = ({ account, region }: Place): string => `arn:aws:events:${region}:${account}:event-bus/default`;

/** There is the default bus, by its name or its ARN. @throws AwsError ResourceNotFoundException */
export function checkBus(call: Place, name: string | undefined): void {
  if (name !== undefined && name !== "default" && name !== busArn(call)) throw busNotFound(name);
}

/** @throws AwsError ResourceNotFoundException */
export function findRule(
  { store }: Events,
  call: Place,
  { Name = "", EventBusName }: { readonly Name?: string | undefined; readonly EventBusName?: string | undefined },
): Rule {
  checkBus(call, EventBusName);
  const rule = store.rules.get([call.account, call.region, Name]);
  if (rule === undefined) throw ruleNotFound(Name);
  return rule;
}

/** The rule's tags as condition keys. */
export function tagContext({ store }: Events, { account, region }: Place, name: string): Record<string, string> {
  const tags = store.rules.get([account, region, name])?.tags ?? {};
  return Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:ResourceTag/${key}`, value]));
}

/** Leave to hand a role to EventBridge. */
export const passRole = (roleArn: string | undefined): readonly Access[] =>
  roleArn === undefined ? [] : [{ action: "iam:PassRole", resource: roleArn, context: { "iam:PassedToService": "events.amazonaws.com" } }];

interface PageRequest<T> {
  readonly limit: number | undefined;
  /** The name of the last item of the page before. */
  readonly token: string | undefined;
  nameOf(item: T): string;
}

/** One page of items that stand in the order of their names. */
export function pageOf<T>(
  all: readonly T[],
  { limit = 100, token, nameOf }: PageRequest<T>,
): { readonly items: readonly T[]; readonly next: { readonly NextToken?: string } } {
  const start = token === undefined ? 0 : all.findIndex((item) => nameOf(item) > token);
  const items = start < 0 ? [] : all.slice(start, start + limit);
  const last = items.at(-1);
  const isMore = start >= 0 && last !== undefined && start + limit < all.length;
  return { items, next: isMore ? { NextToken: nameOf(last) } : {} };
}
