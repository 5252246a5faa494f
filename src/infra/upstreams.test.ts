import { CloudWatchLogsClient, paginateDescribeLogGroups, paginateFilterLogEvents } from "@aws-sdk/client-cloudwatch-logs";
import {
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  ECRClient,
  GetRepositoryPolicyCommand,
  ListTagsForResourceCommand,
} from "@aws-sdk/client-ecr";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { CreateSecretCommand, PutSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { paginateGetExecutionHistory, SFNClient } from "@aws-sdk/client-sfn";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runExecution } from "../aws/executions.ts";
import { systemClock } from "../kit/clock.ts";
import { CICD, REGION, startAccounts, type TestAccounts } from "../local/testing/accounts.ts";
import { registryClient, type RegistryClient } from "../oci/client/registry-client.ts";
import { type DockerRegistry, startDockerRegistry } from "../oci/testing/docker-registry.ts";
import { type GuardedRegistry, guardedRegistry } from "../oci/testing/guarded-registry.ts";
import { noise, pushSample } from "../oci/testing/sample-images.ts";
import { DeployConfig } from "../release/project/deploy-config.ts";
import { outcomesIn } from "../release/images/results.ts";
import type { ImageOutcome } from "../release/images/staging.ts";
import { deployContainers } from "./testing/deployed.ts";

const HOME = `${CICD}.dkr.ecr.${REGION}.amazonaws.com`;
const PATIENCE_MS = 400_000;

let upstream: DockerRegistry;
let guard: GuardedRegistry;
let accounts: TestAccounts;
let clients: RegistryClient;
let kmsKey = "";
const PASSWORD = "s3cret-p4ss-of-upstream";

beforeAll(async () => {
  [upstream, clients] = [await startDockerRegistry(), registryClient()];
  guard = await guardedRegistry(upstream.url, { username: "robot", password: PASSWORD });
  accounts = await startAccounts({
    upstreams: {
      "quay.io": upstream.url,
      "private.example": guard.url,
      "docker.io": guard.url,
      "broken.example": guard.url,
      "rotated.example": guard.url,
    },
  });
  const secret = async (Name: string, value: object) =>
    (await new SecretsManagerClient(accounts.config()).send(new CreateSecretCommand({ Name, SecretString: JSON.stringify(value) }))).ARN;
  const credentials = {
    "private.example": await secret("upstream", { username: "robot", accessToken: PASSWORD }),
    "docker.io": await secret("hub", { username: "robot", password: PASSWORD }),
    "broken.example": await secret("broken", { user: "robot", token: PASSWORD }),
    "rotated.example": await secret("rotated", { username: "robot", password: "of yesterday" }),
  };
  kmsKey = (await new KMSClient(accounts.config()).send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? "";
  await deployContainers(accounts, {
    containers: {
      pullThrough: ["quay.io"],
      credentials,
      functionLimitGiB: 1 / 1024,
      repositories: { kmsKeys: [kmsKey], immutableTags: true, scanOnPush: false },
    },
  });
}, PATIENCE_MS);
afterAll(async () => {
  await clients?.close();
  await accounts?.[Symbol.asyncDispose]();
  await guard?.[Symbol.asyncDispose]();
  await upstream?.[Symbol.asyncDispose]();
}, PATIENCE_MS);

const at = (repository: string) => clients.repository({ registry: upstream.host, repository });
async function run(manifest: readonly string[]): Promise<{ readonly images: readonly ImageOutcome[]; readonly arn: string }> {
  const ended = await runExecution(new SFNClient(accounts.config()), {
    arn: `arn:aws:states:${REGION}:${CICD}:stateMachine:omx-container-puller`,
    name: crypto.randomUUID(),
    input: JSON.stringify({ manifest }),
    clock: systemClock,
  });
  return { images: outcomesIn(ended.output || ended.cause) ?? [], arn: ended.executionArn };
}

test(
  "E34: the cache brings images of declared registries for one manifest request, into repositories that HealthOmics may read",
  async () => {
    const ecr = new ECRClient(accounts.config());
    const { digest } = await pushSample(at("cached/tool"), "1", { layers: [noise("cached", 60_000)] });
    expect((await run(["quay.io/cached/tool:1", "quay.io/cached/absent:1"])).images).toMatchObject([
      {
        status: "SUCCEEDED",
        target_image: `${HOME}/quay/cached/tool:1`,
        digest,
        bytes_moved: 0,
        reason: "ECR's pull-through cache has it",
      },
      { status: "FAILED", reason: expect.stringContaining("quay.io does not have it") },
    ]);
    const { tags = [] } = await ecr.send(
      new ListTagsForResourceCommand({ resourceArn: `arn:aws:ecr:${REGION}:${CICD}:repository/quay/cached/tool` }),
    );
    expect(tags).toContainEqual({ Key: "createdBy", Value: "omx-ecr-helper" });
    const { policyText = "" } = await ecr.send(new GetRepositoryPolicyCommand({ repositoryName: "quay/cached/tool" }));
    expect((JSON.parse(policyText) as { Statement: { Sid: string }[] }).Statement.map(({ Sid }) => Sid)).toEqual(["OmxHealthOmics"]);

    const { digest: moved } = await pushSample(at("cached/tool"), "1", { layers: [noise("moved", 60_000)] });
    expect((await run(["quay.io/cached/tool:1"])).images).toMatchObject([
      { digest: moved, reason: expect.stringMatching(new RegExp(`^upstream has moved the tag, .* takes it for ${digest} `)) },
    ]);
  },
  PATIENCE_MS,
);

test(
  "E23: credentials of upstream registries come from Secrets Manager, for functions and builds, and are seen nowhere",
  async () => {
    const small = await pushSample(at("private/tool"), "1", { layers: [noise("private", 4000)] });
    const large = await pushSample(at("private/large"), "1", { layers: [noise("private large", 2 * 1024 * 1024)] });
    const { images, arn } = await run([
      "private.example/private/tool:1",
      "private.example/private/large:1",
      "broken.example/private/tool:1",
      "private/tool:1",
    ]);
    expect(images).toMatchObject([
      { status: "SUCCEEDED", digest: small.digest },
      { status: "SUCCEEDED", digest: large.digest, build: expect.stringContaining("omx-image-pull:") },
      {
        status: "FAILED",
        reason: expect.stringMatching(
          /the credentials of broken\.example \(arn:aws:secretsmanager:[^)]*\) can't be used: it is not \{"username"/,
        ),
      },
      // Docker Hub counts who asks without a name by address, and builds share theirs.
      { status: "SUCCEEDED", target_image: `${HOME}/dockerhub/private/tool:1`, digest: small.digest },
    ]);
    const history: string[] = [];
    for await (const page of paginateGetExecutionHistory(
      { client: new SFNClient(accounts.config()) },
      { executionArn: arn, includeExecutionData: true },
    ))
      history.push(JSON.stringify(page.events));
    const logs = new CloudWatchLogsClient(accounts.config());
    const said: string[] = [];
    for await (const { logGroups = [] } of paginateDescribeLogGroups({ client: logs }, {}))
      for (const { logGroupName } of logGroups)
        for await (const { events = [] } of paginateFilterLogEvents({ client: logs }, { logGroupName }))
          said.push(...events.map(({ message = "" }) => message));
    expect([history.length > 0, said.length > 0]).toEqual([true, true]);
    expect(
      [...history, ...said, ...accounts.log].filter(
        (text) => text.includes(PASSWORD) || text.includes(Buffer.from(`robot:${PASSWORD}`).toString("base64")),
      ),
    ).toEqual([]);
  },
  PATIENCE_MS,
);

