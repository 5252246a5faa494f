import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { DescribeRepositoriesCommand, ECRClient } from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Clock, systemClock } from "../../kit/clock.ts";
import { CICD, REGION, startAccounts, type TestAccounts } from "../../local/testing/accounts.ts";
import { registryClient, type RegistryClient } from "../../oci/client/registry-client.ts";
import { type DockerRegistry, startDockerRegistry } from "../../oci/testing/docker-registry.ts";
import { type Fault, type FaultProxy, faultProxy, type SeenRequest } from "../../oci/testing/fault-proxy.ts";
import { noise, pushSample } from "../../oci/testing/sample-images.ts";
import { planPulls } from "./plan.ts";
import { pullImage, type PullWorkshop } from "./pull.ts";

const PLACE = { account: CICD, region: REGION };
const MIB = 1024 * 1024;

let accounts: TestAccounts;
let upstream: DockerRegistry;
let proxy: FaultProxy;
let clients: RegistryClient;
let decide: (seen: SeenRequest) => Fault | undefined = () => undefined;
beforeAll(async () => {
  [accounts, upstream, clients] = [await startAccounts(), await startDockerRegistry(), registryClient()];
  proxy = await faultProxy(upstream.url, (seen) => decide(seen));
}, 120_000);
afterAll(async () => {
  await clients?.close();
  await proxy?.[Symbol.asyncDispose]();
  await accounts?.[Symbol.asyncDispose]();
  await upstream?.[Symbol.asyncDispose]();
}, 120_000);

/** Waits are over at once: what is tried again is, without the time in between. */
const hasty: Clock = { now: () => systemClock.now(), sleep: () => Promise.resolve() };
const workshop = (more: Partial<PullWorkshop> = {}): PullWorkshop => ({
  ecr: new ECRClient(accounts.config()), logs: new CloudWatchLogsClient(accounts.config()), place: PLACE, clock: systemClock, endpoint: accounts.url, upstreams: { "quay.io": proxy.url }, ...more,
});
const item = (name: string) => planPulls([`quay.io/${name}:1`], PLACE)[0]!;
const push = (name: string, ...layers: readonly Buffer[]) => pushSample(clients.repository({ registry: upstream.host, repository: name }), "1", { layers });

test("a copy whose time is over is handed over, once: after the build the answer is final", async () => {
  const { digest } = await push("time/over", noise("time", MIB));
  const late = workshop({ deadline: new Date(0) });
  expect(await pullImage(late, item("time/over"))).toMatchObject({ status: "TOO_LARGE", reason: "the function's time was over", source: "quay.io/time/over:1" });
  expect(await pullImage(workshop({ limitBytes: 1000 }), item("time/over"))).toMatchObject({ status: "TOO_LARGE", reason: expect.stringContaining("bytes are missing") });
  const unfinished = await pullImage(late, { ...item("time/over"), status: "BUILD_ENDED", build: "omx-image-pull:1" });
  expect(unfinished.status).toBe("FAILED");
  expect(await pullImage(workshop({ limitBytes: 1000 }), { ...item("time/over"), status: "BUILD_ENDED", build: "omx-image-pull:1" })).toMatchObject({ status: "SUCCEEDED", digest, build: "omx-image-pull:1" });
}, 120_000);

test("a registry that stays busy is an error by the name that the state machine tries again", async () => {
  await push("busy/tool", noise("busy", 4000));
  decide = ({ path }) => (path.includes("busy/tool") ? { kind: "answer", status: 503 } : undefined);
  await expect(pullImage(workshop({ clock: hasty }), item("busy/tool"))).rejects.toMatchObject({ name: "RegistryBusy", message: expect.stringContaining("quay.io does not answer") });
  decide = ({ path, method }) => (method === "GET" && path.includes("busy/tool/blobs") ? { kind: "answer", status: 429 } : undefined);
  await expect(pullImage(workshop({ clock: hasty }), item("busy/tool"))).rejects.toMatchObject({ name: "RegistryBusy", message: expect.stringContaining("is asked too often") });
  decide = () => undefined;
  expect(await pullImage(workshop(), item("busy/tool"))).toMatchObject({ status: "SUCCEEDED" });
}, 120_000);

test("a manifest is asked for once, although it is looked at before it is copied", async () => {
  await push("counted/tool", noise("counted", 4000));
  await pullImage(workshop(), item("counted/tool"));
  expect(proxy.seen.filter(({ method, path }) => method === "GET" && path.includes("counted/tool/manifests"))).toHaveLength(1);
}, 120_000);

test("E11: no token of ECR goes to a host that only begins like ECR", async () => {
  const seen: SeenRequest[] = [];
  await using evil = await faultProxy(upstream.url, (request) => {
    seen.push(request);
    return { kind: "answer", status: 401, headers: { "www-authenticate": 'Basic realm="evil"' } };
  });
  const host = `${CICD}.dkr.ecr.${REGION}.amazonaws.com.evil.example`;
  const [pull] = planPulls([`${host}/foo:1`], PLACE);
  expect(await pullImage(workshop({ upstreams: { [host]: evil.url } }), pull!)).toMatchObject({ status: "FAILED" });
  expect([seen.length > 0, seen.filter(({ headers }) => headers.authorization !== undefined)]).toEqual([true, []]);
}, 120_000);

test("a wrong name makes no repository", async () => {
  const absent = await pullImage(workshop(), item("absent/tool"));
  expect(absent).toMatchObject({ status: "FAILED", reason: expect.stringContaining("does not have it") });
  await expect(new ECRClient(accounts.config()).send(new DescribeRepositoriesCommand({ repositoryNames: ["quay/absent/tool"] }))).rejects.toMatchObject({ name: "RepositoryNotFoundException" });
}, 120_000);
