import type { Core, Service, ServiceFactory } from "../gateway/service.ts";
import { sweepCode } from "./code.ts";
import { functionOperations } from "./function-operations.ts";
import { invokeOperations } from "./invoke-operations.ts";
import { layerOperations } from "./layer-operations.ts";
import { permissionOperations } from "./permission-operations.ts";
import { Pool } from "./pool.ts";
import { Queue } from "./queue.ts";
import { lambdaResources } from "./resources.ts";
import { runtimeApi } from "./runtime-api.ts";
import type { Lambda } from "./service-parts.ts";
import { createStore, type Store } from "./store.ts";
import { tagOperations } from "./tag-operations.ts";

/** AWS Lambda: handlers in Node and Python as processes of this machine, with their role's keys. */
export const lambdaService: ServiceFactory = (core): Service => {
  const store = createStore(core.database);
  const pool = new Pool(core);
  const lambda: Lambda = { core, store, pool, queue: new Queue(core, store, pool), downloads: new Map() };
  return {
    name: "lambda",
    wire: { kind: "sdk", protocol: "rest-json", model: () => import("@aws-sdk/client-lambda") },
    operations: {
      ...functionOperations(lambda),
      ...invokeOperations(lambda),
      ...permissionOperations(lambda),
      ...layerOperations(lambda),
      ...tagOperations(lambda),
    },
    paths: [runtimeApi(lambda)],
    resources: lambdaResources,
    blobsInUse: () => blobsInUse(store),
    async recover() {
      await endOrphans(core);
      sweepCode(core, functionPackages(store));
      lambda.queue.resume();
    },
    stop: () => pool.stop(),
  };
};

/** Processes of an earlier life can't answer any more: their paths are gone. */
async function endOrphans(core: Core): Promise<void> {
  await Promise.all(core.children.of("lambda").map((record) => core.children.end(record, 0)));
}

const functionPackages = (store: Store) =>
  store.functions.list([]).map(({ value: { code, layers } }) => ({ code, layers: layers.map((layer) => layer.code) }));

function* blobsInUse(store: Store): Iterable<string> {
  for (const { code, layers } of functionPackages(store)) for (const { sha256 } of [code, ...layers]) yield sha256;
  for (const { value } of store.layers.list([])) yield value.code.sha256;
}
