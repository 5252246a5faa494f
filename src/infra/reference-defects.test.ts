import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App } from "aws-cdk-lib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { DeployConfig } from "../release/project/deploy-config.ts";
import { releaseApp } from "./release-app.ts";

// What the reference's stacks got wrong as stacks (E24, E31, E32, E43), asserted on templates.

interface Resource {
  readonly Type: string;
  readonly DependsOn?: readonly string[];
  readonly Properties?: Readonly<Record<string, unknown>>;
}
type Templates = Readonly<Record<string, readonly Resource[]>>;

const ROOT = join(import.meta.dirname, "../..");
let folder = "";
/** One account, two regions: two deployments beside each other. */
let here: Templates;
let beside: Templates;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "omx-defects-"));
  for (const name of ["functions", "toolkit"]) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "index.mjs"), "");
  }
  [here, beside] = [synth("us-east-1"), synth("eu-west-1")];
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const assembly = (region: string): string => join(folder, `cdk.out-${region}`);

function synth(region: string): Templates {
  const outdir = assembly(region);
  const { context } = JSON.parse(readFileSync(join(ROOT, "cdk.json"), "utf8")) as { context: Record<string, unknown> };
  const app = new App({ analyticsReporting: false, outdir, context });
  const secret = (host: string) => `arn:aws:secretsmanager:${region}:111122223333:secret:ecr-pullthroughcache/${host}-AbCdEf`;
  const withCredentials = ["docker.io", "ghcr.io", "registry.gitlab.com"];
  const containers = {
    pullThrough: ["quay.io", "public.ecr.aws", "registry.k8s.io", ...withCredentials],
    credentials: Object.fromEntries(withCredentials.map((host) => [host, secret(host)])),
  };
  const config = DeployConfig.parse({
    cicd: { account: "111122223333", region },
    production: [{ account: "444455556666", region }],
    workflows: { phage: {}, ["a".repeat(41)]: {} },
    containers,
  });
  releaseApp(app, { config, bundles: { functions: join(folder, "functions"), toolkit: join(folder, "toolkit") } });
  app.synth();
  return Object.fromEntries(
    readdirSync(outdir)
      .filter((name) => name.endsWith(".template.json"))
      .map((name) => [
        name.replace(".template.json", ""),
        Object.values((JSON.parse(readFileSync(join(outdir, name), "utf8")) as { Resources: Record<string, Resource> }).Resources),
      ]),
  );
}

const ofType = (templates: Templates, type: string) =>
  Object.values(templates)
    .flat()
    .filter(({ Type }) => Type === type)
    .map(({ Properties = {} }) => Properties);
const containers = (templates: Templates): readonly Resource[] => templates["omx-containers"] ?? [];

/** Names that are taken in a whole account, or in the whole world. */
const accountWide = (resources: readonly Resource[]): readonly string[] =>
  resources
    .flatMap(({ Type, Properties = {} }) =>
      Type.startsWith("AWS::IAM::") || Type === "AWS::S3::Bucket"
        ? ["RoleName", "PolicyName", "ManagedPolicyName", "UserName", "BucketName"].flatMap((name) =>
            Type === "AWS::IAM::Policy" ? [] : (Properties[name] ?? []),
          )
        : [],
    )
    .map((name) => JSON.stringify(name));

test("E24: the deployments of two regions stand beside each other in one account, in cicd and in production", () => {
  const [one, two] = [here, beside].map((templates) => accountWide(Object.values(templates).flat())) as [
    readonly string[],
    readonly string[],
  ];
  expect(one.length).toBeGreaterThan(6);
  expect(one.filter((name) => two.includes(name))).toEqual([]);
  expect(one.filter((name) => name.length > '""'.length + 64)).toEqual([]);
});

