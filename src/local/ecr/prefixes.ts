import type { RCTAppliedFor } from "@aws-sdk/client-ecr";
import type { CacheRule, Place, Store, Template } from "./store.ts";

/** The rule that brings images of a repository from upstream: the one with the longest prefix, then ROOT. */
export const ruleOf = (store: Store, place: Place): CacheRule | undefined =>
  longest(place, (prefix) => store.cacheRules.get([place.account, place.region, prefix]));

/** What a repository gets that ECR creates: the template with the longest prefix for this case, then ROOT. */
export const templateOf = (store: Store, place: Place, applied: RCTAppliedFor): Template | undefined =>
  longest(place, (prefix) => {
    const template = store.templates.get([place.account, place.region, prefix]);
    return template?.appliedFor?.includes(applied) ? template : undefined;
  });

function longest<T>({ name }: Place, find: (prefix: string) => T | undefined): T | undefined {
  for (let end = name.lastIndexOf("/"); end > 0; end = name.lastIndexOf("/", end - 1)) {
    const found = find(name.slice(0, end));
    if (found !== undefined) return found;
  }
  return find("ROOT");
}

/** The name of a repository in the upstream registry: its prefix exchanged for the upstream's (userguide/pull-through-cache-private-wildcards.html). */
export function upstreamName({ ecrRepositoryPrefix, upstreamRepositoryPrefix }: CacheRule, { name }: Place): string {
  const rest = ecrRepositoryPrefix === "ROOT" ? name : name.slice(ecrRepositoryPrefix.length + 1);
  return upstreamRepositoryPrefix === "ROOT" ? rest : `${upstreamRepositoryPrefix}/${rest}`;
}
