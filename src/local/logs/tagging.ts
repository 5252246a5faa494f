import type {
  ListTagsForResourceRequest,
  ListTagsForResourceResponse,
  ListTagsLogGroupRequest,
  ListTagsLogGroupResponse,
  TagLogGroupRequest,
  TagResourceRequest,
  UntagLogGroupRequest,
  UntagResourceRequest,
} from "@aws-sdk/client-cloudwatch-logs";

import { type AnyOperation, type Call, operation } from "../gateway/service.ts";
import { changeGroup, requestTags } from "./groups.ts";
import { findGroup, groupArn, groupName } from "./names.ts";
import type { LogGroup, LogStore } from "./store.ts";

type Tags = Readonly<Record<string, string>>;

const withTags =
  (tags: Tags) =>
  (group: LogGroup): LogGroup => ({ ...group, tags: { ...group.tags, ...tags } });
const withoutTags =
  (keys: readonly string[]) =>
  (group: LogGroup): LogGroup => ({
    ...group,
    tags: Object.fromEntries(Object.entries(group.tags).filter(([key]) => !keys.includes(key))),
  });

type Context = Readonly<Record<string, string | readonly string[]>>;

const on = (action: string, call: Call, of: { readonly group: string | undefined; readonly context?: Context }) => [
  { action: `logs:${action}`, resource: groupArn(call, groupName(of.group)), context: of.context ?? {} },
];

/** Tags of log groups: the operations by ARN, and the older ones by name. */
export const taggingOperations = (store: LogStore): Readonly<Record<string, AnyOperation>> => ({
  TagResource: operation<TagResourceRequest, object>({
    access: ({ resourceArn, tags }, call) => on("TagResource", call, { group: resourceArn, context: requestTags(tags) }),
    run({ resourceArn, tags = {} }, call) {
      changeGroup(store, call, { name: groupName(resourceArn), change: withTags(tags) });
      return {};
    },
  }),
  UntagResource: operation<UntagResourceRequest, object>({
    access: ({ resourceArn, tagKeys = [] }, call) => on("UntagResource", call, { group: resourceArn, context: { "aws:TagKeys": tagKeys } }),
    run({ resourceArn, tagKeys = [] }, call) {
      changeGroup(store, call, { name: groupName(resourceArn), change: withoutTags(tagKeys) });
      return {};
    },
  }),
  ListTagsForResource: operation<ListTagsForResourceRequest, ListTagsForResourceResponse>({
    access: ({ resourceArn }, call) => on("ListTagsForResource", call, { group: resourceArn }),
    run: ({ resourceArn }, call) => ({ tags: findGroup(store, call, groupName(resourceArn)).tags }),
  }),
  TagLogGroup: operation<TagLogGroupRequest, object>({
    access: ({ logGroupName, tags }, call) => on("TagLogGroup", call, { group: logGroupName, context: requestTags(tags) }),
    run({ logGroupName, tags = {} }, call) {
      changeGroup(store, call, { name: groupName(logGroupName), change: withTags(tags) });
      return {};
    },
  }),
  UntagLogGroup: operation<UntagLogGroupRequest, object>({
    access: ({ logGroupName, tags = [] }, call) => on("UntagLogGroup", call, { group: logGroupName, context: { "aws:TagKeys": tags } }),
    run({ logGroupName, tags = [] }, call) {
      changeGroup(store, call, { name: groupName(logGroupName), change: withoutTags(tags) });
      return {};
    },
  }),
  ListTagsLogGroup: operation<ListTagsLogGroupRequest, ListTagsLogGroupResponse>({
    access: ({ logGroupName }, call) => on("ListTagsLogGroup", call, { group: logGroupName }),
    run: ({ logGroupName }, call) => ({ tags: findGroup(store, call, groupName(logGroupName)).tags }),
  }),
});
