import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { CreatePullThroughCacheRuleCommand, GetRepositoryPolicyCommand } from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { parseImageRef } from "../../../kit/image-ref.ts";
import { type Clock, systemClock } from "../../../kit/clock.ts";
import { type CachedAccounts, startCached, template } from "../../../local/ecr/testing/upstream.ts";
import { CICD, REGION } from "../../../local/testing/accounts.ts";
import { digestOf } from "../../../oci/digest.ts";
import { faultProxy } from "../../../oci/testing/fault-proxy.ts";
import { noise, pushIndex, pushSample } from "../../../oci/testing/sample-images.ts";
import { createRepository } from "../../../local/ecr/testing/registry.ts";
import { mergeOnce } from "../repositories/ensure-policies.ts";
import { accountStatement } from "../repositories/repository-policy.ts";
import { openCached, tagsOfRepository } from "../repositories/repository.ts";
import { hasty } from "../testing/image-lab.ts";
import { isCached, isFilled, readCacheRules } from "./cache-rules.ts";
import { planPulls } from "../plan.ts";
import { workshopClient } from "../workshop.ts";
import { primeImages } from "./prime-images.ts";
import { pullImage, type PullWorkshop } from "./pull.ts";

// Accounts and registries of their own: long on a machine that is busy.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const PLACE = { account: CICD, region: REGION };
const OURS = [{ Key: "createdBy", Value: "omx-ecr-helper" }];

let cached: CachedAccounts;
beforeAll(async () => {
  cached = await startCached();
  await template(cached.user, { resourceTags: OURS });
});
afterAll(() => cached[Symbol.asyncDispose]());

/** The puller of a deployment with `pullThrough: [quay.io]`; what is copied comes past the cache's own way upstream. */
const workshop = (more: Partial<PullWorkshop> = {}): PullWorkshop => ({
  ecr: cached.user.ecr,
  logs: new CloudWatchLogsClient(cached.accounts.config()),
  place: PLACE,
  clock: systemClock,
  endpoint: cached.accounts.url,
  upstreams: { "quay.io": cached.registry.url },
  pullThrough: ["quay.io"],
  ...more,
});
const item = (name: string) => planPulls([`quay.io/${name}:1`], PLACE)[0]!;
const layers = (seed: string) => [noise(`${seed}-1`, 30_000), noise(`${seed}-2`, 200_000)];
const push = (name: string, seed = name) => pushSample(cached.at(name), "1", { layers: layers(seed) });

test("the puller ends when every layer that ECR brings is there", async () => {
  const { digest } = await push("primed");
  expect(await pullImage(workshop(), item("primed"))).toMatchObject({
    status: "SUCCEEDED",
    digest,
    bytes_moved: 0,
    reason: "ECR's pull-through cache has it",
  });
  expect(await pullImage(workshop(), item("primed"))).toMatchObject({ status: "SKIPPED", digest, bytes_moved: 0 });
  for (const bytes of layers("primed")) expect(cached.accounts.accounts.core.blobs.has(digestOf(bytes).slice("sha256:".length))).toBe(true);
});

