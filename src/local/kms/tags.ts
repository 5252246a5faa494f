import type { ListResourceTagsRequest, ListResourceTagsResponse, Tag, TagResourceRequest, UntagResourceRequest } from "@aws-sdk/client-kms";

import { type AnyOperation, operation } from "../gateway/service.ts";
import { accessToKey, change, find, type Kms } from "./keys.ts";

/** Condition keys of a request that brings tags. */
export const tagContext = (tags: readonly Tag[] | undefined): Record<string, string | readonly string[]> =>
  tags
    ? {
        "aws:TagKeys": tags.map(({ TagKey }) => TagKey ?? ""),
        ...Object.fromEntries(tags.map(({ TagKey, TagValue }) => [`aws:RequestTag/${TagKey}`, TagValue ?? ""])),
      }
    : {};

export const tagMap = (tags: readonly Tag[] = []): Readonly<Record<string, string>> =>
  Object.fromEntries(tags.map(({ TagKey, TagValue }) => [TagKey ?? "", TagValue ?? ""]));

/** Tags of keys. */
export const tagOperations = (kms: Kms): Readonly<Record<string, AnyOperation>> => ({
  TagResource: operation<TagResourceRequest, object>({
    access: accessToKey(kms, "TagResource", ({ Tags }) => tagContext(Tags)),
    run({ KeyId, Tags }, call) {
      change(kms, call, { keyId: KeyId, change: (key) => ({ ...key, tags: { ...key.tags, ...tagMap(Tags) } }) });
      return {};
    },
  }),
  UntagResource: operation<UntagResourceRequest, object>({
    access: accessToKey(kms, "UntagResource", ({ TagKeys = [] }) => ({ "aws:TagKeys": TagKeys })),
    run({ KeyId, TagKeys = [] }, call) {
      change(kms, call, {
        keyId: KeyId,
        change: (key) => ({ ...key, tags: Object.fromEntries(Object.entries(key.tags).filter(([name]) => !TagKeys.includes(name))) }),
      });
      return {};
    },
  }),
  ListResourceTags: operation<ListResourceTagsRequest, ListResourceTagsResponse>({
    access: accessToKey(kms, "ListResourceTags"),
    run: ({ KeyId }, call) => ({
      Tags: Object.entries(find(kms, KeyId, call).tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue })),
      Truncated: false,
    }),
  }),
});
