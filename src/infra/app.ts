import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "aws-cdk-lib";
import { bundleHandlers } from "./bundle.ts";
import { readDeployConfig } from "./read-config.ts";
import { releaseApp } from "./release-app.ts";

const root = join(import.meta.dirname, "../..");
const app = new App({ analyticsReporting: false });
const file = (app.node.tryGetContext("config") as string | undefined) ?? join(root, "omx.deploy.yaml");
// The app's assets are copies, so that the bundles may go after it.
const bundles = mkdtempSync(join(tmpdir(), "omx-bundles-"));
try {
  releaseApp(app, { config: readDeployConfig(file), bundles: bundleHandlers(root, bundles) });
  app.synth();
} finally {
  rmSync(bundles, { recursive: true, force: true });
}
