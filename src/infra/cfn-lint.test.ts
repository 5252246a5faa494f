import { execFile, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "aws-cdk-lib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse } from "yaml";
import { DeployConfig } from "../release/project/deploy-config.ts";
import { releaseApp } from "./release-app.ts";

const ROOT = join(import.meta.dirname, "../..");
const cfnLint = [process.env["OMX_CFN_LINT"], "cfn-lint"].find((program) => program && spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0);

let folder = "";
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "omx-cfn-lint-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Every member that changes a template, used. */
const RICH = {
  cicd: { account: "111122223333", region: "eu-west-1" },
  production: [{ account: "444455556666", region: "eu-west-1" }, { account: "777788889999", region: "us-west-2" }],
  workflows: {
    "from-github": { source: "connection", repository: "lab/flow", branch: "release", connectionArn: "arn:aws:codeconnections:eu-west-1:111122223333:connection/0a1b2c3d-0a1b-4c2d-8e3f-0a1b2c3d4e5f" },
    "from-codecommit": { repository: "another-name", branch: "main" },
  },
  dataSources: ["s3://genomes/human/", "s3://reads"],
  containers: {
    sourceAccounts: ["123456789012"], crossRegion: true, builderSources: ["s3://dockerfiles/tools/"],
    pullThrough: ["quay.io"], repositories: { kmsKeys: ["arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d", "arn:aws:kms:us-west-2:777788889999:key/0a1b2c3d"], immutableTags: true },
    upstreams: { "quay.io": "https://mirror.example.org" }, namespaces: { "eu.gcr.io": "eu-gcr" }, credentials: { "docker.io": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:dockerhub-AbCdEf" },
  },
  keepData: true, consoleUrl: "https://omx.example.org",
};

/** The paths of the templates of a deployment. */
function synthesize(name: string, config: DeployConfig): readonly string[] {
  const outdir = join(folder, name, "cdk.out");
  const bundle = (of: string): string => {
    mkdirSync(join(folder, name, of), { recursive: true });
    writeFileSync(join(folder, name, of, "index.mjs"), "");
    return join(folder, name, of);
  };
  const { context } = JSON.parse(readFileSync(join(ROOT, "cdk.json"), "utf8")) as { context: Record<string, unknown> };
  const app = new App({ analyticsReporting: false, outdir, context });
  releaseApp(app, { config, bundles: { functions: bundle("functions"), toolkit: bundle("toolkit") } });
  app.synth();
  return readdirSync(outdir).filter((file) => file.endsWith(".template.json")).map((file) => join(outdir, file));
}

test.runIf(cfnLint)("cfn-lint has nothing to say of any template", async () => {
  const own = DeployConfig.parse(parse(readFileSync(join(ROOT, "omx.deploy.yaml"), "utf8")));
  const templates = [...synthesize("own", own), ...synthesize("rich", DeployConfig.parse(RICH))];
  expect(templates.length).toBeGreaterThanOrEqual(9);
  // W3005 is a DependsOn that a reference implies already: the CDK writes them everywhere.
  const said = await new Promise<string>((resolve) => {
    execFile(cfnLint ?? "cfn-lint", ["--ignore-checks", "W3005", "--format", "parseable", "--", ...templates], (error, stdout, stderr) => resolve(`${stdout}${stderr}${error && !stdout ? error.message : ""}`));
  });
  expect(said.replaceAll(`${folder}/`, "")).toBe("");
}, 300_000);
