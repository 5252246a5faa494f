import type { ServiceFactory } from "../gateway/service.ts";
import { groupOperations } from "./groups.ts";
import { readingOperations } from "./reading.ts";
import { logsResources } from "./resources.ts";
import { sweepExpired } from "./retention.ts";
import { logStore } from "./store.ts";
import { streamOperations } from "./streams.ts";
import { taggingOperations } from "./tagging.ts";

/** Amazon CloudWatch Logs. Services write to it with `core.logs`. */
export const logsService: ServiceFactory = (core) => {
  const store = logStore(core.database);
  return {
    name: "logs",
    wire: { kind: "sdk", protocol: "json1.1", model: () => import("@aws-sdk/client-cloudwatch-logs") },
    operations: {
      ...groupOperations(core, store),
      ...streamOperations(core, store),
      ...readingOperations(core, store),
      ...taggingOperations(store),
    },
    resources: logsResources,
    recover: () => core.background("log retention", (signal) => sweepExpired(core, store, signal)),
  };
};
