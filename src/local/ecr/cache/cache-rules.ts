import type {
  CreatePullThroughCacheRuleRequest,
  CreatePullThroughCacheRuleResponse,
  DeletePullThroughCacheRuleRequest,
  DescribePullThroughCacheRulesRequest,
  DescribePullThroughCacheRulesResponse,
  PullThroughCacheRule,
  UpdatePullThroughCacheRuleRequest,
  UpdatePullThroughCacheRuleResponse,
  ValidatePullThroughCacheRuleRequest,
  ValidatePullThroughCacheRuleResponse,
} from "@aws-sdk/client-ecr";
import { pageOf } from "../../gateway/paging.ts";
import { type Call, operation } from "../../gateway/service.ts";
import { invalidParameter, ruleExists, ruleNotFound } from "../errors.ts";
import { onRegistry, onRegistryWithRole } from "../repositories/registry-policy.ts";
import type { CacheRule, Store } from "../store.ts";
import type { Upstreams } from "./upstreams.ts";
import { upstreamRegistryOf } from "./upstream-registries.ts";

const scope = (call: Call, ...rest: readonly string[]) => [call.account, call.region, ...rest];
const PREFIX = /^([a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\/?|ROOT)$/;

/** Rules by which images of upstream registries come into repositories here. */
export function cacheRuleOperations(store: Store, upstreams: Upstreams) {
  const found = (call: Call, prefix = ""): CacheRule => {
    const rule = store.cacheRules.get(scope(call, withoutSlash(prefix)));
    if (!rule) throw ruleNotFound(prefix, call.account);
    return rule;
  };
  return {
    CreatePullThroughCacheRule: createRule(store, upstreams),
    UpdatePullThroughCacheRule: operation<UpdatePullThroughCacheRuleRequest, UpdatePullThroughCacheRuleResponse>({
      access: onRegistryWithRole("UpdatePullThroughCacheRule"),
      async run({ ecrRepositoryPrefix, credentialArn, customRoleArn }, call) {
        const before = found(call, ecrRepositoryPrefix);
        if (!credentialArn && !customRoleArn)
          throw invalidParameter("'credentialArn': give the credentials or the role that is to be used");
        const rule: CacheRule = {
          ...before,
          ...(credentialArn && { credentialArn }),
          ...(customRoleArn && { customRoleArn }),
          updatedAt: upstreams.now().toISOString(),
        };
        await upstreams.checkCredentials(rule);
        store.cacheRules.put(scope(call, rule.ecrRepositoryPrefix), rule);
        const { createdAt: _created, upstreamRegistry: _registry, upstreamRegistryUrl: _url, ...answer } = asAnswer(rule);
        return answer;
      },
    }),
    DescribePullThroughCacheRules: describeRules(store, found),
    DeletePullThroughCacheRule: deleteRule(store, found),
    ValidatePullThroughCacheRule: operation<ValidatePullThroughCacheRuleRequest, ValidatePullThroughCacheRuleResponse>({
      access: onRegistry("ValidatePullThroughCacheRule"),
      async run({ ecrRepositoryPrefix }, call) {
        const rule = found(call, ecrRepositoryPrefix);
        const failure = await upstreams.failure(rule);
        const { createdAt: _created, updatedAt: _updated, upstreamRegistry: _registry, ...answer } = asAnswer(rule);
        return { ...answer, isValid: failure === undefined, ...(failure !== undefined && { failure }) };
      },
    }),
  };
}

const createRule = (store: Store, upstreams: Upstreams) =>
  operation<CreatePullThroughCacheRuleRequest, CreatePullThroughCacheRuleResponse>({
    access: onRegistryWithRole("CreatePullThroughCacheRule"),
    async run(input, call) {
      const { ecrRepositoryPrefix = "", upstreamRegistryUrl = "", upstreamRepositoryPrefix = "ROOT", credentialArn, customRoleArn } = input;
      checkPrefix("ecrRepositoryPrefix", ecrRepositoryPrefix);
      checkPrefix("upstreamRepositoryPrefix", upstreamRepositoryPrefix);
      const prefix = withoutSlash(ecrRepositoryPrefix);
      if (prefix === "ROOT" && upstreamRepositoryPrefix !== "ROOT")
        throw invalidParameter("'upstreamRepositoryPrefix': the prefix ROOT takes the upstream's ROOT alone");
      const now = upstreams.now().toISOString();
      const rule: CacheRule = {
        registryId: call.account,
        ecrRepositoryPrefix: prefix,
        upstreamRegistryUrl,
        upstreamRegistry: upstreamRegistryOf(upstreamRegistryUrl, input.upstreamRegistry),
        upstreamRepositoryPrefix: withoutSlash(upstreamRepositoryPrefix),
        ...(credentialArn && { credentialArn }),
        ...(customRoleArn && { customRoleArn }),
        createdAt: now,
        updatedAt: now,
      };
      await upstreams.checkCredentials(rule);
      if (!store.cacheRules.insert(scope(call, prefix), rule)) throw ruleExists(prefix, call.account);
      const { updatedAt: _updated, ...answer } = asAnswer(rule);
      return answer;
    },
  });

type Find = (call: Call, prefix: string) => CacheRule;

const describeRules = (store: Store, found: Find) =>
  operation<DescribePullThroughCacheRulesRequest, DescribePullThroughCacheRulesResponse>({
    access: onRegistry("DescribePullThroughCacheRules"),
    run({ ecrRepositoryPrefixes, maxResults = 100, nextToken }, call) {
      const rules =
        ecrRepositoryPrefixes?.map((prefix) => found(call, prefix)) ?? store.cacheRules.list(scope(call)).map(({ value }) => value);
      const { items, next } = pageOf(rules, {
        token: nextToken,
        limit: maxResults,
        invalid: () => invalidParameter("'nextToken': it is not a token of an earlier answer"),
      });
      return { pullThroughCacheRules: items.map(asAnswer), ...(next !== undefined && { nextToken: next }) };
    },
  });

const deleteRule = (store: Store, found: Find) =>
  operation<DeletePullThroughCacheRuleRequest, object>({
    access: onRegistry("DeletePullThroughCacheRule"),
    run({ ecrRepositoryPrefix = "" }, call) {
      const { updatedAt: _updated, upstreamRegistry: _registry, ...answer } = asAnswer(found(call, ecrRepositoryPrefix));
      const key = scope(call, withoutSlash(ecrRepositoryPrefix));
      store.transaction(() => {
        store.cacheRules.delete(key);
        for (const fetched of store.fetchedLayers.list(key)) store.fetchedLayers.delete(fetched.key);
      });
      return answer;
    },
  });

function checkPrefix(name: string, prefix: string): void {
  if (prefix !== "ROOT" && (!PREFIX.test(prefix) || prefix.length < 2 || prefix.length > 30))
    throw invalidParameter(
      `at '${name}' failed to satisfy constraint: 'must be 2 to 30 characters of the regular expression ${PREFIX.source}'`,
    );
}

/** There is always an assumed slash at the end of a prefix. */
const withoutSlash = (prefix: string): string => prefix.replace(/\/$/, "");

const asAnswer = ({ createdAt, updatedAt, ...rule }: CacheRule): PullThroughCacheRule => ({
  ...rule,
  createdAt: new Date(createdAt),
  updatedAt: new Date(updatedAt),
});
