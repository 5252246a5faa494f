import type { ListTagsForResourceRequest, TagResourceRequest, UntagResourceRequest } from "../../model/generated/types.ts";
import type { Access, AnyOperation } from "../gateway/service.ts";
import { anyArn } from "./arns.ts";
import { declare } from "./declare.ts";
import { resourceNotFound } from "./errors.ts";
import type { Omics } from "./omics.ts";
import type { Tags } from "./store.ts";
import { checkTags, tagContext } from "./tag-rules.ts";

/** Tags of workflows, versions, runs and run groups. */
export function tagOperations(omics: Omics): Readonly<Record<string, AnyOperation>> {
  const { random } = omics.core;
  return {
    TagResource: declare<TagResourceRequest, unknown>("TagResource", random, {
      access: ({ resourceArn, tags }): readonly Access[] => [
        { action: "omics:TagResource", resource: resourceArn, context: tagContext(tags) },
      ],
      run({ resourceArn, tags }) {
        const resource = findTagged(omics, resourceArn);
        const merged = { ...resource.tags, ...tags };
        checkTags(merged, omics.quotas);
        resource.write(merged);
        return {};
      },
    }),
    UntagResource: declare<UntagResourceRequest, unknown>("UntagResource", random, {
      access: ({ resourceArn, tagKeys }): readonly Access[] => [
        { action: "omics:UntagResource", resource: resourceArn, context: { "aws:TagKeys": tagKeys } },
      ],
      run({ resourceArn, tagKeys }) {
        const resource = findTagged(omics, resourceArn);
        resource.write(Object.fromEntries(Object.entries(resource.tags).filter(([key]) => !tagKeys.includes(key))));
        return {};
      },
    }),
    ListTagsForResource: declare<ListTagsForResourceRequest, unknown>("ListTagsForResource", random, {
      // It knows no resource, unlike the other two (service-authorization/latest/reference/list_omics.html).
      access: (): readonly Access[] => [{ action: "omics:ListTagsForResource", resource: anyArn }],
      run: ({ resourceArn }) => ({ tags: findTagged(omics, resourceArn).tags }),
    }),
  };
}

interface Tagged {
  readonly tags: Tags;
  write(tags: Tags): void;
}

/** @throws AwsError ResourceNotFoundException */
function findTagged({ store }: Omics, arn: string): Tagged {
  const [, , service, region = "", account = "", ...rest] = arn.split(":");
  const [kind, id = "", versions, name] = rest.join(":").split("/");
  const key = [account, region, id];
  if (service === "omics" && kind === "workflow" && versions === "version" && name !== undefined) {
    const version = store.versions.get([...key, name]);
    if (version) return { tags: version.tags, write: (tags) => store.versions.put([...key, name], { ...version, tags }) };
  } else if (service === "omics" && versions === undefined) {
    const found = taggedById(store, kind ?? "", key);
    if (found) return found;
  }
  throw resourceNotFound(arn);
}

function taggedById({ workflows, runs, runGroups }: Omics["store"], kind: string, key: readonly string[]): Tagged | undefined {
  const workflow = kind === "workflow" ? workflows.get(key) : undefined;
  if (workflow) return { tags: workflow.tags, write: (tags) => workflows.put(key, { ...workflow, tags }) };
  const run = kind === "run" ? runs.get(key) : undefined;
  if (run) return { tags: run.tags, write: (tags) => runs.put(key, { ...run, tags }) };
  const group = kind === "runGroup" ? runGroups.get(key) : undefined;
  return group && { tags: group.tags, write: (tags) => runGroups.put(key, { ...group, tags }) };
}
