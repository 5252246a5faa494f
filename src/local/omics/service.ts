import type { Core, Service, ServiceFactory } from "../gateway/service.ts";
import { groupOperations } from "./groups.ts";
import type { DefinitionKey, Omics } from "./omics.ts";
import { refusedOperations } from "./refused.ts";
import { omicsResources } from "./resources.ts";
import { clearLeft } from "./runs/clear.ts";
import { createDriver, type Driver } from "./runs/driver.ts";
import { runOperations, taskOperations } from "./runs/operations.ts";
import { readSettings, type OmicsSettings } from "./settings.ts";
import { createStore } from "./create-store.ts";
import { tagOperations } from "./tags.ts";
import { throttle } from "./throttle.ts";
import { route } from "./wire.ts";
import { exportHandler } from "./workflows/export-links.ts";
import { versionOperations, workflowOperations } from "./workflows/operations.ts";
import { createPublisher } from "./workflows/publisher.ts";

/** AWS HealthOmics, the workflow side: workflows, versions, runs, tasks, run groups, tags. */
export const omicsService: ServiceFactory = (core): Service => {
  const settings = readSettings(core.dataDir);
  const { omics, driver } = createOmics(core, settings);
  const served = {
    ...workflowOperations(omics),
    ...versionOperations(omics),
    ...runOperations(omics),
    ...taskOperations(omics),
    ...groupOperations(omics),
    ...tagOperations(omics),
  };
  const operations = { ...served, ...refusedOperations(omics, served) };
  return {
    name: "omics",
    wire: { kind: "http", route },
    operations: settings.isThrottling ? throttle(operations, core.clock) : operations,
    paths: [exportHandler(omics)],
    resources: omicsResources(core.clock),
    blobsInUse: () => blobsOf(omics),
    recover() {
      core.background("omics clear", () => clearLeft(omics));
      for (const { value } of omics.store.workflows.find("creating", "yes")) omics.publish({ ...value.place, workflowId: value.id });
      for (const { value } of omics.store.versions.find("creating", "yes"))
        omics.publish({ ...value.place, workflowId: value.workflowId, versionName: value.versionName });
      driver.recover();
    },
  };
};

function createOmics(core: Core, { quotas }: OmicsSettings): { readonly omics: Omics; readonly driver: Driver } {
  const driver = createDriver(() => omics);
  const publisher = createPublisher(() => omics);
  const omics: Omics = {
    core,
    store: createStore(core.database),
    quotas,
    engines: { children: core.children, clock: core.clock, dataDir: core.dataDir, environment: core.settings.environment },
    publish: (key: DefinitionKey) => publisher.publish(key),
    schedule: () => driver.schedule(),
    cancel: (key) => driver.cancel(key),
  };
  return { omics, driver };
}

function* blobsOf({ store }: Omics): Generator<string> {
  for (const { value } of store.workflows.list([])) yield* zipsOf(value);
  for (const { value } of store.versions.list([])) yield* zipsOf(value);
  for (const { value } of store.runs.list([])) yield value.zip;
}

const zipsOf = ({
  zip,
  source,
}: {
  readonly zip?: string;
  readonly source: { readonly kind: string; readonly sha256?: string };
}): readonly string[] => [zip, source.sha256].filter((sha256) => sha256 !== undefined);
