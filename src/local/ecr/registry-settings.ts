import type {
  CreatePullThroughCacheRuleRequest, CreateRepositoryCreationTemplateRequest, DeletePullThroughCacheRuleRequest, DeleteRepositoryCreationTemplateRequest, DescribePullThroughCacheRulesRequest, DescribeRepositoryCreationTemplatesRequest, PutRegistryPolicyRequest,
} from "@aws-sdk/client-ecr";
import { type AnyOperation, type Call, type Core, operation } from "../gateway/service.ts";
import { registryPolicyNotFound, ruleExists, ruleNotFound, templateExists, templateNotFound } from "./errors.ts";
import type { Store } from "./store.ts";

const registry = (action: string) => () => [{ action: `ecr:${action}`, resource: "*" }];
const scope = (call: Call, ...rest: readonly string[]) => [call.account, call.region, ...rest];

/** What is set on a whole registry: its policy, pull-through cache rules, repository creation templates. */
export function registryOperations(core: Core, store: Store): Record<string, AnyOperation> {
  return { ...policyOperations(store), ...ruleOperations(core, store), ...templateOperations(core, store) };
}

const policyOperations = (store: Store) => ({
  PutRegistryPolicy: operation<PutRegistryPolicyRequest, object>({
    access: registry("PutRegistryPolicy"),
    run(input, call) {
      store.registryPolicies.put(scope(call), { policy: input.policyText ?? "" });
      return { registryId: call.account, policyText: input.policyText };
    },
  }),
  GetRegistryPolicy: operation<object, object>({
    access: registry("GetRegistryPolicy"),
    run(_input, call) {
      const found = store.registryPolicies.get(scope(call));
      if (!found) throw registryPolicyNotFound(call.account);
      return { registryId: call.account, policyText: found.policy };
    },
  }),
  DeleteRegistryPolicy: operation<object, object>({
    access: registry("DeleteRegistryPolicy"),
    run(_input, call) {
      const found = store.registryPolicies.get(scope(call));
      if (!found) throw registryPolicyNotFound(call.account);
      store.registryPolicies.delete(scope(call));
      return { registryId: call.account, policyText: found.policy };
    },
  }),
  DescribeRegistry: operation<object, object>({
    access: registry("DescribeRegistry"),
    run: (_input, call) => ({ registryId: call.account, replicationConfiguration: { rules: [] } }),
  }),
});

const ruleOperations = (core: Core, store: Store) => ({
  CreatePullThroughCacheRule: operation<CreatePullThroughCacheRuleRequest, object>({
    access: registry("CreatePullThroughCacheRule"),
    run(input, call) {
      const prefix = input.ecrRepositoryPrefix ?? "";
      const rule = { ...input, registryId: call.account, createdAt: core.clock.now().toISOString() };
      if (!store.cacheRules.insert(scope(call, prefix), rule)) throw ruleExists(prefix);
      return { ...rule, createdAt: new Date(rule.createdAt) };
    },
  }),
  DescribePullThroughCacheRules: operation<DescribePullThroughCacheRulesRequest, object>({
    access: registry("DescribePullThroughCacheRules"),
    run(input, call) {
      const missing = input.ecrRepositoryPrefixes?.find((prefix) => !store.cacheRules.get(scope(call, prefix)));
      if (missing) throw ruleNotFound(missing);
      const all = store.cacheRules.list(scope(call)).map((entry) => entry.value);
      return { pullThroughCacheRules: all.filter((rule) => !input.ecrRepositoryPrefixes || input.ecrRepositoryPrefixes.includes(String(rule["ecrRepositoryPrefix"]))).map((rule) => ({ ...rule, createdAt: new Date(String(rule["createdAt"])) })) };
    },
  }),
  DeletePullThroughCacheRule: operation<DeletePullThroughCacheRuleRequest, object>({
    access: registry("DeletePullThroughCacheRule"),
    run(input, call) {
      const prefix = input.ecrRepositoryPrefix ?? "";
      const rule = store.cacheRules.get(scope(call, prefix));
      if (!rule) throw ruleNotFound(prefix);
      store.cacheRules.delete(scope(call, prefix));
      return { ...rule, createdAt: new Date(String(rule["createdAt"])) };
    },
  }),
});

const templateOperations = (core: Core, store: Store) => ({
  CreateRepositoryCreationTemplate: operation<CreateRepositoryCreationTemplateRequest, object>({
    access: registry("CreateRepositoryCreationTemplate"),
    run(input, call) {
      const prefix = input.prefix ?? "";
      const template = { ...input, createdAt: core.clock.now().toISOString() };
      if (!store.templates.insert(scope(call, prefix), template)) throw templateExists(prefix);
      return { registryId: call.account, repositoryCreationTemplate: { ...template, createdAt: new Date(template.createdAt) } };
    },
  }),
  DescribeRepositoryCreationTemplates: operation<DescribeRepositoryCreationTemplatesRequest, object>({
    access: registry("DescribeRepositoryCreationTemplates"),
    run(input, call) {
      const all = store.templates.list(scope(call)).map((entry) => entry.value);
      return { registryId: call.account, repositoryCreationTemplates: all.filter((template) => !input.prefixes || input.prefixes.includes(String(template["prefix"]))).map((template) => ({ ...template, createdAt: new Date(String(template["createdAt"])) })) };
    },
  }),
  DeleteRepositoryCreationTemplate: operation<DeleteRepositoryCreationTemplateRequest, object>({
    access: registry("DeleteRepositoryCreationTemplate"),
    run(input, call) {
      const prefix = input.prefix ?? "";
      const template = store.templates.get(scope(call, prefix));
      if (!template) throw templateNotFound(prefix);
      store.templates.delete(scope(call, prefix));
      return { registryId: call.account, repositoryCreationTemplate: { ...template, createdAt: new Date(String(template["createdAt"])) } };
    },
  }),
});
