import { z } from "zod";
import { Containers, containerProblems, S3Place } from "./deploy-config-containers.ts";

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
  dataSources: z.array(S3Place).default([]),
  containers: Containers.prefault({}),
  /** Whether buckets and keys outlive `cdk destroy`. */
  keepData: z.boolean().default(true),
  /** Where the review page lives; the approval message links to it. */
  consoleUrl: z.url().optional(),
}).superRefine(({ cicd, production, containers }, context) => {
  for (const { path, message } of containerProblems(containers, { cicd, production })) context.addIssue({ code: "custom", path: ["containers", ...path], message });
});

export type DeployConfig = z.infer<typeof DeployConfig>;
export type Place = z.infer<typeof place>;
