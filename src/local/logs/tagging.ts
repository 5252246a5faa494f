import type {
  ListTagsForResourceRequest, ListTagsForResourceResponse, ListTagsLogGroupRequest, ListTagsLogGroupResponse, TagLogGroupRequest, TagResourceRequest,
  UntagLogGroupRequest, UntagResourceRequest,
} from "@aws-sdk/client-cloudwatch-logs";

import { type AnyOperation, type Call, operation } from "../gateway/service.ts";
import { changeGroup, requestTags } from "./groups.ts";
import { findGroup, groupArn, groupName } from "./names.ts";
import type { LogGroup, LogStore } from "./store.ts";

type Tags = Readonly<Record<string, string>>;

const withTags = (tags: Tags) => (group: LogGroup): LogGroup => ({ ...group, tags: { ...group.tags, ...tags } });
const withoutTags = (keys: readonly string[]) => (group: LogGroup): LogGroup => ({
  ...group, tags: Object.fromEntries(Object.entries(group.tags).filter(([key]) => !keys.includes(key))),
});

const on = (action: string, identifier: string | undefined, call: Call, context: Record<string, string | readonly string[]> = {}) => [
  { action: `logs:${action}`, resource: groupArn(call, groupName(identifier)), context },
];

/** Tags of log groups: the operations by ARN, and the older ones by name. */
export const taggingOperations = (store: LogStore): Readonly<Record<string, AnyOperation>> => ({
  TagResource: operation<TagResourceRequest, object>({
    access: ({ resourceArn, tags }, call) => on("TagResource", resourceArn, call, requestTags(tags)),
    run({ resourceArn, tags = {} }, call) {
      changeGroup(store, call, { name: groupName(resourceArn), change: withTags(tags) });
      return {};
    },
  }),
  UntagResource: operation<UntagResourceRequest, object>({
    access: ({ resourceArn, tagKeys = [] }, call) => on("UntagResource", resourceArn, call, { "aws:TagKeys": tagKeys }),
    run({ resourceArn, tagKeys = [] }, call) {
      changeGroup(store, call, { name: groupName(resourceArn), change: withoutTags(tagKeys) });
      return {};
    },
  }),
  ListTagsForResource: operation<ListTagsForResourceRequest, ListTagsForResourceResponse>({
    access: ({ resourceArn }, call) => on("ListTagsForResource", resourceArn, call),
    run: ({ resourceArn }, call) => ({ tags: findGroup(store, call, groupName(resourceArn)).tags }),
  }),
  TagLogGroup: operation<TagLogGroupRequest, object>({
    access: ({ logGroupName, tags }, call) => on("TagLogGroup", logGroupName, call, requestTags(tags)),
    run({ logGroupName, tags = {} }, call) {
      changeGroup(store, call, { name: groupName(logGroupName), change: withTags(tags) });
      return {};
    },
  }),
  UntagLogGroup: operation<UntagLogGroupRequest, object>({
    access: ({ logGroupName, tags = [] }, call) => on("UntagLogGroup", logGroupName, call, { "aws:TagKeys": tags }),
    run({ logGroupName, tags = [] }, call) {
      changeGroup(store, call, { name: groupName(logGroupName), change: withoutTags(tags) });
      return {};
    },
  }),
  ListTagsLogGroup: operation<ListTagsLogGroupRequest, ListTagsLogGroupResponse>({
    access: ({ logGroupName }, call) => on("ListTagsLogGroup", logGroupName, call),
    run: ({ logGroupName }, call) => ({ tags: findGroup(store, call, groupName(logGroupName)).tags }),
  }),
});
