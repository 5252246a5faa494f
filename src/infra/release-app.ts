import { Annotations, type App, Stack, Tags } from "aws-cdk-lib";
import { workflowStack } from "../release/names.ts";
import type { AppContext } from "./context.ts";
import { CicdStack } from "./stacks/cicd-stack.ts";
import { ContainersStack } from "./stacks/containers-stack.ts";
import { ProductionStack } from "./stacks/production-stack.ts";
import { WorkflowStack } from "./stacks/workflow-stack.ts";

// https://docs.aws.amazon.com/general/latest/gr/healthomics-service.html, in November 2026. A warning: the list grows.
const HEALTHOMICS = new Set([
  "us-east-1",
  "us-east-2",
  "us-west-2",
  "ap-northeast-1",
  "ap-northeast-2",
  "ap-southeast-1",
  "eu-central-1",
  "eu-west-1",
  "eu-west-2",
  "il-central-1",
]);

/** All stacks of a deployment: the cicd account, its container machines, a pipeline for each workflow, each production place. */
export function releaseApp(app: App, context: AppContext): void {
  const { config } = context;
  const cicd = new CicdStack(app, "omx-cicd", { context, env: config.cicd, description: "omx: test runs, evidence and approvals" });
  new ContainersStack(app, "omx-containers", {
    context,
    key: cicd.key,
    env: config.cicd,
    description: "omx: container puller and builder",
  });
  const workflows = Object.keys(config.workflows).map(
    (workflow) =>
      new WorkflowStack(app, workflowStack(workflow), {
        context,
        workflow,
        key: cicd.key,
        bucket: cicd.bucket,
        topic: cicd.topic,
        env: config.cicd,
        description: `omx: the pipeline of ${workflow}`,
      }),
  );
  for (const place of config.production) {
    const production = new ProductionStack(app, `omx-production-${place.account}-${place.region}`, {
      context,
      place,
      env: place,
      description: "omx: where releases arrive",
    });
    // The bucket's policy names the promotion roles: they must exist first.
    for (const workflow of workflows) production.addStackDependency(workflow);
  }
  for (const stack of app.node.children.filter((child) => Stack.isStack(child)))
    if (!HEALTHOMICS.has(stack.region))
      Annotations.of(stack).addWarningV2(
        "omx:region",
        `HealthOmics was not in ${stack.region} when this was written: everything deploys there, and the first release fails. Regions that had it: ${[...HEALTHOMICS].join(", ")}`,
      );
  Tags.of(app).add("application", "omx");
}
