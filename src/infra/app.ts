import { join } from "node:path";
import { App, Tags } from "aws-cdk-lib";
import { bundleHandlers } from "./bundle.ts";
import { readDeployConfig } from "./read-config.ts";
import { CicdStack } from "./stacks/cicd-stack.ts";
import { ContainersStack } from "./stacks/containers-stack.ts";
import { ProductionStack } from "./stacks/production-stack.ts";
import { WorkflowStack } from "./stacks/workflow-stack.ts";

const root = join(import.meta.dirname, "../..");
const app = new App({ analyticsReporting: false });
const file = (app.node.tryGetContext("config") as string | undefined) ?? join(root, "omx.deploy.yaml");
const config = readDeployConfig(file);
const context = { config, bundles: bundleHandlers(root) };

const cicd = new CicdStack(app, "omx-cicd", { context, env: config.cicd, description: "omx: test runs, evidence and approvals" });
new ContainersStack(app, "omx-containers", { context, key: cicd.key, env: config.cicd, description: "omx: container puller and builder" });
const workflows = Object.keys(config.workflows).map((workflow) =>
  new WorkflowStack(app, `omx-workflow-${workflow}`, { context, workflow, key: cicd.key, bucket: cicd.bucket, topic: cicd.topic, env: config.cicd, description: `omx: the pipeline of ${workflow}` }));
for (const place of config.production) {
  const production = new ProductionStack(app, `omx-production-${place.account}-${place.region}`, { context, place, env: place, description: "omx: where releases arrive" });
  // The bucket's policy names the promotion roles: they must exist first.
  for (const workflow of workflows) production.addStackDependency(workflow);
}
Tags.of(app).add("application", "omx");
app.synth();
