import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { ECRClient } from "@aws-sdk/client-ecr";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { zipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Clock, systemClock } from "../../kit/clock.ts";
import { CICD, REGION, startAccounts, type TestAccounts } from "../../local/testing/accounts.ts";
import { registryClient, type RegistryClient } from "../../oci/client/registry-client.ts";
import { type DockerRegistry, startDockerRegistry } from "../../oci/testing/docker-registry.ts";
import { type Fault, type FaultProxy, faultProxy, type SeenRequest } from "../../oci/testing/fault-proxy.ts";
import { noise, pushSample } from "../../oci/testing/sample-images.ts";
import { buildImageFromSource, type BuildWorkshop } from "./build.ts";
import { planEachBuild } from "./manifest.ts";
import type { BuildItem } from "./staging.ts";

const PLACE = { account: CICD, region: REGION };

let accounts: TestAccounts;
let upstream: DockerRegistry;
let proxy: FaultProxy;
let clients: RegistryClient;
let decide: (seen: SeenRequest) => Fault | undefined = () => undefined;
beforeAll(async () => {
  [accounts, upstream, clients] = [await startAccounts(), await startDockerRegistry(), registryClient()];
  proxy = await faultProxy(upstream.url, (seen) => decide(seen));
  await new S3Client(accounts.config()).send(new CreateBucketCommand({ Bucket: "sources" }));
}, 120_000);
afterAll(async () => {
  await clients?.close();
  await proxy?.[Symbol.asyncDispose]();
  await accounts?.[Symbol.asyncDispose]();
  await upstream?.[Symbol.asyncDispose]();
}, 120_000);

/** Waits are over at once: what is tried again is, without the time in between. */
const hasty: Clock = { now: () => systemClock.now(), sleep: () => Promise.resolve() };
const workshop = (): BuildWorkshop => ({
  ecr: new ECRClient(accounts.config()), s3: new S3Client(accounts.config()), logs: new CloudWatchLogsClient(accounts.config()), place: PLACE, clock: hasty, endpoint: accounts.url, upstreams: { "quay.io": proxy.url },
});

/** An item of the builder, its source in S3. */
async function item(name: string, dockerfile: string, more: object = {}): Promise<BuildItem> {
  await new S3Client(accounts.config()).send(new PutObjectCommand({ Bucket: "sources", Key: `${name}.zip`, Body: zipSync({ Dockerfile: Buffer.from(dockerfile) }) }));
  const [planned] = planEachBuild([{ source_uri: `s3://sources/${name}.zip`, target_image: `${name}:1`, ...more }], PLACE);
  if (!planned || !("build_args" in planned)) throw new Error(planned?.reason);
  return planned;
}
const push = (name: string, seed: string) => pushSample(clients.repository({ registry: upstream.host, repository: name }), "1", { layers: [noise(seed, 4000)] });

test("E14, E23: a base's registry that throttles or is down is asked again by the state machine; one that refuses is told", async () => {
  await push("busy/base", "busy");
  const busy = await item("busy", "FROM quay.io/busy/base:1\nENV A=1\n");
  for (const status of [429, 503]) {
    decide = ({ path }) => (path.includes("busy/base") ? { kind: "answer", status } : undefined);
    await expect(buildImageFromSource(workshop(), busy)).rejects.toMatchObject({ name: "RegistryBusy" });
  }
  decide = ({ path }) => (path.includes("busy/base") ? { kind: "answer", status: 403 } : undefined);
  const refused = await buildImageFromSource(workshop(), busy);
  expect(refused).toMatchObject({ status: "FAILED", reason: expect.stringMatching(/quay\.io refuses access/) });
  decide = () => undefined;
  expect(await buildImageFromSource(workshop(), busy)).toMatchObject({ status: "SUCCEEDED", reason: "built" });
}, 120_000);

test("an image that is there is looked at with one request for each base, and with none for one that is pinned", async () => {
  const { digest } = await push("counted/base", "counted");
  const [tagged, pinned] = [await item("tagged", "FROM quay.io/counted/base:1\nENV A=1\n"), await item("pinned", `FROM quay.io/counted/base:1@${digest}\nENV A=1\n`)];
  for (const one of [tagged, pinned]) expect(await buildImageFromSource(workshop(), one)).toMatchObject({ status: "SUCCEEDED" });
  const requestsOf = async (one: BuildItem) => {
    const before = proxy.seen.length;
    expect(await buildImageFromSource(workshop(), one)).toMatchObject({ status: "SKIPPED" });
    return proxy.seen.slice(before).filter(({ path }) => path.includes("/manifests/")).map(({ method }) => method);
  };
  expect(await requestsOf(tagged)).toEqual(["HEAD"]);
  expect(await requestsOf(pinned)).toEqual([]);
}, 120_000);

test("the image is built on the digest that was looked at: the base's tag is not read a second time", async () => {
  await push("racing/base", "racing");
  const racing = await item("racing", "FROM quay.io/racing/base:1\nENV A=1\n");
  decide = ({ method, path }) => (method === "GET" && path.endsWith("/racing/base/manifests/1") ? { kind: "answer", status: 404 } : undefined);
  expect(await buildImageFromSource(workshop(), racing)).toMatchObject({ status: "SUCCEEDED" });
  decide = () => undefined;
}, 120_000);
