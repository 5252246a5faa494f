import type { ServiceFactory } from "../gateway/service.ts";
import { heldPolicyOperations } from "./held-policies.ts";
import { managedPolicyOperations } from "./managed-policies.ts";
import { policyVersionOperations } from "./policy-versions.ts";
import { iamResources } from "./resources.ts";
import { roleOperations } from "./roles.ts";
import { iamStore } from "./store.ts";
import { taggingOperations } from "./tagging.ts";
import { userOperations } from "./users.ts";

/** AWS Identity and Access Management: users, roles and policies. `authorization/` decides with them. */
export const iamService: ServiceFactory = (core) => {
  const store = iamStore(core.database);
  return {
    name: "iam",
    wire: { kind: "sdk", protocol: "query", model: () => import("@aws-sdk/client-iam") },
    operations: {
      ...roleOperations(core, store),
      ...userOperations(core, store),
      ...heldPolicyOperations(store),
      ...managedPolicyOperations(core, store),
      ...policyVersionOperations(core, store),
      ...taggingOperations(store),
    },
    resources: iamResources,
  };
};
