import type { Service, ServiceFactory } from "../gateway/service.ts";
import { createContents } from "./contents.ts";
import { serveLayer, serveRegistry } from "./distribution.ts";
import { imageOperations } from "./images.ts";
import { registryOperations } from "./registry-settings.ts";
import { repositoryOperations } from "./repositories.ts";
import { ecrResources } from "./resources.ts";
import { createStore } from "./store.ts";
import { createTokens } from "./token.ts";

/** Amazon ECR: its API, and the OCI distribution protocol at `/v2/`. */
export const ecrService: ServiceFactory = (core): Service => {
  const store = createStore(core);
  const contents = createContents(core, store);
  const tokens = createTokens(core, store);
  return {
    name: "ecr",
    wire: { kind: "sdk", protocol: "json1.1", model: () => import("@aws-sdk/client-ecr") },
    operations: { ...repositoryOperations(contents), ...imageOperations(contents, tokens), ...registryOperations(core, store) },
    paths: [
      { prefix: "/v2/", handle: (request) => serveRegistry({ contents, tokens }, request) },
      { prefix: "/ecr-layers/", handle: (request) => serveLayer({ contents, tokens }, request) },
    ],
    resources: ecrResources,
    recover: () => contents.dropOldUploads(),
    *blobsInUse() {
      for (const { value } of store.images.list([])) yield value.sha256;
      for (const { value } of store.layers.list([])) yield value.sha256;
    },
  };
};