test("E24: each project has a name of its own, a current image, and a daemon only where images are built", () => {
  const projects = containers(here)
    .filter(({ Type }) => Type === "AWS::CodeBuild::Project")
    .map(({ Properties = {} }) => Properties as { Name: string; Environment: { Image: string; PrivilegedMode: boolean } });
  expect(projects.map(({ Name, Environment: { Image, PrivilegedMode } }) => [Name, Image, PrivilegedMode]).toSorted()).toEqual([
    ["omx-image-build", "aws/codebuild/standard:7.0", true],
    ["omx-image-pull", "aws/codebuild/standard:7.0", false],
  ]);
});

/** When Lambda stops patching a runtime (lambda/latest/dg/lambda-runtimes.html); a month later it makes no function of it. */
const RUNTIMES_END: Readonly<Record<string, string>> = {
  "python3.9": "2025-12-15",
  "nodejs20.x": "2026-04-30",
  "python3.11": "2026-06-30",
  "python3.10": "2026-10-31",
  "nodejs22.x": "2027-04-30",
  "nodejs24.x": "2028-04-30",
  "python3.12": "2028-10-31",
  "python3.13": "2029-06-30",
  "python3.14": "2029-06-30",
};

test("E31: no function is on a runtime that ends in 2027 or earlier, ours and those that the CDK brings", () => {
  const functions = ofType(here, "AWS::Lambda::Function").map(({ FunctionName, Runtime }) => ({
    name: JSON.stringify(FunctionName ?? "of the CDK"),
    runtime: String(Runtime),
  }));
  const ours = functions.filter(({ name }) => name.startsWith('"omx-'));
  expect([ours.length > 4, new Set(ours.map(({ runtime }) => runtime))]).toEqual([true, new Set(["nodejs24.x"])]);
  expect(functions.filter(({ runtime }) => (RUNTIMES_END[runtime] ?? "unknown") < "2028" || RUNTIMES_END[runtime] === undefined)).toEqual(
    [],
  );
});

