import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { DeleteRepositoryPolicyCommand, DescribeRepositoriesCommand, ECRClient } from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../kit/clock.ts";
import { CICD, REGION } from "../../../local/testing/accounts.ts";
import { digestOf } from "../../../oci/digest.ts";
import { faultProxy, type SeenRequest } from "../../../oci/testing/fault-proxy.ts";
import { noise } from "../../../oci/testing/sample-images.ts";
import { planPulls } from "../plan.ts";
import { workshopClient } from "../workshop.ts";
import { pullImage, pullTogether } from "./pull.ts";
import { hasty, type ImageLab, openImageLab, PLACE } from "../testing/image-lab.ts";

const MIB = 1024 * 1024;

let lab: ImageLab;
beforeAll(async () => {
  lab = await openImageLab();
}, 120_000);
afterAll(() => lab[Symbol.asyncDispose](), 120_000);

const item = (name: string) => planPulls([`quay.io/${name}:1`], PLACE)[0]!;

test("a copy whose time is over is handed over, once: after the build the answer is final", async () => {
  const { digest } = await lab.push("time/over", noise("time", MIB));
  const late = lab.workshop({ deadline: new Date(0) });
  expect(await pullImage(late, item("time/over"))).toMatchObject({
    status: "TOO_LARGE",
    reason: "the function's time was over",
    source: "quay.io/time/over:1",
  });
  expect(await pullImage(lab.workshop({ limitBytes: 1000 }), item("time/over"))).toMatchObject({
    status: "TOO_LARGE",
    reason: expect.stringContaining("bytes are missing"),
  });
  const unfinished = await pullImage(late, { ...item("time/over"), status: "BUILD_ENDED", build: "omx-image-pull:1" });
  expect(unfinished.status).toBe("FAILED");
  expect(
    await pullImage(lab.workshop({ limitBytes: 1000 }), { ...item("time/over"), status: "BUILD_ENDED", build: "omx-image-pull:1" }),
  ).toMatchObject({ status: "SUCCEEDED", digest, build: "omx-image-pull:1" });
}, 120_000);

test("a manifest that a registry did not give is asked for again, one that it gave is not", async () => {
  const { digest } = await lab.push("asked/again", noise("asked again", 100));
  await using client = workshopClient(lab.workshop());
  const repository = client.repository({ registry: "quay.io", repository: "asked/again" });
  const withStatus = (status: number) =>
    lab.fail(({ path }) => (path.includes("asked/again/manifests") ? { kind: "answer", status } : undefined));
  withStatus(404);
  expect(await repository.getManifest(digest)).toBeUndefined();
  withStatus(403);
  await expect(repository.getManifest(digest)).rejects.toMatchObject({ kind: "denied" });
  lab.fail(undefined);
  expect((await repository.getManifest(digest))?.digest).toBe(digest);
  withStatus(403);
  expect((await repository.getManifest(digest))?.digest).toBe(digest);
  lab.fail(undefined);
}, 120_000);

test("a registry that is still silent when a function's time is over leaves the image to a build", async () => {
  await lab.push("silent/tool", noise("silent", 4000));
  lab.fail(({ path }) => (path.includes("silent/tool") ? { kind: "slow", msPerChunk: 30_000 } : undefined));
  const late = lab.workshop({ deadline: new Date(systemClock.now().getTime() + 300) });
  expect(await pullImage(late, item("silent/tool"))).toMatchObject({ status: "TOO_LARGE", reason: "the function's time was over" });
  lab.fail(undefined);
}, 120_000);

test("a registry that stays busy is an error by the name that the state machine tries again", async () => {
  await lab.push("busy/tool", noise("busy", 4000));
  lab.fail(({ path }) => (path.includes("busy/tool") ? { kind: "answer", status: 503 } : undefined));
  await expect(pullImage(lab.workshop({ clock: hasty }), item("busy/tool"))).rejects.toMatchObject({
    name: "RegistryBusy",
    message: expect.stringContaining("quay.io does not answer"),
  });
  lab.fail(({ path, method }) => (method === "GET" && path.includes("busy/tool/blobs") ? { kind: "answer", status: 429 } : undefined));
  await expect(pullImage(lab.workshop({ clock: hasty }), item("busy/tool"))).rejects.toMatchObject({
    name: "RegistryBusy",
    message: expect.stringContaining("is asked too often"),
  });
  lab.fail(undefined);
  expect(await pullImage(lab.workshop(), item("busy/tool"))).toMatchObject({ status: "SUCCEEDED" });
}, 120_000);

