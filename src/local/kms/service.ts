import type { ServiceFactory } from "../gateway/service.ts";
import { aliasOperations } from "./aliases.ts";
import { cryptographyOperations } from "./cryptography.ts";
import { keyOperations } from "./key-operations.ts";
import type { Kms } from "./keys.ts";
import { policyOperations } from "./policies.ts";
import { kmsResources } from "./resources.ts";
import { keyStore } from "./store.ts";
import { tagOperations } from "./tags.ts";

/** AWS Key Management Service. */
export const kmsService: ServiceFactory = (core) => {
  const kms: Kms = { core, store: keyStore(core.database) };
  return {
    name: "kms",
    wire: { kind: "sdk", protocol: "json1.1", model: () => import("@aws-sdk/client-kms") },
    operations: {
      ...keyOperations(kms),
      ...policyOperations(kms),
      ...aliasOperations(kms),
      ...cryptographyOperations(kms),
      ...tagOperations(kms),
    },
    resources: kmsResources,
  };
};
