import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { App, Validations } from "aws-cdk-lib";
import type { Asset } from "aws-cdk-lib/aws-s3-assets";
import { AwsSolutionsChecks } from "cdk-nag";
import type { IConstruct } from "constructs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { validateDefinition } from "../local/states/asl/validate.ts";
import { DeployConfig } from "../release/project/deploy-config.ts";
import { acknowledgements } from "./acknowledgements.ts";
import { releaseApp } from "./release-app.ts";

const CICD = { account: "111122223333", region: "us-east-1" };
const PRODUCTION = { account: "444455556666", region: "us-east-1" };
const RELEASES = "omx-releases-444455556666-us-east-1";
const WORKFLOW = "phage-variants";
const ROOT = join(import.meta.dirname, "../..");

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}
interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
  readonly Principal?: unknown;
}

let folder = "";
let templates: Readonly<Record<string, Readonly<Record<string, Resource>>>> = {};
let findings: readonly string[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "omx-infra-"));
  const outdir = join(folder, "cdk.out");
  const { context } = JSON.parse(readFileSync(join(ROOT, "cdk.json"), "utf8")) as { context: Record<string, unknown> };
  const app = new App({ analyticsReporting: false, outdir, context });
  const config = DeployConfig.parse({ cicd: CICD, production: [PRODUCTION], workflows: { [WORKFLOW]: {} } });
  releaseApp(app, { config, bundles: { functions: bundle("functions"), toolkit: bundle("toolkit") } });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  const toolkit = at(app, `omx-workflow-${WORKFLOW}/Toolkit`) as Asset;
  for (const { finding, at: paths, reason } of acknowledgements({
    cicd: CICD,
    production: PRODUCTION,
    workflow: WORKFLOW,
    toolkitKey: toolkit.s3ObjectKey,
  }))
    for (const path of paths) Validations.of(at(app, path)).acknowledge({ id: `AwsSolutions::${finding}`, reason });
  app.synth();
  templates = Object.fromEntries(
    readdirSync(outdir)
      .filter((name) => name.endsWith(".template.json"))
      .map((name) => [
        name.replace(".template.json", ""),
        (JSON.parse(readFileSync(join(outdir, name), "utf8")) as { Resources: Record<string, Resource> }).Resources,
      ]),
  );
  const report = JSON.parse(readFileSync(join(outdir, "validation-report.json"), "utf8")) as {
    pluginReports: { violations: { ruleName: string; violatingConstructs: { constructPath: string }[] }[] }[];
  };
  findings = report.pluginReports.flatMap(({ violations }) =>
    violations.flatMap(({ ruleName, violatingConstructs }) =>
      violatingConstructs.map(({ constructPath }) => `${constructPath}: ${ruleName}`),
    ),
  );
}, 240_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a bundle holds is of no interest to its stacks. */
function bundle(name: string): string {
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, "index.mjs"), "");
  return join(folder, name);
}

function at(app: App, path: string): IConstruct {
  return path.split("/").reduce<IConstruct>((scope, id) => scope.node.findChild(id), app);
}

const all = (): readonly (readonly [string, Resource])[] =>
  Object.entries(templates).flatMap(([stack, resources]) =>
    Object.entries(resources).map(([id, resource]) => [`${stack}/${id}`, resource] as const),
  );
const statementsOf = ({ Properties }: Resource): readonly Statement[] =>
  (Properties["PolicyDocument"] as { Statement: Statement[] }).Statement;
const policies = () =>
  all()
    .filter(([, { Type }]) => Type === "AWS::IAM::Policy")
    .flatMap(([path, resource]) => statementsOf(resource).map((statement) => ({ path, ...statement })));
const list = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? value : [value]).map((one) => (typeof one === "string" ? one : JSON.stringify(one)));

test("cdk-nag finds nothing that is not acknowledged", () => {
  expect(findings).toEqual([]);
});

describe("what roles may do", () => {
  test("no role has a managed policy of full access", () => {
    const managed = all()
      .filter(([, { Type }]) => Type === "AWS::IAM::Role")
      .flatMap(([path, { Properties }]) => list(Properties["ManagedPolicyArns"] ?? []).map((arn) => `${path}: ${arn}`));
    expect(managed.filter((arn) => /FullAccess|AdministratorAccess|PowerUser/.test(arn))).toEqual([]);
  });

  test("no statement allows a whole service", () => {
    expect(
      policies().flatMap(({ path, Action }) =>
        list(Action)
          .filter((action) => action === "*" || action.endsWith(":*"))
          .map((action) => `${path}: ${action}`),
      ),
    ).toEqual([]);
  });

  /** Actions that know no resource, or none before it is made (service authorization reference). */
  const WITHOUT_RESOURCE = new Set([
    "ecr:GetAuthorizationToken",
    "omics:CreateWorkflow",
    "omics:ListWorkflows",
    "omics:TagResource",
    "omics:ListTagsForResource",
    "logs:CreateLogDelivery",
    "logs:GetLogDelivery",
    "logs:UpdateLogDelivery",
    "logs:DeleteLogDelivery",
    "logs:ListLogDeliveries",
    "logs:PutResourcePolicy",
    "logs:DescribeResourcePolicies",
    "logs:DescribeLogGroups",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "xray:GetSamplingRules",
    "xray:GetSamplingTargets",
  ]);
  test("only actions that know no resource are allowed on all", () => {
    const wide = policies()
      .filter((statement) => list(statement.Resource).includes("*"))
      .flatMap(({ path, Action }) => list(Action).map((action) => ({ path, action })));
    expect(wide.filter(({ action }) => !WITHOUT_RESOURCE.has(action))).toEqual([]);
  });
});

