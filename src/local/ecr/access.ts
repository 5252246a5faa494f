import type { Access, Call } from "../gateway/service.ts";
import { ruleOf, templateOf } from "./prefixes.ts";
import { keyOf, type Place, type Repository, repositoryArn, type Store } from "./store.ts";

interface Named {
  readonly registryId?: string | undefined;
  readonly repositoryName?: string | undefined;
}

/** The repository an input names, in the caller's registry unless it names another. */
export const placeOf = (input: Named, call: Pick<Call, "account" | "region">): Place => ({
  account: input.registryId ?? call.account,
  region: call.region,
  name: input.repositoryName ?? "",
});

/** What IAM must allow for an action on a repository, with its tags, its policy and its registry's. */
export function accessTo(store: Store, action: string, place: Place, context: Access["context"] = {}): Access {
  const repository = store.repositories.get(keyOf(place));
  const tags = Object.entries(repository?.tags ?? {}).flatMap(([key, value]) => [
    [`aws:ResourceTag/${key}`, value],
    [`ecr:ResourceTag/${key}`, value],
  ]);
  return {
    action: `ecr:${action}`,
    resource: repositoryArn(place),
    context: { ...(Object.fromEntries(tags) as Record<string, string>), "aws:ResourceAccount": place.account, ...context },
    resourcePolicy: { ...policyOf(store, place, { action, repository }), account: place.account },
  };
}

/**
 * A registry's policy and a repository's have a say in every action (registry policy scope V2,
 * userguide/registry-permissions.html): as one document, in which an explicit deny of either wins.
 */
function policyOf(
  store: Store,
  place: Place,
  { action, repository }: { readonly action: string; readonly repository: Repository | undefined },
): { readonly document: string | undefined; readonly name: string } {
  const own = repository ? repository.policy : policyToCome(store, place, action);
  const registry = store.registryPolicies.get([place.account, place.region])?.policy;
  if (own === undefined && registry !== undefined) return { document: registry, name: `the policy of registry ${place.account}` };
  const name = `the policy of repository ${place.name}`;
  return registry === undefined || own === undefined
    ? { document: own, name }
    : { document: together(own, registry), name: `${name} or of its registry` };
}

/** What a repository's policy will be that the read itself brings into being through a pull-through cache. */
function policyToCome(store: Store, place: Place, action: string): string | undefined {
  const isRead = action === "BatchGetImage" || action === "BatchImportUpstreamImage";
  return isRead && ruleOf(store, place) ? templateOf(store, place, "PULL_THROUGH_CACHE")?.repositoryPolicy : undefined;
}

type Policy = { readonly Statement?: unknown };

const together = (...documents: readonly string[]): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: documents.flatMap((text) => (JSON.parse(text) as Policy).Statement ?? []) });

/** `access` of an operation on one repository. */
export const on =
  (store: Store, ...actions: readonly string[]) =>
  (input: Named, call: Call): readonly Access[] =>
    actions.map((action) => accessTo(store, action, placeOf(input, call)));

/** Condition keys of tags that a request carries. */
export const tagContext = (
  tags: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined,
): Record<string, string | readonly string[]> =>
  !tags || tags.length === 0
    ? {}
    : {
        ...Object.fromEntries(tags.map(({ Key = "", Value = "" }) => [`aws:RequestTag/${Key}`, Value])),
        "aws:TagKeys": tags.map(({ Key = "" }) => Key),
      };