test("E24, E31: every build is on the current image, and asks it for a Node that the image has", () => {
  // codebuild/latest/userguide/available-runtimes.html
  const builds = ofType(here, "AWS::CodeBuild::Project") as { Environment: { Image: string }; Source: { BuildSpec?: unknown } }[];
  expect(builds.length).toBeGreaterThan(3);
  expect(builds.map(({ Environment }) => Environment.Image).filter((image) => image !== "aws/codebuild/standard:7.0")).toEqual([]);
  const asked = builds.flatMap(({ Source }) =>
    [...JSON.stringify(Source.BuildSpec ?? "").matchAll(/(nodejs|python)(?:\\?["' ])*:(?:\\?["' ])*([\d.]+)/g)].map(
      ([, runtime, version]) => `${runtime} ${version}`,
    ),
  );
  expect([...new Set(asked)]).toEqual(["nodejs 22"]);
});

test("E30: each function has its time, and a missed event is delivered again", () => {
  const timeouts = ofType(here, "AWS::Lambda::Function")
    .filter(({ FunctionName }) => String(FunctionName ?? "").startsWith("omx-"))
    .map(({ Timeout }) => Number(Timeout ?? 3));
  expect(timeouts.length).toBeGreaterThan(4);
  expect(Math.min(...timeouts)).toBeGreaterThanOrEqual(60);
  const targets = ofType(here, "AWS::Events::Rule")
    .filter(({ Name }) => Name === "omx-new-repository")
    .flatMap(({ Targets }) => Targets as { RetryPolicy: object }[]);
  expect(targets.map(({ RetryPolicy }) => RetryPolicy)).toEqual([{ MaximumEventAgeInSeconds: 7200, MaximumRetryAttempts: 8 }]);
});

test("E32, E33: a cache rule is made for what is declared, with credentials where the registry wants them; nothing declared, no rule", () => {
  const rules = ofType(here, "AWS::ECR::PullThroughCacheRule").map(({ EcrRepositoryPrefix, UpstreamRegistryUrl, CredentialArn }) => [
    UpstreamRegistryUrl,
    EcrRepositoryPrefix,
    CredentialArn !== undefined,
  ]);
  expect(rules).toEqual([
    ["quay.io", "quay", false],
    ["public.ecr.aws", "ecr-public", false],
    ["registry.k8s.io", "k8s", false],
    ["registry-1.docker.io", "dockerhub", true],
    ["ghcr.io", "ghcr", true],
    ["registry.gitlab.com", "gitlab", true],
  ]);
  expect(
    DeployConfig.parse({
      cicd: { account: "111122223333", region: "us-east-1" },
      production: [{ account: "444455556666", region: "us-east-1" }],
    }).containers.pullThrough,
  ).toEqual([]);
});

test("HealthOmics has images of this account brought alone, ECR makes repositories below declared prefixes alone, and no rule is there before its template", () => {
  const below = ["quay", "ecr-public", "k8s", "dockerhub", "ghcr", "gitlab"].map(
    (prefix) => `arn:aws:ecr:us-east-1:111122223333:repository/${prefix}/*`,
  );
  const [policy] = ofType({ here: containers(here) }, "AWS::ECR::RegistryPolicy").map(
    ({ PolicyText }) => PolicyText as { Statement: readonly object[] },
  );
  expect(policy?.Statement).toEqual([
    expect.objectContaining({
      Principal: { Service: "omics.amazonaws.com" },
      Resource: below,
      Condition: { StringEquals: { "aws:SourceAccount": "111122223333" } },
    }),
  ]);
  const makes = ofType({ here: containers(here) }, "AWS::IAM::Policy")
    .flatMap(({ PolicyDocument }) => (PolicyDocument as { Statement: readonly { Sid?: string }[] }).Statement)
    .filter(({ Sid }) => Sid === "MakeRepositories");
  expect(makes).toEqual([expect.objectContaining({ Resource: below.toSorted() })]);
  const rules = containers(here).filter(({ Type }) => Type === "AWS::ECR::PullThroughCacheRule");
  expect(rules.map(({ DependsOn = [] }) => DependsOn.filter((name) => name.includes("Template")).length > 0)).toEqual(
    below.map(() => true),
  );
});

test("E43: the CDK's command line reads what its library writes", () => {
  const stacks = execFileSync(process.execPath, [join(ROOT, "node_modules/aws-cdk/bin/cdk"), "list", "--app", assembly("us-east-1")], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], HOME: folder, CDK_DISABLE_CLI_TELEMETRY: "true" },
    stdio: ["ignore", "pipe", "ignore"],
  });
  expect(
    stacks
      .trim()
      .split("\n")
      .map((line) => line.split(" ")[0]),
  ).toEqual(expect.arrayContaining(["omx-cicd", "omx-containers"]));
}, 120_000);

test("every defect that docs/ecr-helper-defects.md lists is named by a test in each file that it gives", () => {
  const rows = [...readFileSync(join(ROOT, "docs/ecr-helper-defects.md"), "utf8").matchAll(/^\| (E\d+b?) \|.*\| ([^|]+) \|$/gm)].map(
    ([, id = "", files = ""]) => ({ id, files: [...files.matchAll(/`([^`]+)`/g)].map(([, file = ""]) => file) }),
  );
  expect(rows.map(({ id }) => id)).toEqual(
    Array.from({ length: 43 }, (_, index) => `E${index + 1}`).flatMap((id) => (id === "E13" ? [id, "E13b"] : [id])),
  );
  const isTitled = (file: string, id: string): boolean =>
    new RegExp(`"(?:E\\d+b?, )*${id}[:,]`).test(readFileSync(join(ROOT, file), "utf8"));
  expect(
    rows.flatMap(({ id, files }) =>
      files.length === 0 ? [id] : files.filter((file) => !isTitled(file, id)).map((file) => `${id}: ${file}`),
    ),
  ).toEqual([]);
});
