import type { ListTagsRequest, ListTagsResponse, TagResourceRequest, UntagResourceRequest } from "@aws-sdk/client-lambda";
import { type AnyOperation, operation } from "../gateway/service.ts";
import { findFunction, functionAccess, type Lambda } from "./service-parts.ts";
import { functionKey } from "./store.ts";

/** Condition keys of a request that sets tags. */
export function requestTags(tags: Readonly<Record<string, string>> | undefined): Record<string, string | readonly string[]> {
  const entries = Object.entries(tags ?? {});
  if (entries.length === 0) return {};
  return {
    ...Object.fromEntries(entries.map(([key, value]) => [`aws:RequestTag/${key}`, value])),
    "aws:TagKeys": entries.map(([key]) => key),
  };
}

/** Tags of functions. */
export const tagOperations = (lambda: Lambda): Readonly<Record<string, AnyOperation>> => ({
  TagResource: operation<TagResourceRequest, object>({
    access: ({ Resource, Tags }, call) => [
      { ...functionAccess(lambda, "TagResource", call, { FunctionName: Resource }), context: requestTags(Tags) },
    ],
    run({ Resource, Tags }, call) {
      const of = findFunction(lambda, call, { FunctionName: Resource });
      lambda.store.functions.put(functionKey(of), { ...of, tags: { ...of.tags, ...Tags } });
      return {};
    },
  }),
  UntagResource: operation<UntagResourceRequest, object>({
    access: ({ Resource, TagKeys = [] }, call) => [
      { ...functionAccess(lambda, "UntagResource", call, { FunctionName: Resource }), context: { "aws:TagKeys": TagKeys } },
    ],
    run({ Resource, TagKeys = [] }, call) {
      const of = findFunction(lambda, call, { FunctionName: Resource });
      const tags = Object.fromEntries(Object.entries(of.tags).filter(([key]) => !TagKeys.includes(key)));
      lambda.store.functions.put(functionKey(of), { ...of, tags });
      return {};
    },
  }),
  ListTags: operation<ListTagsRequest, ListTagsResponse>({
    access: ({ Resource }, call) => [functionAccess(lambda, "ListTags", call, { FunctionName: Resource })],
    run: ({ Resource }, call) => ({ Tags: findFunction(lambda, call, { FunctionName: Resource }).tags }),
  }),
});
