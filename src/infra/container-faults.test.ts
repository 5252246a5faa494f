import {
  BatchGetProjectsCommand,
  CodeBuildClient,
  CreateProjectCommand,
  type CreateProjectCommandInput,
  DeleteProjectCommand,
} from "@aws-sdk/client-codebuild";
import {
  CreatePullThroughCacheRuleCommand,
  DescribeImagesCommand,
  DescribePullThroughCacheRulesCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  ListTagsForResourceCommand,
  SetRepositoryPolicyCommand,
} from "@aws-sdk/client-ecr";
import {
  DescribeRuleCommand,
  DisableRuleCommand,
  EnableRuleCommand,
  EventBridgeClient,
  TestEventPatternCommand,
} from "@aws-sdk/client-eventbridge";
import { DeleteRolePolicyCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { GetFunctionConfigurationCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { DescribeStateMachineCommand, SFNClient } from "@aws-sdk/client-sfn";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { CICD, PRODUCTION, REGION } from "../local/testing/accounts.ts";
import { registryClient, type RegistryClient } from "../oci/client/registry-client.ts";
import { type DockerRegistry, startDockerRegistry } from "../oci/testing/docker-registry.ts";
import { noise, pushSample } from "../oci/testing/sample-images.ts";
import { type ContainerAccounts, PATIENCE_MS, startContainers } from "./testing/containers.ts";

// The stacks where not all is as they wish: rights that are missing, events that do not come, rules that were there before.

const MIB = 1024 * 1024;
const RULE = "omx-new-repository";
const OWN_RULES = [
  { ecrRepositoryPrefix: "quay", upstreamRegistryUrl: "quay.io" },
  { ecrRepositoryPrefix: "ecr-public", upstreamRegistryUrl: "public.ecr.aws" },
];

let stage: ContainerAccounts;
let upstream: DockerRegistry;
let clients: RegistryClient;
beforeAll(async () => {
  [upstream, clients] = [await startDockerRegistry(), registryClient()];
  // Another registry than those of the account's own rules: its images are copied.
  stage = await startContainers({ functionLimitGiB: 1 / 1024, buildHours: 6 }, { "ghcr.io": upstream.url }, async (accounts) => {
    const ecr = new ECRClient(accounts.config());
    for (const rule of OWN_RULES) await ecr.send(new CreatePullThroughCacheRuleCommand(rule));
  });
}, PATIENCE_MS);
afterAll(async () => {
  await clients?.close();
  await stage?.[Symbol.asyncDispose]();
  await upstream?.[Symbol.asyncDispose]();
}, PATIENCE_MS);

const sample = (name: string, sizeBytes = 4000) =>
  pushSample(clients.repository({ registry: upstream.host, repository: `lab/${name}` }), "1", { layers: [noise(name, sizeBytes)] });
const image = (name: string): string => `ghcr.io/lab/${name}:1`;
const client = <Client>(of: new (config: ReturnType<ContainerAccounts["accounts"]["config"]>) => Client): Client =>
  new of(stage.accounts.config());
const nameOf = (arn = ""): string => arn.split("/").at(-1) ?? "";

const pullRole = async () =>
  nameOf((await client(LambdaClient).send(new GetFunctionConfigurationCommand({ FunctionName: "omx-pull-image" }))).Role);
const machine = (name: string) =>
  client(SFNClient).send(new DescribeStateMachineCommand({ stateMachineArn: `arn:aws:states:${REGION}:${CICD}:stateMachine:${name}` }));

/** Until the test ends, a role may not do something. */
async function deny(RoleName: string, action: string): Promise<void> {
  const PolicyName = "denied-for-a-test";
  const PolicyDocument = JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Deny", Action: action, Resource: "*" }] });
  await client(IAMClient).send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument }));
  onTestFinished(async () => void (await client(IAMClient).send(new DeleteRolePolicyCommand({ RoleName, PolicyName }))));
}

test.each([
  ["ecr:BatchGetImage", "absent"],
  ["ecr:CreateRepository", "absent"],
  ["ecr:GetRepositoryPolicy", "present"],
])(
  "E14: where %s is denied the image fails by that name, and is not taken for missing",
  async (action, repository) => {
    const name = `denied-${action.split(":")[1]!.toLowerCase()}`;
    await sample(name);
    await deny(await pullRole(), action);
    const { status, images } = await stage.run("puller", [image(name)]);
    expect([status, images.map((one) => one.status)]).toEqual(["FAILED", ["FAILED"]]);
    expect(images[0]!.reason).toContain(`not authorized to perform: ${action}`);
    const there = await stage.ecr.send(new DescribeImagesCommand({ repositoryName: `ghcr/lab/${name}` })).then(
      () => "present",
      (error: Error) => (error.name === "RepositoryNotFoundException" ? "absent" : error.name),
    );
    expect(there).toBe(repository);
  },
  PATIENCE_MS,
);

test(
  "E16: a build that cannot start fails its image with a reason that is no JSON; the other images and their results stay",
  async () => {
    await sample("small");
    await sample("large", 2 * MIB);
    const builds = client(CodeBuildClient);
    const { projects = [] } = await builds.send(new BatchGetProjectsCommand({ names: ["omx-image-pull"] }));
    await builds.send(new DeleteProjectCommand({ name: "omx-image-pull" }));
    onTestFinished(async () => void (await builds.send(new CreateProjectCommand(projects[0] as CreateProjectCommandInput))));
    const { status, error, images } = await stage.run("puller", [image("small"), image("large")]);
    expect([status, error, images.map((one) => one.status)]).toEqual(["FAILED", "ImagesFailed", ["SUCCEEDED", "FAILED"]]);
    expect(images[1]!.reason).toMatch(/^CodeBuild\.ResourceNotFoundException: .*omx-image-pull/);
  },
  PATIENCE_MS,
);

