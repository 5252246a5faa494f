import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DeployConfig } from "../release/project/deploy-config.ts";
import { releaseApp } from "./release-app.ts";
import { CicdStack } from "./stacks/cicd-stack.ts";
import { ProductionStack } from "./stacks/production-stack.ts";
import { WorkflowStack } from "./stacks/workflow-stack.ts";
import { actionsOf } from "./testing/actions.ts";
import { RICH, synthesize, Templates } from "./testing/templates.ts";

// What AWS refuses, or grants in vain, though a template is well-formed: of a deployment that uses everything there is.

let folder = "";
let templates: Templates;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "omx-aws-rules-"));
  templates = new Templates(synthesize(folder, RICH));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
}
interface Policy {
  readonly PolicyDocument: { readonly Statement: readonly Statement[] };
  readonly Roles: readonly unknown[];
}
const listOf = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? (value as readonly T[]) : [value as T]);
const policies = () =>
  templates.ofType("AWS::IAM::Policy").map(([path, { Properties }, stack]) => ({ path, stack, ...(Properties as unknown as Policy) }));
const statements = () =>
  policies().flatMap(({ path, stack, PolicyDocument }) =>
    PolicyDocument.Statement.map(({ Action, Resource, Effect }) => ({
      path,
      Effect,
      actions: listOf(Action),
      resources: listOf(Resource).map((one) => templates.text(stack, one)),
    })),
  );

describe("policies of roles", () => {
  // IAM counts the inline policies of a role together (IAM/latest/UserGuide/reference_iam-quotas.html).
  test("a role's policies have at most 10,240 characters", () => {
    const sizes = new Map<string, number>();
    for (const { stack, PolicyDocument, Roles } of policies())
      for (const role of Roles) {
        const name = `${stack}/${templates.text(stack, role)}`;
        sizes.set(name, (sizes.get(name) ?? 0) + templates.size(stack, PolicyDocument));
      }
    expect(sizes.size).toBeGreaterThan(20);
    expect([...sizes].filter(([, size]) => size > 10_240)).toEqual([]);
  });

  test("every action is one that AWS knows", () => {
    expect(
      statements().flatMap(({ path, actions }) => actions.filter((name) => actionsOf(name).length === 0).map((name) => `${path}: ${name}`)),
    ).toEqual([]);
  });

  /** The CDK grants a pipeline's source action this one, whatever the connection's ARN says. */
  const isInVain = (name: string, resources: readonly string[]): boolean =>
    name === "codestar-connections:UseConnection" && resources.every((one) => one.startsWith("arn:aws:codeconnections:"));

  test("every action is allowed on a resource that it is asked about", () => {
    const allowed = statements().filter(({ Effect }) => Effect === "Allow");
    const inVain = allowed.flatMap(({ path, actions, resources }) =>
      actions.flatMap((name) =>
        actionsOf(name)
          .filter(([, kinds]) => {
            if (resources.includes("*") || isInVain(name, resources)) return false;
            return !resources.some((one) => kinds.some((kind) => kind.test(one)));
          })
          .map(([action]) => `${path}: ${action} on ${resources.join(", ")}`),
      ),
    );
    expect(inVain).toEqual([]);
  });

  test("every resource is of a kind that one of its statement's actions is asked about", () => {
    // The CDK grants its pipelines' roles writing on the bucket itself, beside its objects.
    const own = statements().filter(({ path }) => !path.includes("CodePipelineActionRole"));
    const idle = own.flatMap(({ path, actions, resources }) =>
      resources
        .filter(
          (one) =>
            one !== "*" &&
            !actions.some((name) => isInVain(name, [one]) || actionsOf(name).some(([, kinds]) => kinds.some((kind) => kind.test(one)))),
        )
        .map((one) => `${path}: ${one}`),
    );
    expect(idle).toEqual([]);
  });

  test("who reads behind a connection may use it by the name that its ARN has", () => {
    const used = statements().flatMap(({ actions, resources }) =>
      actions.filter((name) => name.endsWith(":UseConnection") && !isInVain(name, resources)).map((name) => [name, ...resources]),
    );
    expect(new Set(used.map(([name, arn = ""]) => `${name} of ${arn.split(":")[2]}`))).toEqual(
      new Set(["codeconnections:UseConnection of codeconnections", "codestar-connections:UseConnection of codestar-connections"]),
    );
  });

  test("a machine that is traced may send its traces", () => {
    const traced = templates
      .ofType("AWS::StepFunctions::StateMachine")
      .filter(([, { Properties }]) => (Properties["TracingConfiguration"] as { Enabled?: boolean } | undefined)?.Enabled);
    const tracing = statements().filter(({ actions }) => actions.includes("xray:PutTraceSegments"));
    expect([traced.length, tracing.length]).toEqual([3, 3]);
  });
});

test("a repository behind a connection is named whole, its groups too", () => {
  const sources = templates
    .ofType("AWS::CodePipeline::Pipeline")
    .flatMap(([, { Properties }]) =>
      (Properties["Stages"] as { Actions: { Configuration?: { FullRepositoryId?: string } }[] }[]).flatMap(({ Actions }) =>
        Actions.flatMap(({ Configuration }) => Configuration?.FullRepositoryId ?? []),
      ),
    );
  expect(sources.toSorted()).toEqual(["lab/flow", "lab/team/flow"]);
});

// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html
test("what is kept is not kept of a first deployment that was rolled back: its name would be taken for the next", () => {
  const kept = templates.resources.filter(([, { DeletionPolicy }]) => DeletionPolicy?.startsWith("Retain"));
  expect(kept.map(([, { Type }]) => Type)).toEqual(
    expect.arrayContaining(["AWS::S3::Bucket", "AWS::KMS::Key", "AWS::CodeCommit::Repository"]),
  );
  expect(kept.filter(([, { DeletionPolicy }]) => DeletionPolicy !== "RetainExceptOnCreate").map(([path]) => path)).toEqual([]);
});

describe("a large deployment", () => {
  const places = Array.from({ length: 12 }, (_, index) => ({ account: String(444455556600 + index), region: "ap-northeast-1" }));
  const workflows = Object.fromEntries(Array.from({ length: 45 }, (_, index) => [`variant-calling-of-germline-${index}`, {}]));
  let large: Templates;
  beforeAll(() => {
    const config = DeployConfig.parse({ cicd: { account: "111122223333", region: "ap-northeast-1" }, production: places, workflows });
    large = new Templates(
      synthesize(join(folder, "large"), config, (app, context) => {
        const env = config.cicd;
        const { key, bucket, topic } = new CicdStack(app, "omx-cicd", { context, env });
        new WorkflowStack(app, "omx-workflow", { context, workflow: "variant-calling-of-germline-7", key, bucket, topic, env });
        new ProductionStack(app, "omx-production", { context, place: places[0]!, env: places[0]! });
      }),
    );
  }, 120_000);
  /** The most bytes that a policy of this kind has, references followed. */
  const largest = (type: string, member: string): number =>
    Math.max(...large.ofType(type).map(([, { Properties }, stack]) => large.size(stack, Properties[member])));

  // AmazonS3/latest/userguide/add-bucket-policy.html, kms/latest/developerguide/resource-limits.html, IAM/latest/UserGuide/reference_iam-quotas.html
  test.each([
    ["AWS::S3::BucketPolicy", "PolicyDocument", 20_480],
    ["AWS::KMS::Key", "KeyPolicy", 32_768],
    ["AWS::IAM::Role", "AssumeRolePolicyDocument", 2048],
    ["AWS::IAM::Policy", "PolicyDocument", 10_240],
  ])("of 45 workflows and 12 production accounts, no %s is larger than AWS takes", (type, member, most) => {
    expect(largest(type, member)).toBeGreaterThan(most / 10);
    expect(largest(type, member)).toBeLessThanOrEqual(most);
  });

  test("what has no room in a function's environment is told before anything is deployed", () => {
    const namespaces = Object.fromEntries(
      Array.from({ length: 80 }, (_, index) => [`registry-${index}.hospital.example.org`, `hospital-registry-${index}`]),
    );
    const config = DeployConfig.parse({
      cicd: { account: "111122223333", region: "eu-west-1" },
      production: places,
      containers: { namespaces },
    });
    expect(() => synthesize(join(folder, "long"), config)).toThrow(
      /^omx\.deploy\.yaml: cicd, production and containers are \d+ bytes as JSON, and a function's environment has room for 3840/,
    );
  });
});

test("a region that HealthOmics was not in is warned of, for each of its stacks", () => {
  const place = (account: string, region: string) => ({ account, region });
  const config = DeployConfig.parse({
    cicd: place("111122223333", "eu-west-1"),
    production: [place("444455556666", "eu-west-1"), place("444455556666", "eu-west-3")],
  });
  const warned: string[] = [];
  synthesize(join(folder, "regions"), config, (app, context) => {
    releaseApp(app, context);
    for (const stack of app.node.children)
      warned.push(
        ...stack.node.metadata.filter(({ type }) => type === "aws:cdk:warning").map(({ data }) => `${stack.node.id}: ${String(data)}`),
      );
  });
  expect(warned).toEqual([expect.stringMatching(/^omx-production-444455556666-eu-west-3: HealthOmics was not in eu-west-3 /)]);
});

// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
test("a function's environment has at most 4 KB", () => {
  const sizes = templates
    .ofType("AWS::Lambda::Function")
    .map(
      ([path, { Properties }]) =>
        [path, JSON.stringify((Properties["Environment"] as { Variables?: object } | undefined)?.Variables ?? {}).length] as const,
    );
  expect(sizes.filter(([, size]) => size > 4096)).toEqual([]);
  expect(sizes.some(([, size]) => size > 1000)).toBe(true);
});

// codepipeline/latest/userguide/limits.html: 8 hours for an action of CodeBuild.
test("a release's build outlasts the builds of its images, as far as its pipeline waits", () => {
  const hoursOf = (name: RegExp, of = templates) =>
    of
      .ofType("AWS::CodeBuild::Project")
      .filter(([, { Properties }]) => name.test(String(Properties["Name"])))
      .map(([, { Properties }]) => Number(Properties["TimeoutInMinutes"]) / 60);
  expect(hoursOf(/^omx-image-build$/)).toEqual([5]);
  expect(hoursOf(/^omx-from-.*-build$/)).toEqual([7, 7, 7]);
  const longest = DeployConfig.parse({ ...RICH, containers: { ...RICH.containers, buildHours: 11 } });
  const long = new Templates(synthesize(join(folder, "long-builds"), longest));
  expect([hoursOf(/^omx-image-build$/, long), hoursOf(/^omx-from-.*-build$/, long)]).toEqual([[11], [8, 8, 8]]);
});
