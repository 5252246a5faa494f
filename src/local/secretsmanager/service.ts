import type { ServiceFactory } from "../gateway/service.ts";
import { secretOperations } from "./operations.ts";
import { secretStore } from "./store.ts";

/** AWS Secrets Manager: values, no rotation. */
export const secretsManagerService: ServiceFactory = (core) => ({
  name: "secretsmanager",
  wire: { kind: "sdk", protocol: "json1.1", model: () => import("@aws-sdk/client-secrets-manager") },
  operations: secretOperations(core, secretStore(core.database)),
});
