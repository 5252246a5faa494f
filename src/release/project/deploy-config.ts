import { z } from "zod";
import { extendNamespaces } from "../../kit/registry-namespaces-entries.ts";
import { CACHED_HOSTS, cachedUpstream } from "../images/pull-through.ts";

/** What a function copies of one image; CodeBuild copies what is larger. */
export const FUNCTION_LIMIT_GIB = 8;

const account = z.string().regex(/^\d{12}$/, "an AWS account id is twelve digits, in quotes");
const region = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, "a region looks like us-east-1");
const place = z.strictObject({ account, region });

const workflow = z.strictObject({
  source: z.enum(["codecommit", "connection"]).default("codecommit"),
  /** The repository's name; `owner/name` for a connection. @default the workflow's name */
  repository: z.string().min(1).optional(),
  branch: z.string().min(1).default("main"),
  /** ARN of the connection, with `source: connection`. */
  connectionArn: z.string().startsWith("arn:").optional(),
}).refine((value) => value.source === "codecommit" || value.connectionArn, { message: "source: connection needs connectionArn" });

/** omx.deploy.yaml: where omx is deployed and which workflows it releases. */
export const DeployConfig = z.strictObject({
  cicd: place,
  production: z.array(place).min(1),
  workflows: z.record(z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, "a workflow's name has lower-case letters, digits and hyphens, at most 41"), workflow).default({}),
  /** Buckets and prefixes (`s3://bucket/prefix/`) that test runs and production runs may read. */
  dataSources: z.array(z.string().startsWith("s3://")).default([]),
  containers: z.strictObject({
    sourceAccounts: z.array(account).default([]),
    crossRegion: z.boolean().default(false),
    builderSources: z.array(z.string().startsWith("s3://")).default([]),
    /** Upstream registries read from elsewhere: `quay.io: https://mirror.example`. */
    upstreams: z.record(z.string(), z.url()).default({}),
    /** Namespaces of ECR for further registries, over those of omx: `eu.gcr.io: eu-gcr`. */
    namespaces: z.record(z.string(), z.string()).default({}).superRefine((value, context) => {
      try {
        extendNamespaces(value);
      } catch (error) {
        context.addIssue({ code: "custom", message: (error as Error).message });
      }
    }),
    /** Who asks an upstream registry: `docker.io: arn:aws:secretsmanager:…`, a secret with username and accessToken (or password). */
    credentials: z.record(z.string(), z.string().regex(/^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:.+$/, "the ARN of a secret is needed")).default({}),
    /** Registries whose images ECR's pull-through cache brings, by rules of the stack: `quay.io`. */
    pullThrough: z.array(z.string().refine((host) => cachedUpstream(host) !== undefined, `ECR's pull-through cache reads ${CACHED_HOSTS.join(", ")}`)).default([]),
    /** An image of which more than this many GiB are missing is copied by CodeBuild, not by a function. */
    functionLimitGiB: z.number().positive().default(FUNCTION_LIMIT_GIB),
  }).superRefine(({ pullThrough, credentials }, context) => {
    for (const [index, host] of pullThrough.entries())
      if (cachedUpstream(host)?.wantsCredentials && !/:secret:ecr-pullthroughcache\//.test(credentials[host] ?? ""))
        context.addIssue({ code: "custom", path: ["pullThrough", index], message: `the cache reads ${host} with credentials alone: name under containers.credentials a secret whose name begins with ecr-pullthroughcache/` });
  }).prefault({}),
  /** Whether buckets and keys outlive `cdk destroy`. */
  keepData: z.boolean().default(true),
  /** Where the review page lives; the approval message links to it. */
  consoleUrl: z.url().optional(),
});

export type DeployConfig = z.infer<typeof DeployConfig>;
export type Place = z.infer<typeof place>;
