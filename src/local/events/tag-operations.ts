import type {
  ListTagsForResourceRequest,
  ListTagsForResourceResponse,
  Tag,
  TagResourceRequest,
  UntagResourceRequest,
} from "@aws-sdk/client-eventbridge";
import { isArn, parseArn } from "../../kit/arn.ts";
import { type AnyOperation, operation } from "../gateway/service.ts";
import { resourceNotFound } from "./errors.ts";
import type { Events } from "./service-parts.ts";
import { type Rule, ruleKey } from "./store.ts";

/** Tags as a map. */
export const readTags = (tags: readonly Tag[] | undefined): Record<string, string> =>
  Object.fromEntries((tags ?? []).flatMap(({ Key, Value }) => (Key === undefined ? [] : [[Key, Value ?? ""]])));

/** Condition keys of a request that sets tags. */
export function requestTags(tags: readonly Tag[] | undefined): Record<string, string | readonly string[]> {
  const given = readTags(tags);
  if (Object.keys(given).length === 0) return {};
  return {
    ...Object.fromEntries(Object.entries(given).map(([key, value]) => [`aws:RequestTag/${key}`, value])),
    "aws:TagKeys": Object.keys(given),
  };
}

/** Tags of rules. */
export const tagOperations = (events: Events): Readonly<Record<string, AnyOperation>> => ({
  TagResource: operation<TagResourceRequest, object>({
    access: ({ ResourceARN = "", Tags }) => [{ action: "events:TagResource", resource: ResourceARN, context: requestTags(Tags) }],
    run: ({ ResourceARN, Tags }) => change(events, ResourceARN, (before) => ({ ...before, ...readTags(Tags) })),
  }),
  UntagResource: operation<UntagResourceRequest, object>({
    access: ({ ResourceARN = "", TagKeys = [] }) => [
      { action: "events:UntagResource", resource: ResourceARN, context: { "aws:TagKeys": TagKeys } },
    ],
    run: ({ ResourceARN, TagKeys = [] }) =>
      change(events, ResourceARN, (before) => Object.fromEntries(Object.entries(before).filter(([key]) => !TagKeys.includes(key)))),
  }),
  ListTagsForResource: operation<ListTagsForResourceRequest, ListTagsForResourceResponse>({
    access: ({ ResourceARN = "" }) => [{ action: "events:ListTagsForResource", resource: ResourceARN }],
    run: ({ ResourceARN }) => ({ Tags: Object.entries(taggable(events, ResourceARN).tags).map(([Key, Value]) => ({ Key, Value })) }),
  }),
});

function taggable({ store }: Events, arn = ""): Rule {
  const { account, region, resource } = isArn(arn) ? parseArn(arn) : { account: "", region: "", resource: "" };
  const rule = store.rules.get([account, region, resource.replace(/^rule\/(default\/)?/, "")]);
  if (rule === undefined) throw resourceNotFound(arn);
  return rule;
}

function change(events: Events, arn: string | undefined, to: (before: Rule["tags"]) => Rule["tags"]): object {
  const rule = taggable(events, arn);
  events.store.rules.put(ruleKey(rule), { ...rule, tags: to(rule.tags) });
  return {};
}
