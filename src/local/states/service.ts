import type { Service, ServiceFactory } from "../gateway/service.ts";
import { callbackOperations } from "./callback-operations.ts";
import { Callbacks } from "./callbacks.ts";
import { resumeDeletions } from "./delete-machine.ts";
import { executionOperations } from "./execution-operations.ts";
import { historyOperations } from "./history-operations.ts";
import { machineOperations } from "./machine-operations.ts";
import { statesResources } from "./resources.ts";
import { runTasks } from "./run-task.ts";
import { Runner } from "./runner.ts";
import type { States } from "./service-parts.ts";
import { createStore } from "./store.ts";
import { tagOperations } from "./tag-operations.ts";

/** AWS Step Functions: standard workflows, run as the machine's role, resumed after a kill. */
export const statesService: ServiceFactory = (core): Service => {
  const store = createStore(core.database);
  const callbacks = new Callbacks(store);
  const runner: Runner = new Runner(core, store, runTasks({ core, callbacks, whenEnded: (arn, signal) => runner.whenEnded(arn, signal) }));
  const states: States = { core, store, callbacks, runner };
  return {
    name: "states",
    wire: { kind: "sdk", protocol: "json1.0", model: () => import("@aws-sdk/client-sfn") },
    operations: {
      ...machineOperations(states),
      ...executionOperations(states),
      ...historyOperations(states),
      ...callbackOperations(states),
      ...tagOperations(states),
    },
    resources: statesResources,
    recover() {
      runner.resumeAll();
      resumeDeletions(states);
    },
    stop: () => runner.suspend(),
  };
};