test("what answers at the proxy's address and is no proxy is told as such", async () => {
  const closing = createServer((socket) => void socket.destroy()).listen(0, "127.0.0.1");
  onTestFinished(() => void closing.close());
  await once(closing, "listening");
  const proxy = { https: `http://127.0.0.1:${(closing.address() as AddressInfo).port}`, except: "127.0.0.1" };
  const behind = lab.workshop({ clock: hasty, proxy, upstreams: { "quay.io": "https://registry.test" } });
  await expect(pullImage(behind, item("any/tool"))).rejects.toMatchObject({
    name: "RegistryBusy",
    message: expect.stringContaining("nothing at the address in HTTPS_PROXY answers as a proxy"),
  });
}, 120_000);

test("what will be the same in some minutes fails at once: a host that nobody knows, a registry that asks for hours", async () => {
  await lab.push("hours/tool", noise("hours", 4000));
  lab.fail(({ path }) => (path.includes("hours/tool") ? { kind: "answer", status: 429, headers: { "retry-after": "21600" } } : undefined));
  expect(await pullImage(lab.workshop(), item("hours/tool"))).toMatchObject({
    status: "FAILED",
    reason: expect.stringContaining("it asks to be left alone until"),
  });
  lab.fail(undefined);
  const unknown = { source_uri: "registry.invalid/a/b:1", source: "registry.invalid/a/b:1", target_image: item("a/b").target_image };
  expect(await pullImage(lab.workshop(), unknown)).toMatchObject({
    status: "FAILED",
    reason: expect.stringMatching(/^registry\.invalid cannot be reached/),
  });
}, 120_000);

test("a manifest is asked for once, although it is looked at before it is copied", async () => {
  await lab.push("counted/tool", noise("counted", 4000));
  await pullImage(lab.workshop(), item("counted/tool"));
  // Its digest by HEAD, which registries do not count, and its manifest.
  expect(lab.asked.filter(({ path }) => path.includes("counted/tool/manifests")).map(({ method }) => method)).toEqual(["HEAD", "GET"]);
}, 120_000);

test("an image whose repository the function may not open fails alone, with IAM's reason", async () => {
  await lab.push("denied/tool", noise("denied", 4000));
  const ecr = new ECRClient(lab.accounts.config());
  expect(await pullImage(lab.workshop(), item("denied/tool"))).toMatchObject({ status: "SUCCEEDED" });
  await ecr.send(new DeleteRepositoryPolicyCommand({ repositoryName: "quay/denied/tool" }));
  const developer = lab.workshop({ ecr: new ECRClient(lab.accounts.config("developer")) });
  const [denied, absent] = await pullTogether(developer, [item("denied/tool"), item("absent/beside")]);
  expect(denied).toMatchObject({
    status: "FAILED",
    reason: expect.stringMatching(
      /^AccessDeniedException: .*user\/developer is not authorized to perform: ecr:\w+ on resource: .*quay\/denied\/tool/,
    ),
  });
  expect(absent).toMatchObject({ status: "FAILED", reason: expect.stringContaining("does not have it") });
}, 120_000);

test("E11: no token of ECR goes to a host that only begins like ECR", async () => {
  const seen: SeenRequest[] = [];
  await using evil = await faultProxy(lab.upstream.url, (request) => {
    seen.push(request);
    return { kind: "answer", status: 401, headers: { "www-authenticate": 'Basic realm="evil"' } };
  });
  const host = `${CICD}.dkr.ecr.${REGION}.amazonaws.com.evil.example`;
  const [pull] = planPulls([`${host}/foo:1`], PLACE);
  expect(await pullImage(lab.workshop({ upstreams: { [host]: evil.url } }), pull!)).toMatchObject({ status: "FAILED" });
  expect([seen.length > 0, seen.filter(({ headers }) => headers.authorization !== undefined)]).toEqual([true, []]);
}, 120_000);

test("bytes that ECR turns down are read again, to tell whose fault it was", async () => {
  const layer = noise("lying", 40_000);
  await lab.push("lying/tool", layer);
  lab.fail(({ method, path }) => (method === "GET" && path.endsWith(digestOf(layer)) ? { kind: "flip" } : undefined));
  expect(await pullImage(lab.workshop({ clock: hasty }), item("lying/tool"))).toMatchObject({
    status: "FAILED",
    reason: expect.stringMatching(/^quay\.io sent other bytes than promised/),
  });
  lab.fail(undefined);
}, 120_000);

test("a wrong name makes no repository", async () => {
  const absent = await pullImage(lab.workshop(), item("absent/tool"));
  expect(absent).toMatchObject({ status: "FAILED", reason: expect.stringContaining("does not have it") });
  await expect(
    new ECRClient(lab.accounts.config()).send(new DescribeRepositoriesCommand({ repositoryNames: ["quay/absent/tool"] })),
  ).rejects.toMatchObject({ name: "RepositoryNotFoundException" });
}, 120_000);
