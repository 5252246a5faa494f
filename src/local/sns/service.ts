import type { ServiceFactory } from "../gateway/service.ts";
import { createDeliverer } from "./deliveries.ts";
import { publishOperations } from "./publish.ts";
import { snsResources } from "./resources.ts";
import { snsStore } from "./store.ts";
import { subscriptionOperations } from "./subscriptions.ts";
import type { Sns } from "./topic-access.ts";
import { topicOperations } from "./topics.ts";

/** Amazon Simple Notification Service. */
export const snsService: ServiceFactory = (core) => {
  const store = snsStore(core.database);
  const sns: Sns = { core, store, deliver: createDeliverer(core, store) };
  return {
    name: "sns",
    wire: { kind: "sdk", protocol: "query", model: () => import("@aws-sdk/client-sns") },
    operations: { ...topicOperations(sns), ...subscriptionOperations(sns), ...publishOperations(sns) },
    resources: snsResources,
    recover: sns.deliver,
  };
};
