import type { Service, ServiceFactory } from "../gateway/service.ts";
import { openCloudFormation } from "./cloudformation.ts";
import { changeSetOperations } from "./operations/change-sets.ts";
import { descriptionOperations } from "./operations/descriptions.ts";
import { exportOperations } from "./operations/exports.ts";
import { stackOperations } from "./operations/stacks.ts";
import { templateOperations } from "./operations/templates.ts";
import { cloudformationResources } from "./resources.ts";

/** AWS CloudFormation: stacks, change sets and templates of every local account. */
export const cloudformationService: ServiceFactory = (core): Service => {
  const cloudformation = openCloudFormation(core);
  const resources = cloudformationResources(cloudformation);
  return {
    name: "cloudformation",
    wire: { kind: "sdk", protocol: "query", model: () => import("@aws-sdk/client-cloudformation") },
    operations: {
      ...changeSetOperations(cloudformation),
      ...stackOperations(cloudformation),
      ...descriptionOperations(cloudformation),
      ...templateOperations(cloudformation),
      ...exportOperations(cloudformation),
    },
    resources: resources.providers,
    paths: [resources.responses],
    recover() {
      for (const { id } of cloudformation.store.stacks.running()) void cloudformation.carryOn(id);
    },
  };
};
