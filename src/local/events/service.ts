import type { Service, ServiceFactory } from "../gateway/service.ts";
import { Bus } from "./bus.ts";
import { eventOperations } from "./event-operations.ts";
import { eventsResources } from "./resources.ts";
import { ruleOperations } from "./rule-operations.ts";
import { Scheduler } from "./scheduler.ts";
import type { Events } from "./service-parts.ts";
import { createStore } from "./store.ts";
import { tagOperations } from "./tag-operations.ts";
import { targetOperations } from "./target-operations.ts";

/** Amazon EventBridge: the default bus of every account, its rules, and their targets. */
export const eventsService: ServiceFactory = (core): Service => {
  const store = createStore(core.database);
  const bus = new Bus(core, store);
  const events: Events = { core, store, bus, scheduler: new Scheduler(core, store, bus) };
  return {
    name: "events",
    wire: { kind: "sdk", protocol: "json1.1", model: () => import("@aws-sdk/client-eventbridge") },
    operations: { ...ruleOperations(events), ...targetOperations(events), ...eventOperations(events), ...tagOperations(events) },
    resources: eventsResources,
    recover() {
      bus.resume();
      events.scheduler.resume();
    },
  };
};