test("an image that was built on a laptop with an ARM processor comes, and is told as none that HealthOmics runs", async () => {
  await pushSample(cached.at("laptop"), "1", { layers: layers("laptop"), platform: { os: "linux", architecture: "arm64" } });
  expect(await pullImage(workshop(), item("laptop"))).toMatchObject({
    status: "SUCCEEDED",
    reason: expect.stringMatching(/^ECR's pull-through cache has it; HealthOmics runs tasks on linux\/amd64, .*only for linux\/arm64$/),
  });
});

test("a tag that has moved upstream since yesterday's comparison is brought as it is now", async () => {
  const before = await push("moved", "moved before");
  expect(await pullImage(workshop(), item("moved"))).toMatchObject({ digest: before.digest });
  const after = await push("moved", "moved after");
  expect(await pullImage(workshop(), item("moved"))).toMatchObject({
    status: "SUCCEEDED",
    digest: after.digest,
    reason: expect.stringContaining(before.digest),
  });
});

test("what the cache refuses is copied, and says why", async () => {
  const { digest } = await push("refused");
  cached.fail(({ path }) => (path.includes("/v2/refused/") ? { kind: "answer", status: 403 } : undefined));
  expect(await pullImage(workshop(), item("refused"))).toMatchObject({
    status: "SUCCEEDED",
    digest,
    reason: expect.stringMatching(/did not have it; ECR's pull-through cache does not bring it: .*DENIED/),
  });
  cached.fail(undefined);
});

test("a cache whose upstream is busy is asked again later, and nothing is copied past it", async () => {
  await push("throttled");
  cached.fail(({ path }) => (path.includes("/v2/throttled/") ? { kind: "answer", status: 429 } : undefined));
  await expect(pullImage(workshop({ clock: hasty }), item("throttled"))).rejects.toMatchObject({ name: "RegistryBusy" });
  cached.fail(undefined);
});

test("a repository that nobody has marked is taken for one of the cache's only where it is bare, and as new as the call", async () => {
  const { ecr } = cached.user;
  const now = systemClock.now();
  const open = (repository: string, since: Date) =>
    openCached(ecr, { repository, source: `quay.io/${repository}`, since }, PLACE).catch((error: Error) => error);
  for (const name of ["bare/new", "bare/old", "bare/kept"]) await createRepository(ecr, name);
  await mergeOnce(ecr, "bare/kept", [accountStatement(PLACE, "Theirs")]);
  expect(await open("bare/new", now)).toBe(true);
  expect([await open("bare/old", new Date(now.getTime() + 600_000)), await open("bare/kept", now)]).toEqual([
    expect.objectContaining({ code: "ImageNotReadable" }),
    expect.objectContaining({ code: "ImageNotReadable" }),
  ]);
  expect([
    await tagsOfRepository(ecr, "bare/new", PLACE),
    await tagsOfRepository(ecr, "bare/old", PLACE),
    await tagsOfRepository(ecr, "bare/kept", PLACE),
  ]).toEqual([expect.objectContaining({ createdBy: "omx-ecr-helper" }), {}, {}]);
});

test("an image of which the cache lacks a layer, of one platform alone even, is not said to be there", async () => {
  const [amd64, arm64] = await Promise.all(
    ["amd64", "arm64"].map((architecture) =>
      pushSample(cached.at("lacking"), "", { layers: [noise(`lacking ${architecture}`, 50_000)], platform: { os: "linux", architecture } }),
    ),
  );
  await pushIndex(cached.at("lacking"), "1", [amd64!, arm64!]);
  await push("lacking/one");
  for (const [name, lost] of [
    ["lacking", noise("lacking arm64", 50_000)],
    ["lacking/one", layers("lacking/one")[1]!],
  ] as const) {
    cached.fail(({ path }) => (path.endsWith(digestOf(lost)) ? { kind: "answer", status: 404 } : undefined));
    await expect(pullImage(workshop({ clock: hasty }), item(name))).rejects.toMatchObject({
      name: "RegistryBusy",
      message: expect.stringContaining(digestOf(lost)),
    });
  }
  cached.fail(undefined);
});

test("an upstream that is silent is waited for a little, and the image comes by ECR's cache all the same", async () => {
  const { digest } = await push("quiet");
  const asked = Promise.withResolvers<void>();
  await using silent = await faultProxy(cached.registry.url, ({ path }) =>
    path.includes("/manifests/") ? (asked.resolve(), { kind: "hold", until: new Promise(() => undefined) }) : undefined,
  );
  await using client = workshopClient(workshop({ upstreams: { "quay.io": silent.url } }));
  const clock: Clock = { now: () => systemClock.now(), sleep: () => asked.promise };
  const { source, target_image: target } = item("quiet");
  const primed = await primeImages([{ source: parseImageRef(source), target: parseImageRef(target) }], { client, clock });
  expect(primed).toMatchObject([
    {
      result: {
        status: "PULLED",
        digest,
        reason: expect.stringContaining("whether its tag has moved upstream is not known: it does not answer within 10 s"),
      },
    },
  ]);
}, 20_000);

test("a function whose time is over says that ECR still brings the layers", async () => {
  const { digest } = await push("slow");
  const [, large] = layers("slow");
  const [asked, there] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  cached.fail(({ path }) => (path.endsWith(digestOf(large!)) ? (asked.resolve(), { kind: "hold", until: there.promise }) : undefined));
  expect(await pullImage(workshop(), item("absent/upstream"))).toMatchObject({ status: "FAILED" });
  // The time is over when the layer is on its way.
  const hour = 3_600_000;
  const clock: Clock = {
    now: () => systemClock.now(),
    sleep: (ms, signal) => (ms > hour / 2 ? asked.promise : systemClock.sleep(ms, signal)),
  };
  const late = await pullImage(workshop({ clock, deadline: new Date(systemClock.now().getTime() + hour) }), item("slow"));
  expect(late).toMatchObject({
    status: "SUCCEEDED",
    digest,
    bytes_moved: 0,
    reason: expect.stringContaining("is still bringing its layers"),
  });
  const { policyText } = await cached.user.ecr.send(new GetRepositoryPolicyCommand({ repositoryName: "quay/slow" }));
  expect(policyText).toContain("omics.amazonaws.com");
  there.resolve();
  cached.fail(undefined);
  expect(await pullImage(workshop(), item("slow"))).toMatchObject({ status: "SKIPPED", digest });
});

test("a rule covers the images whose name upstream is the rest of their name here", async () => {
  await cached.user.ecr.send(
    new CreatePullThroughCacheRuleCommand({
      ecrRepositoryPrefix: "quay/bio",
      upstreamRegistryUrl: "quay.io",
      upstreamRepositoryPrefix: "biocontainers",
    }),
  );
  await cached.user.ecr.send(
    new CreatePullThroughCacheRuleCommand({ ecrRepositoryPrefix: "dockerhub", upstreamRegistryUrl: "registry-1.docker.io" }),
  );
  const rules = await readCacheRules(cached.user.ecr);
  const covers = (source: string, target: string) =>
    isCached(rules, parseImageRef(source), parseImageRef(`${CICD}.dkr.ecr.${REGION}.amazonaws.com/${target}`));
  expect([
    covers("quay.io/a/b:1", "quay/a/b:1"),
    covers("quay.io/biocontainers/bwa:1", "quay/bio/bwa:1"),
    covers("ubuntu:20.04", "dockerhub/library/ubuntu:20.04"),
  ]).toEqual([true, true, true]);
  expect([
    covers("quay.io/a/b:1", "quay/a/c:1"),
    covers("quay.io/bio/bwa:1", "quay/bio/bwa:1"),
    covers("ghcr.io/a/b:1", "quay/a/b:1"),
    covers("quay.io/a/b:1", "a/b:1"),
    covers("quay.io/a/b:1", "quayed/a/b:1"),
  ]).toEqual([false, false, false, false, false]);
  expect([isFilled(rules, "quay/any/thing"), isFilled(rules, "ghcr/any/thing")]).toEqual([true, false]);
});