describe("who may release", () => {
  const writes = (statement: Statement): boolean => list(statement.Action).some((action) => /^s3:(Put|Delete|Abort|\*)|^\*$/.test(action));
  const onReleases = (statement: Statement): boolean => list(statement.Resource).some((resource) => resource.includes(RELEASES));

  test("the build has nothing on the bucket of releases", () => {
    expect(policies().filter(({ path, ...statement }) => path.includes("/Build") && onReleases(statement))).toEqual([]);
  });

  test("of the pipeline's artifacts the build writes its own output, the promotion none: neither can put another toolkit in the place of ours", () => {
    const written = policies()
      .filter(({ path, ...statement }) => path.startsWith(`omx-workflow-${WORKFLOW}`) && writes(statement))
      .flatMap(({ path, Resource: resource }) => [JSON.stringify(resource)].map((text) => ({ path, text })))
      .filter(({ path, text }) => /\/(Build|Promote)/.test(path) && text.includes(`/omx-${WORKFLOW}/`));
    expect(written.map(({ path, text }) => [path.includes("/Build"), text.includes(`/omx-${WORKFLOW}/Built/*`)])).toEqual([[true, true]]);
  });

  test("no role answers an approval", () => {
    expect(policies().filter(({ Action }) => list(Action).some((action) => /PutApprovalResult/.test(action)))).toEqual([]);
  });

  test("in cicd the promotion alone writes there", () => {
    const writers = policies()
      .filter(({ path, ...statement }) => !path.startsWith("omx-production") && onReleases(statement) && writes(statement))
      .map(({ path }) => path);
    expect(writers.length).toBeGreaterThan(0);
    expect(writers.filter((path) => !path.includes("/Promote"))).toEqual([]);
  });

  test("the bucket lets in the promotion role of each workflow, and nobody else of another account", () => {
    const bucketPolicies = all().filter(([path, { Type }]) => Type === "AWS::S3::BucketPolicy" && path.startsWith("omx-production"));
    const allowed = bucketPolicies
      .flatMap(([, resource]) => statementsOf(resource))
      .filter(({ Effect }) => Effect === "Allow")
      .map(({ Principal }) => JSON.stringify(Principal));
    expect(new Set(allowed)).toEqual(
      new Set([JSON.stringify({ AWS: `arn:aws:iam::${CICD.account}:role/omx-promote-${WORKFLOW}-${CICD.region}` })]),
    );
  });
});

test("production's function is woken by a bundle, and by a build of one that ends badly, at which it may look", () => {
  const rules = all()
    .filter(([path, { Type }]) => path.startsWith("omx-production-") && Type === "AWS::Events::Rule")
    .map(([, { Properties }]) => Properties as { Name: string; EventPattern: object; Targets: readonly { Arn: object }[] });
  const lost = rules.find(({ Name }) => Name === "omx-release-lost");
  expect(lost?.EventPattern).toEqual({
    source: ["aws.codebuild"],
    "detail-type": ["CodeBuild Build State Change"],
    detail: { "project-name": ["omx-release"], "build-status": ["FAILED", "FAULT", "STOPPED", "TIMED_OUT"] },
  });
  expect(lost?.Targets.map(({ Arn }) => Arn)).toEqual(
    rules.find(({ Name }) => Name === "omx-bundle-arrived")?.Targets.map(({ Arn }) => Arn),
  );
  expect(
    policies()
      .filter(({ path, Action }) => path.startsWith("omx-production-") && list(Action).includes("codebuild:BatchGetBuilds"))
      .map(({ Resource }) => list(Resource)),
  ).toEqual([["arn:aws:codebuild:us-east-1:444455556666:project/omx-release"]]);
});

test("Step Functions accepts every state machine", () => {
  const machines = all().filter(([, { Type }]) => Type === "AWS::StepFunctions::StateMachine");
  expect(machines.map(([, { Properties }]) => Properties["StateMachineName"]).sort()).toEqual([
    "omx-container-builder",
    "omx-container-puller",
    "omx-test-run",
  ]);
  for (const [path, { Properties }] of machines) expect(validateDefinition(Properties["DefinitionString"] as string), path).toEqual([]);
});
