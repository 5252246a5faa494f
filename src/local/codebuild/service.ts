import type { Service, ServiceFactory } from "../gateway/service.ts";
import { buildOperations } from "./builds.ts";
import { projectOperations } from "./projects.ts";
import { codebuildResources } from "./resources.ts";
import { createRunner } from "./runner.ts";
import { createStore } from "./store.ts";

/** AWS CodeBuild: projects, and builds that run their buildspec on this machine. */
export const codebuildService: ServiceFactory = (core): Service => {
  const store = createStore(core);
  const runner = createRunner(core, store);
  return {
    name: "codebuild",
    wire: { kind: "sdk", protocol: "json1.1", model: () => import("@aws-sdk/client-codebuild") },
    operations: { ...projectOperations(core, store), ...buildOperations(core, store, runner) },
    resources: codebuildResources,
    recover() {
      core.background("processes of ended builds", () => runner.endLeft());
      for (const { value } of store.builds.find("running", "yes"))
        core.background(`build ${value.id}`, (signal) => runner.resume(value, signal));
    },
  };
};
