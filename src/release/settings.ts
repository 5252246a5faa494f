import { z } from "zod";
import { DEFAULT_REPOSITORIES } from "./images/repositories/repository-settings.ts";
import { FUNCTION_LIMIT_GIB } from "./project/deploy-config-containers.ts";

const place = z.object({ account: z.string(), region: z.string() });

/** What functions and builds are told of the deployment (`OMX_DEPLOYMENT`), as the CDK app writes it. */
export const Deployment = z.object({
  cicd: place,
  production: z.array(place),
  containers: z.object({
    sourceAccounts: z.array(z.string()),
    crossRegion: z.boolean(),
    builderSources: z.array(z.string()),
    upstreams: z.record(z.string(), z.string()),
    namespaces: z.record(z.string(), z.string()).default({}),
    credentials: z.record(z.string(), z.string()).default({}),
    pullThrough: z.array(z.string()).default([]),
    functionLimitGiB: z.number().default(FUNCTION_LIMIT_GIB),
    repositories: z
      .object({ kmsKeys: z.array(z.string()), immutableTags: z.boolean(), scanOnPush: z.boolean() })
      .default({ ...DEFAULT_REPOSITORIES, kmsKeys: [] }),
  }),
  consoleUrl: z.string().optional(),
});
export type Deployment = z.infer<typeof Deployment>;
