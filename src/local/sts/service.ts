import type { ServiceFactory } from "../gateway/service.ts";
import { iamStore } from "../iam/store.ts";
import { stsOperations } from "./operations.ts";

/** AWS Security Token Service: who am I, and who may I become. */
export const stsService: ServiceFactory = (core) => ({
  name: "sts",
  wire: { kind: "sdk", protocol: "query", model: () => import("@aws-sdk/client-sts") },
  operations: stsOperations(core, iamStore(core.database)),
});
