import type { PutRegistryPolicyRequest } from "@aws-sdk/client-ecr";
import { type Call, type Core, operation } from "../../gateway/service.ts";
import { registryPolicyNotFound } from "../errors.ts";
import { checkedPolicy } from "./repository-policies.ts";
import type { Store } from "../store.ts";

/** `access` of an operation on a whole registry. */
export const onRegistry = (action: string) => () => [{ action: `ecr:${action}`, resource: "*" }];

/** The same where ECR is given a role to act as (userguide/repository-creation-templates-create.html). */
export const onRegistryWithRole =
  (action: string) =>
  ({ customRoleArn }: { readonly customRoleArn?: string | undefined }) => [
    ...onRegistry(action)(),
    ...(customRoleArn
      ? [{ action: "iam:PassRole", resource: customRoleArn, context: { "iam:PassedToService": "ecr.amazonaws.com" } }]
      : []),
  ];

const scope = (call: Call): [string, string] => [call.account, call.region];

/** The policy of a registry, asked together with those of its repositories. */
export function registryPolicyOperations(core: Core, store: Store) {
  const found = (call: Call): string => {
    const { policy } = store.registryPolicies.get(scope(call)) ?? {};
    if (policy === undefined) throw registryPolicyNotFound(call.account);
    return policy;
  };
  return {
    PutRegistryPolicy: operation<PutRegistryPolicyRequest, object>({
      access: onRegistry("PutRegistryPolicy"),
      run(input, call) {
        const policy = checkedPolicy(core, input.policyText, { name: "policyText", what: "registry" });
        store.registryPolicies.put(scope(call), { policy });
        return { registryId: call.account, policyText: policy };
      },
    }),
    GetRegistryPolicy: operation<object, object>({
      access: onRegistry("GetRegistryPolicy"),
      run: (_input, call) => ({ registryId: call.account, policyText: found(call) }),
    }),
    DeleteRegistryPolicy: operation<object, object>({
      access: onRegistry("DeleteRegistryPolicy"),
      run(_input, call) {
        const policyText = found(call);
        store.registryPolicies.delete(scope(call));
        return { registryId: call.account, policyText };
      },
    }),
    DescribeRegistry: operation<object, object>({
      access: onRegistry("DescribeRegistry"),
      run: (_input, call) => ({ registryId: call.account, replicationConfiguration: { rules: [] } }),
    }),
  };
}