test(
  "a secret that was corrected counts for the next execution",
  async () => {
    const { digest } = await pushSample(at("rotated/tool"), "1", { layers: [noise("rotated", 4000)] });
    const image = "rotated.example/rotated/tool:1";
    expect((await run([image])).images).toMatchObject([
      { status: "FAILED", reason: expect.stringContaining("the credentials given for it do not allow that") },
    ]);
    await new SecretsManagerClient(accounts.config()).send(
      new PutSecretValueCommand({ SecretId: "rotated", SecretString: JSON.stringify({ username: "robot", password: PASSWORD }) }),
    );
    expect((await run([image])).images).toMatchObject([{ status: "SUCCEEDED", digest }]);
  },
  PATIENCE_MS,
);

test(
  "repositories are made with the declared key and settings, copied and cached ones, by roles that may use that key through ECR alone",
  async () => {
    const { digest: imageDigest } = await pushSample(at("settled/copied"), "1", { layers: [noise("copied", 4000)] });
    await pushSample(at("settled/cached"), "1", { layers: [noise("cached too", 4000)] });
    expect((await run(["private.example/settled/copied:1", "quay.io/settled/cached:1"])).images).toMatchObject([
      { status: "SUCCEEDED" },
      { status: "SUCCEEDED" },
    ]);
    const ecr = new ECRClient(accounts.config());
    const { repositories } = await ecr.send(
      new DescribeRepositoriesCommand({ repositoryNames: ["private.example/settled/copied", "quay/settled/cached"] }),
    );
    const settings = {
      encryptionConfiguration: { encryptionType: "KMS", kmsKey },
      imageTagMutability: "IMMUTABLE",
      imageScanningConfiguration: { scanOnPush: false },
    };
    expect(repositories).toMatchObject([settings, settings]);

    await pushSample(at("settled/copied"), "1", { layers: [noise("moved", 4000)] });
    expect((await run(["private.example/settled/copied:1"])).images).toMatchObject([
      { reason: expect.stringContaining("the tag is immutable") },
    ]);
    const { imageDetails } = await ecr.send(
      new DescribeImagesCommand({ repositoryName: "private.example/settled/copied", imageIds: [{ imageTag: "1" }] }),
    );
    expect(imageDetails).toMatchObject([{ imageDigest }]);
  },
  PATIENCE_MS,
);

const parse = (containers: object) =>
  DeployConfig.safeParse({
    cicd: { account: CICD, region: REGION },
    production: [{ account: "444455556666", region: REGION }],
    containers,
  });

test("E33: a registry that the cache cannot read, or reads with credentials alone, is refused when the stacks are made", () => {
  const secret = (name: string) => ({ "docker.io": `arn:aws:secretsmanager:${REGION}:${CICD}:secret:${name}` });
  expect(parse({ pullThrough: ["docker.io"], credentials: secret("ecr-pullthroughcache/hub-AbCdEf") }).success).toBe(true);
  expect(parse({ pullThrough: ["docker.io"], credentials: secret("hub") }).error?.message).toContain("begins with ecr-pullthroughcache/");
  expect(
    parse({ pullThrough: ["lab.azurecr.io"], credentials: { "lab.azurecr.io": secret("ecr-pullthroughcache/azure-AbCdEf")["docker.io"] } })
      .success,
  ).toBe(true);
  expect(parse({ pullThrough: ["registry.example"] }).error?.message).toContain("quay.io, public.ecr.aws");
  expect(parse({ namespaces: { "eu.gcr.io": "Bad_" } }).error?.message).toContain("images of eu.gcr.io");
});
