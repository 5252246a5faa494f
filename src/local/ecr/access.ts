import type { Access, Call } from "../gateway/service.ts";
import { keyOf, type Place, repositoryArn, type Store } from "./store.ts";

interface Named {
  readonly registryId?: string | undefined;
  readonly repositoryName?: string | undefined;
}

/** The repository an input names, in the caller's registry unless it names another. */
export const placeOf = (input: Named, call: Pick<Call, "account" | "region">): Place => ({ account: input.registryId ?? call.account, region: call.region, name: input.repositoryName ?? "" });

/** What IAM must allow for an action on a repository, with its policy and its tags. */
export function accessTo(store: Store, action: string, place: Place, context: Access["context"] = {}): Access {
  const repository = store.repositories.get(keyOf(place));
  const tags = Object.entries(repository?.tags ?? {}).flatMap(([key, value]) => [[`aws:ResourceTag/${key}`, value], [`ecr:ResourceTag/${key}`, value]]);
  return {
    action: `ecr:${action}`,
    resource: repositoryArn(place),
    context: { ...(Object.fromEntries(tags) as Record<string, string>), "aws:ResourceAccount": place.account, ...context },
    resourcePolicy: { document: repository?.policy, name: `the policy of repository ${place.name}`, account: place.account },
  };
}

/** `access` of an operation on one repository. */
export const on = (store: Store, ...actions: readonly string[]) => (input: Named, call: Call): readonly Access[] => actions.map((action) => accessTo(store, action, placeOf(input, call)));

/** Condition keys of tags that a request carries. */
export const tagContext = (tags: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined): Record<string, string | readonly string[]> =>
  !tags || tags.length === 0 ? {} : { ...Object.fromEntries(tags.map(({ Key = "", Value = "" }) => [`aws:RequestTag/${Key}`, Value])), "aws:TagKeys": tags.map(({ Key = "" }) => Key) };
