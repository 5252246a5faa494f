import type { ListTagsForResourceInput, ListTagsForResourceOutput, Tag, TagResourceInput, UntagResourceInput } from "@aws-sdk/client-sfn";
import { type AnyOperation, operation } from "../gateway/service.ts";
import { resourceNotFound } from "./errors.ts";
import { type States, tagContext } from "./service-parts.ts";
import { machineKey, machineKeyOfArn, type StateMachine } from "./store.ts";

/** Tags as a map. */
export const readTags = (tags: readonly Tag[] | undefined): Record<string, string> =>
  Object.fromEntries((tags ?? []).flatMap(({ key, value }) => (key === undefined ? [] : [[key, value ?? ""]])));

/** Condition keys of a request that sets tags. */
export function tagAccess(tags: readonly Tag[] | undefined): Record<string, string | readonly string[]> {
  const given = readTags(tags);
  if (Object.keys(given).length === 0) return {};
  return {
    ...Object.fromEntries(Object.entries(given).map(([key, value]) => [`aws:RequestTag/${key}`, value])),
    "aws:TagKeys": Object.keys(given),
  };
}

/** Tags of state machines. */
export const tagOperations = (states: States): Readonly<Record<string, AnyOperation>> => ({
  TagResource: operation<TagResourceInput, object>({
    access: ({ resourceArn = "", tags }) => [
      { action: "states:TagResource", resource: resourceArn, context: { ...tagContext(states, resourceArn), ...tagAccess(tags) } },
    ],
    run: ({ resourceArn, tags }) => change(states, resourceArn, (before) => ({ ...before, ...readTags(tags) })),
  }),
  UntagResource: operation<UntagResourceInput, object>({
    access: ({ resourceArn = "", tagKeys = [] }) => [
      { action: "states:UntagResource", resource: resourceArn, context: { ...tagContext(states, resourceArn), "aws:TagKeys": tagKeys } },
    ],
    run: ({ resourceArn, tagKeys = [] }) =>
      change(states, resourceArn, (before) => Object.fromEntries(Object.entries(before).filter(([key]) => !tagKeys.includes(key)))),
  }),
  ListTagsForResource: operation<ListTagsForResourceInput, ListTagsForResourceOutput>({
    access: ({ resourceArn = "" }) => [
      { action: "states:ListTagsForResource", resource: resourceArn, context: tagContext(states, resourceArn) },
    ],
    run: ({ resourceArn }) => ({ tags: Object.entries(taggable(states, resourceArn).tags).map(([key, value]) => ({ key, value })) }),
  }),
});

function taggable({ store }: States, arn: string | undefined): StateMachine {
  const key = machineKeyOfArn(arn ?? "");
  const machine = key && store.machines.get(key);
  if (machine === undefined) throw resourceNotFound(arn ?? "");
  return machine;
}

function change(states: States, arn: string | undefined, to: (before: StateMachine["tags"]) => StateMachine["tags"]): object {
  const machine = taggable(states, arn);
  states.store.machines.put(machineKey(machine), { ...machine, tags: to(machine.tags) });
  return {};
}
