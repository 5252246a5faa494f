import { type ECRClient, paginateDescribePullThroughCacheRules } from "@aws-sdk/client-ecr";
import { DOCKER_HUB, type ImageRef } from "../../../kit/image-ref.ts";

/** A rule of ECR's pull-through cache: which repositories it fills, and from where. */
export interface CacheRule {
  /** `quay` for `quay/…`; `ROOT` for all repositories. */
  readonly prefix: string;
  /** The registry's name, as in an image's address. */
  readonly registry: string;
  /** What stands before the rest of the name upstream; `ROOT` for nothing. */
  readonly upstreamPrefix: string;
}

/** The account's rules; none where the caller may not see them. */
export async function readCacheRules(client: ECRClient): Promise<readonly CacheRule[]> {
  const rules: CacheRule[] = [];
  try {
    for await (const { pullThroughCacheRules = [] } of paginateDescribePullThroughCacheRules({ client }, {}))
      for (const {
        ecrRepositoryPrefix: prefix = "ROOT",
        upstreamRegistryUrl: url = "",
        upstreamRepositoryPrefix: upstreamPrefix = "ROOT",
      } of pullThroughCacheRules)
        rules.push({ prefix, registry: url === "registry-1.docker.io" ? DOCKER_HUB : url, upstreamPrefix });
    return rules;
  } catch (error) {
    if ((error as Error).name.startsWith("AccessDenied")) return [];
    throw error;
  }
}

/** Whether ECR's cache brings images into a repository, of whichever registry. */
export const isFilled = (rules: readonly CacheRule[], repository: string): boolean => ruleOf(rules, repository) !== undefined;

/** The rule with the longest prefix decides. */
const ruleOf = (rules: readonly CacheRule[], repository: string): CacheRule | undefined =>
  rules.filter(({ prefix }) => prefix === "ROOT" || repository.startsWith(`${prefix}/`)).toSorted((a, b) => lengthOf(b) - lengthOf(a))[0];

/**
 * Whether ECR brings exactly this image by itself when the target is asked for.
 * @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-private-wildcards.html
 */
export function isCached(rules: readonly CacheRule[], source: ImageRef, target: ImageRef): boolean {
  const rule = ruleOf(rules, target.repository);
  if (!rule || rule.registry !== source.registry) return false;
  const rest = rule.prefix === "ROOT" ? target.repository : target.repository.slice(rule.prefix.length + 1);
  return source.repository === (rule.upstreamPrefix === "ROOT" ? rest : `${rule.upstreamPrefix}/${rest}`);
}

const lengthOf = ({ prefix }: CacheRule): number => (prefix === "ROOT" ? 0 : prefix.length);