test("E25: creating a repository is the only call that wakes the function, and only where it succeeded", async () => {
  const events = client(EventBridgeClient);
  const { EventPattern } = await events.send(new DescribeRuleCommand({ Name: RULE }));
  const wakes = async (detail: object) => {
    const Event = JSON.stringify({
      id: "1",
      account: CICD,
      region: REGION,
      time: "2026-01-01T00:00:00Z",
      resources: [],
      source: "aws.ecr",
      "detail-type": "AWS API Call via CloudTrail",
      detail: { eventSource: "ecr.amazonaws.com", requestParameters: { repositoryName: "lab/tool" }, ...detail },
    });
    return (await events.send(new TestEventPatternCommand({ EventPattern, Event }))).Result;
  };
  expect(await wakes({ eventName: "CreateRepository" })).toBe(true);
  for (const eventName of ["PutImage", "SetRepositoryPolicy", "DescribeImages", "DeleteRepository"])
    expect(await wakes({ eventName }), eventName).toBe(false);
  expect(await wakes({ eventName: "CreateRepository", errorCode: "RepositoryAlreadyExistsException" })).toBe(false);
});

test(
  "E26, E29, E30: the policy is there when the execution ends, though no event ever comes; one that was lost comes back beside what others wrote",
  async () => {
    await sample("unheard");
    await client(EventBridgeClient).send(new DisableRuleCommand({ Name: RULE }));
    onTestFinished(async () => void (await client(EventBridgeClient).send(new EnableRuleCommand({ Name: RULE }))));
    expect(await stage.run("puller", [image("unheard")])).toMatchObject({ status: "SUCCEEDED" });
    const sids = async () => (await stage.policyOf("ghcr/lab/unheard"))?.Statement.map(({ Sid }) => Sid);
    expect(await sids()).toEqual(["OmxHealthOmics"]);
    const theirs = { Sid: "Theirs", Effect: "Allow", Principal: { AWS: `arn:aws:iam::${PRODUCTION}:root` }, Action: "ecr:BatchGetImage" };
    await stage.ecr.send(
      new SetRepositoryPolicyCommand({
        repositoryName: "ghcr/lab/unheard",
        policyText: JSON.stringify({ Version: "2012-10-17", Statement: [theirs] }),
      }),
    );
    expect((await stage.run("puller", [image("unheard")])).images).toMatchObject([{ status: "SKIPPED" }]);
    expect(await sids()).toEqual(["Theirs", "OmxHealthOmics"]);
  },
  PATIENCE_MS,
);

test(
  "E34: a repository that is made for an image has its images scanned, and says by its tags who made it and of what",
  async () => {
    await sample("scanned");
    expect(await stage.run("puller", [image("scanned")])).toMatchObject({ status: "SUCCEEDED" });
    const { repositories = [] } = await stage.ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ["ghcr/lab/scanned"] }));
    expect(repositories[0]?.imageScanningConfiguration).toEqual({ scanOnPush: true });
    const { tags } = await stage.ecr.send(new ListTagsForResourceCommand({ resourceArn: repositories[0]?.repositoryArn }));
    expect(tags).toEqual(
      expect.arrayContaining([
        { Key: "createdBy", Value: "omx-ecr-helper" },
        { Key: "omx:source", Value: "ghcr.io/lab/scanned" },
      ]),
    );
  },
  PATIENCE_MS,
);

test("E32: an account's own cache rules are no hindrance, and stay as they were", async () => {
  const { pullThroughCacheRules = [] } = await stage.ecr.send(new DescribePullThroughCacheRulesCommand({}));
  expect(
    pullThroughCacheRules
      .map(({ ecrRepositoryPrefix, upstreamRegistryUrl }) => ({ ecrRepositoryPrefix, upstreamRegistryUrl }))
      .sort((a, b) => (a.ecrRepositoryPrefix! > b.ecrRepositoryPrefix! ? -1 : 1)),
  ).toEqual(OWN_RULES);
});

interface Definition {
  readonly States: {
    readonly EachImage: { readonly ItemProcessor: { readonly States: { readonly Build: { readonly TimeoutSeconds: number } } } };
  };
}

test.each([
  ["omx-container-puller", "omx-image-pull", 8],
  ["omx-container-builder", "omx-image-build", 6],
] as const)("E18: %s gives a build its hours, and waits as long as it may stand in the queue besides", async (name, project, hours) => {
  const { projects = [] } = await client(CodeBuildClient).send(new BatchGetProjectsCommand({ names: [project] }));
  const { timeoutInMinutes = 0, queuedTimeoutInMinutes = 480 } = projects[0]!;
  expect(timeoutInMinutes).toBe(hours * 60);
  const { States } = JSON.parse((await machine(name)).definition ?? "") as Definition;
  expect(States.EachImage.ItemProcessor.States.Build.TimeoutSeconds).toBeGreaterThanOrEqual(
    (timeoutInMinutes + queuedTimeoutInMinutes) * 60,
  );
});
