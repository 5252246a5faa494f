import { ECRClient, GetRepositoryPolicyCommand, ListTagsForResourceCommand } from "@aws-sdk/client-ecr";
import { SFNClient } from "@aws-sdk/client-sfn";
import { expect, test } from "vitest";
import { runExecution } from "../aws/executions.ts";
import { systemClock } from "../kit/clock.ts";
import { CICD, REGION, startAccounts } from "../local/testing/accounts.ts";
import { registryClient } from "../oci/client/registry-client.ts";
import { startDockerRegistry } from "../oci/testing/docker-registry.ts";
import { faultProxy } from "../oci/testing/fault-proxy.ts";
import { noise, pushSample } from "../oci/testing/sample-images.ts";
import { DeployConfig } from "../release/project/deploy-config.ts";
import type { ImageOutcome } from "../release/images/staging.ts";
import { deployContainers } from "./testing/deployed.ts";

const HOME = `${CICD}.dkr.ecr.${REGION}.amazonaws.com`;
const PATIENCE_MS = 400_000;

test("E34: the cache brings images of declared registries for one manifest request, into repositories that HealthOmics may read", async () => {
  await using upstream = await startDockerRegistry();
  await using front = await faultProxy(upstream.url, () => undefined);
  await using accounts = await startAccounts({ upstreams: { "quay.io": front.url } });
  await using clients = registryClient();
  const quay = (repository: string) => clients.repository({ registry: upstream.host, repository });
  await deployContainers(accounts, { containers: { pullThrough: ["quay.io"] } });
  const ecr = new ECRClient(accounts.config());
  const run = async (manifest: readonly string[]) => {
    const ended = await runExecution(new SFNClient(accounts.config()), { arn: `arn:aws:states:${REGION}:${CICD}:stateMachine:omx-container-puller`, name: crypto.randomUUID(), input: JSON.stringify({ manifest }), clock: systemClock });
    return (JSON.parse(ended.output || ended.cause) as { images: readonly ImageOutcome[] }).images;
  };

  const { digest } = await pushSample(quay("cached/tool"), "1", { layers: [noise("cached", 60_000)] });
  expect(await run(["quay.io/cached/tool:1", "quay.io/cached/absent:1"])).toMatchObject([
    { status: "SUCCEEDED", target_image: `${HOME}/quay/cached/tool:1`, digest, bytes_moved: 0, reason: "ECR's pull-through cache has it" }, { status: "FAILED", reason: expect.stringContaining("quay.io does not have it") },
  ]);
  const { tags = [] } = await ecr.send(new ListTagsForResourceCommand({ resourceArn: `arn:aws:ecr:${REGION}:${CICD}:repository/quay/cached/tool` }));
  expect(tags).toContainEqual({ Key: "createdBy", Value: "omx-ecr-helper" });
  const { policyText = "" } = await ecr.send(new GetRepositoryPolicyCommand({ repositoryName: "quay/cached/tool" }));
  expect((JSON.parse(policyText) as { Statement: { Sid: string }[] }).Statement.map(({ Sid }) => Sid)).toEqual(["OmxHealthOmics"]);

  const { digest: moved } = await pushSample(quay("cached/tool"), "1", { layers: [noise("moved", 60_000)] });
  expect(await run(["quay.io/cached/tool:1"])).toMatchObject([{ digest: moved, reason: `the cache's tag still means ${digest}; upstream has moved it` }]);
}, PATIENCE_MS);

const parse = (containers: object) => DeployConfig.safeParse({ cicd: { account: CICD, region: REGION }, production: [{ account: CICD, region: REGION }], containers });

test("E33: a registry that the cache cannot read, or reads with credentials alone, is refused when the stacks are made", () => {
  const secret = (name: string) => ({ "docker.io": `arn:aws:secretsmanager:${REGION}:${CICD}:secret:${name}` });
  expect(parse({ pullThrough: ["docker.io"], credentials: secret("ecr-pullthroughcache/hub-AbCdEf") }).success).toBe(true);
  expect(parse({ pullThrough: ["docker.io"], credentials: secret("hub") }).error?.message).toContain("begins with ecr-pullthroughcache/");
  expect(parse({ pullThrough: ["registry.example"] }).error?.message).toContain("quay.io, public.ecr.aws");
  expect(parse({ namespaces: { "eu.gcr.io": "Bad_" } }).error?.message).toContain("images of eu.gcr.io");
});
