import type { Service, ServiceFactory } from "../gateway/service.ts";
import { checked } from "./check-input.ts";
import { createContents } from "./contents.ts";
import { serveLayer, serveRegistry } from "./distribution/distribution.ts";
import { imageOperations } from "./images/images.ts";
import { layerOperations, layerUploadOperations } from "./layers/layer-operations.ts";
import { dropUnusedLayers } from "./layers/layer-uses.ts";
import { cacheRuleOperations } from "./cache/cache-rules.ts";
import { creationTemplateOperations } from "./repositories/creation-templates.ts";
import { createPullThroughCache } from "./cache/pull-through.ts";
import { registryPolicyOperations } from "./repositories/registry-policy.ts";
import { createUpstreams } from "./cache/upstreams.ts";
import { repositoryOperations } from "./repositories/repositories.ts";
import { lifecyclePolicyOperations, repositoryPolicyOperations } from "./repositories/repository-policies.ts";
import { repositorySettingOperations, repositoryTagOperations } from "./repositories/repository-settings.ts";
import { ecrResources } from "./resources.ts";
import { createStore } from "./store.ts";
import { createTokens } from "./token.ts";

/** Amazon ECR: its API, and the OCI distribution protocol at `/v2/`. */
export const ecrService: ServiceFactory = (core): Service => {
  const store = createStore(core);
  const upstreams = createUpstreams(core);
  const cache = createPullThroughCache({ core, store, upstreams });
  const contents = createContents(core, store, cache);
  const tokens = createTokens(core, store);
  return {
    name: "ecr",
    wire: { kind: "sdk", protocol: "json1.1", model: () => import("@aws-sdk/client-ecr") },
    operations: checked({
      ...repositoryOperations(contents),
      ...repositoryPolicyOperations(contents),
      ...lifecyclePolicyOperations(contents),
      ...repositorySettingOperations(contents),
      ...repositoryTagOperations(contents),
      ...imageOperations(contents, tokens),
      ...layerOperations(contents, tokens),
      ...layerUploadOperations(contents),
      ...registryPolicyOperations(core, store),
      ...cacheRuleOperations(store, upstreams),
      ...creationTemplateOperations(core, store),
    }),
    paths: [
      { prefix: "/v2/", handle: (request) => serveRegistry({ contents, tokens }, request) },
      { prefix: "/ecr-layers/", handle: (request) => serveLayer({ contents, tokens }, request) },
    ],
    resources: ecrResources,
    recover() {
      contents.uploads.dropOld();
      cache.resume();
    },
    stop: () => upstreams.close(),
    *blobsInUse() {
      // What follows is a sweep of the bytes that nothing names.
      dropUnusedLayers(core, store);
      for (const { value } of store.images.list([])) yield value.sha256;
      for (const { value } of store.layers.list([])) yield value.sha256;
    },
  };
};
