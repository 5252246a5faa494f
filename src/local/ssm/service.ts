import type { ServiceFactory } from "../gateway/service.ts";
import { describingOperations } from "./describing.ts";
import { readingOperations } from "./reading.ts";
import { ssmResources } from "./resources.ts";
import { parameterStore } from "./store.ts";
import { writingOperations } from "./writing.ts";

/** AWS Systems Manager Parameter Store. */
export const ssmService: ServiceFactory = (core) => {
  const store = parameterStore(core.database);
  return {
    name: "ssm",
    wire: { kind: "sdk", protocol: "json1.1", model: () => import("@aws-sdk/client-ssm") },
    operations: { ...readingOperations(core, store), ...writingOperations(core, store), ...describingOperations(store) },
    resources: ssmResources,
  };
};
