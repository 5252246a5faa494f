import { z } from "zod";
import { readProxy } from "../kit/proxy.ts";
import { type AwsClients, awsClients, type Target } from "../aws/clients.ts";
import { Deployment } from "../release/settings.ts";

const Environment = z.object({
  OMX_DEPLOYMENT: z.string(),
  AWS_REGION: z.string(),
  /** Set in the local accounts. */
  AWS_ENDPOINT_URL: z.string().optional(),
  /** Registries that are read somewhere else, over what the deployment says. */
  OMX_UPSTREAMS: z.string().optional(),
  OMX_WORKFLOW: z.string().default(""),
  OMX_COMMIT: z.string().default(""),
  OMX_BASE_COMMIT: z.string().default(""),
  OMX_BRANCH: z.string().default(""),
  OMX_EXECUTION: z.string().default(""),
  OMX_BUNDLE: z.string().default(""),
  OMX_PULL_REQUEST: z.string().default(""),
  OMX_REPOSITORY: z.string().default(""),
  OMX_IMAGE_BUILD: z.string().default(""),
  OMX_IMAGE_PULL: z.string().default(""),
  CODEBUILD_SRC_DIR: z.string().default("."),
});

/** What a function or build was told by its environment. */
export interface HandlerSettings {
  readonly deployment: Deployment;
  readonly target: Target;
  readonly clients: AwsClients;
  readonly upstreams: Readonly<Record<string, string>>;
  readonly workflow: string;
  readonly commit: string;
  readonly baseCommit: string;
  readonly branch: string;
  readonly pipelineExecutionId: string;
  readonly bundle: string;
  readonly pullRequest: string;
  readonly repository: string;
  readonly imageBuild: string;
  readonly imagePull: string;
  readonly sourceDir: string;
  /** The environment as it was found, for programs that a build calls. */
  readonly inherited: Readonly<Record<string, string>>;
}

/** Reads the environment once. @throws ZodError naming every bad variable */
export function readSettings(env: NodeJS.ProcessEnv): HandlerSettings {
  const values = Environment.parse(env);
  const deployment = Deployment.parse(JSON.parse(values.OMX_DEPLOYMENT));
  const target = {
    region: values.AWS_REGION,
    ...(values.AWS_ENDPOINT_URL && { endpoint: values.AWS_ENDPOINT_URL }),
    proxy: readProxy(env),
  };
  const local = values.OMX_UPSTREAMS ? z.record(z.string(), z.string()).parse(JSON.parse(values.OMX_UPSTREAMS)) : {};
  return {
    deployment,
    target,
    clients: awsClients(target),
    upstreams: { ...deployment.containers.upstreams, ...local },
    workflow: values.OMX_WORKFLOW,
    commit: values.OMX_COMMIT,
    baseCommit: values.OMX_BASE_COMMIT,
    branch: values.OMX_BRANCH,
    pipelineExecutionId: values.OMX_EXECUTION,
    bundle: values.OMX_BUNDLE,
    pullRequest: values.OMX_PULL_REQUEST,
    repository: values.OMX_REPOSITORY,
    imageBuild: values.OMX_IMAGE_BUILD,
    imagePull: values.OMX_IMAGE_PULL,
    sourceDir: values.CODEBUILD_SRC_DIR,
    inherited: Object.fromEntries(Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))),
  };
}

/** What this process was told. The only reader of its environment. @throws ZodError naming every bad variable */
export function environmentSettings(): HandlerSettings {
  // oxlint-disable-next-line node/no-process-env -- a function or build knows its deployment by its environment alone
  return readSettings(process.env);
}
