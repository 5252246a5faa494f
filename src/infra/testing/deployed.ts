import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStackEventsCommand,
  DescribeStacksCommand,
} from "@aws-sdk/client-cloudformation";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { App } from "aws-cdk-lib";
import { zipSync, type Zippable } from "fflate";
import { systemClock } from "../../kit/clock.ts";
import { CICD, REGION, type TestAccounts } from "../../local/testing/accounts.ts";
import { DeployConfig } from "../../release/project/deploy-config.ts";
import { bundleHandlers } from "../bundle.ts";
import { releaseApp } from "../release-app.ts";

const ROOT = join(import.meta.dirname, "../../..");
const ASSETS = `cdk-hnb659fds-assets-${CICD}-${REGION}`;

interface AssetManifest {
  readonly files: Readonly<
    Record<
      string,
      {
        readonly source: { readonly path: string; readonly packaging: "zip" | "file" };
        readonly destinations: Readonly<Record<string, { readonly objectKey: string }>>;
      }
    >
  >;
}

/**
 * The synthesized stacks of the cicd account in local accounts, as `cdk deploy` would put them there; in process, because
 * a test of what the stacks do needs no test of `cdk` (src/local/cloudformation/cdk.test.ts is that).
 * @param config of omx.deploy.yaml, without `cicd` and `production`
 */
export async function deployContainers(accounts: TestAccounts, config: object = {}): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "omx-deployed-"));
  try {
    const outdir = join(folder, "cdk.out");
    const { context } = JSON.parse(readFileSync(join(ROOT, "cdk.json"), "utf8")) as { context: Record<string, unknown> };
    const app = new App({ analyticsReporting: false, outdir, context });
    const place = { account: CICD, region: REGION };
    releaseApp(app, {
      config: DeployConfig.parse({ cicd: place, production: [{ account: "444455556666", region: REGION }], keepData: false, ...config }),
      bundles: bundleHandlers(ROOT, join(folder, "bundles")),
    });
    app.synth();
    await bootstrap(accounts);
    for (const stack of ["omx-cicd", "omx-containers"]) await deploy(accounts, outdir, stack);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bootstrap(accounts: TestAccounts): Promise<void> {
  await new S3Client(accounts.config()).send(new CreateBucketCommand({ Bucket: ASSETS }));
  await new SSMClient(accounts.config()).send(
    new PutParameterCommand({ Name: "/cdk-bootstrap/hnb659fds/version", Type: "String", Value: "30" }),
  );
}

async function deploy(accounts: TestAccounts, outdir: string, name: string): Promise<void> {
  const s3 = new S3Client(accounts.config());
  const { files } = JSON.parse(readFileSync(join(outdir, `${name}.assets.json`), "utf8")) as AssetManifest;
  for (const { source, destinations } of Object.values(files)) {
    const path = join(outdir, source.path);
    const Body = source.packaging === "zip" ? zipSync(contentsOf(path)) : readFileSync(path);
    for (const { objectKey } of Object.values(destinations)) await s3.send(new PutObjectCommand({ Bucket: ASSETS, Key: objectKey, Body }));
  }
  const key = `${name}.template.json`;
  await s3.send(new PutObjectCommand({ Bucket: ASSETS, Key: key, Body: readFileSync(join(outdir, key)) }));
  const cloudformation = new CloudFormationClient(accounts.config());
  await cloudformation.send(
    new CreateStackCommand({ StackName: name, TemplateURL: `${accounts.url}/${ASSETS}/${key}`, Capabilities: ["CAPABILITY_NAMED_IAM"] }),
  );
  for (;;) {
    const { Stacks } = await cloudformation.send(new DescribeStacksCommand({ StackName: name }));
    const status = Stacks?.[0]?.StackStatus ?? "";
    if (status === "CREATE_COMPLETE") return;
    if (!status.endsWith("_IN_PROGRESS")) throw new Error(`${name} is ${status}: ${await reasons(cloudformation, name)}`);
    await systemClock.sleep(50);
  }
}

async function reasons(cloudformation: CloudFormationClient, StackName: string): Promise<string> {
  const { StackEvents = [] } = await cloudformation.send(new DescribeStackEventsCommand({ StackName }));
  return StackEvents.filter(({ ResourceStatus }) => ResourceStatus?.endsWith("_FAILED"))
    .map(({ LogicalResourceId, ResourceStatusReason }) => `${LogicalResourceId}: ${ResourceStatusReason}`)
    .join("; ");
}

function contentsOf(folder: string, prefix = ""): Zippable {
  mkdirSync(folder, { recursive: true });
  return Object.assign(
    {},
    ...readdirSync(folder).map((name): Zippable => {
      const path = join(folder, name);
      return statSync(path).isDirectory()
        ? contentsOf(path, `${prefix}${name}/`)
        : { [`${prefix}${name}`]: [readFileSync(path), { level: 1 }] };
    }),
  ) as Zippable;
}
