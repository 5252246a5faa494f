import { z } from "zod";
import { REGION } from "../../kit/region.ts";
import { Containers, containerProblems, S3Place } from "./deploy-config-containers.ts";

// https://docs.aws.amazon.com/general/latest/gr/healthomics-service.html
const OTHER_PARTITIONS = /^(us-gov|cn|us-iso[a-z]?|eu-iso[a-z]?|eusc)-/;

const account = z.string().regex(/^\d{12}$/, "an AWS account id is twelve digits, in quotes");
const region = z
  .string()
  .regex(REGION, { error: "a region looks like us-east-1", abort: true })
  .refine((name) => !OTHER_PARTITIONS.test(name), "HealthOmics is in AWS's commercial regions alone, not in this partition");
const place = z.strictObject({ account, region });

const workflow = z
  .strictObject({
    source: z.enum(["codecommit", "connection"]).default("codecommit"),
    /** The repository's name; `owner/name` for a connection. @default the workflow's name */
    repository: z.string().min(1).optional(),
    branch: z.string().min(1).default("main"),
    /** ARN of the connection, with `source: connection`. */
    connectionArn: z
      .string()
      .regex(
        /^arn:aws:(codeconnections|codestar-connections):[a-z0-9-]+:\d{12}:connection\/[0-9a-f-]+$/,
        "the ARN of a connection is needed: arn:aws:codeconnections:REGION:ACCOUNT:connection/ID",
      )
      .optional(),
  })
  .superRefine(checkSource);

function checkSource(
  {
    source,
    repository,
    connectionArn,
  }: { readonly source: string; readonly repository?: string | undefined; readonly connectionArn?: string | undefined },
  context: z.core.$RefinementCtx,
): void {
  if (source === "connection" && connectionArn === undefined)
    context.addIssue({ code: "custom", message: "source: connection needs connectionArn" });
  if (source === "connection" && !/^[^/]+(\/[^/]+)+$/.test(repository ?? ""))
    context.addIssue({
      code: "custom",
      path: ["repository"],
      message: "source: connection needs the repository with its owner: our-org/imaging",
    });
  if (source === "codecommit" && repository !== undefined && !/^[\w.-]{1,100}$/.test(repository))
    context.addIssue({
      code: "custom",
      path: ["repository"],
      message: "the name of a repository of CodeCommit has letters, digits, . _ and -, at most 100",
    });
}

/** omx.deploy.yaml: where omx is deployed and which workflows it releases. */
export const DeployConfig = z
  .strictObject({
    cicd: place,
    production: z.array(place).min(1),
    workflows: z
      .record(
        z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, "a workflow's name has lower-case letters, digits and hyphens, at most 41"),
        workflow,
      )
      .default({}),
    /** Buckets and prefixes (`s3://bucket/prefix/`) that test runs and production runs may read. */
    dataSources: z.array(S3Place).default([]),
    containers: Containers.prefault({}),
    /** Whether buckets and keys outlive `cdk destroy`. */
    keepData: z.boolean().default(true),
    /** Where the review page lives; the approval message links to it. */
    consoleUrl: z.url().optional(),
  })
  .superRefine(({ cicd, production, containers }, context) => {
    for (const { path, message } of placeProblems(cicd, production)) context.addIssue({ code: "custom", path: [...path], message });
    for (const { path, message } of containerProblems(containers, { cicd, production }))
      context.addIssue({ code: "custom", path: ["containers", ...path], message });
  });

/** Roles and rules have one name for each account and region: two deployments in one place would meet. */
function placeProblems(
  cicd: Place,
  production: readonly Place[],
): readonly { readonly path: readonly (string | number)[]; readonly message: string }[] {
  const nameOf = ({ account, region }: Place): string => `${account} in ${region}`;
  const names = [cicd, ...production].map(nameOf);
  return production.flatMap((place, index) => {
    const first = names.indexOf(nameOf(place));
    if (first === index + 1) return [];
    return [
      {
        path: ["production", index],
        message:
          first === 0
            ? `${nameOf(place)} is cicd already: production needs another account or region`
            : `${nameOf(place)} is listed already; leave it out`,
      },
    ];
  });
}

export type DeployConfig = z.infer<typeof DeployConfig>;
export type Place = z.infer<typeof place>;
