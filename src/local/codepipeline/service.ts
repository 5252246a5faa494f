import type { Service, ServiceFactory } from "../gateway/service.ts";
import { approvalOperations } from "./approvals.ts";
import { connectedTriggers } from "./connected-triggers.ts";
import { createEngine } from "./engine.ts";
import { executionOperations } from "./executions.ts";
import { jobOperations } from "./jobs.ts";
import { pipelineOperations } from "./pipelines.ts";
import { codepipelineResources } from "./resources.ts";
import { createStageRunner } from "./stage.ts";
import { stateOperations } from "./state.ts";
import { createStore } from "./store.ts";

/** AWS CodePipeline: V1 and V2 pipelines, executed stage by stage with their artifacts in S3. */
export const codepipelineService: ServiceFactory = (core): Service => {
  const store = createStore(core);
  const engine = createEngine(core, store, createStageRunner(core, store));
  return {
    name: "codepipeline",
    wire: { kind: "sdk", protocol: "json1.1", model: () => import("@aws-sdk/client-codepipeline") },
    operations: {
      ...pipelineOperations({ core, store, engine }),
      ...executionOperations({ core, store, engine }),
      ...approvalOperations({ core, store }),
      ...jobOperations(core, store),
      ...stateOperations(store),
    },
    resources: codepipelineResources,
    onEvent: connectedTriggers(core, store, engine),
    recover: () => engine.recover(),
  };
};
