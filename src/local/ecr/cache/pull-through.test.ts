import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  BatchCheckLayerAvailabilityCommand,
  BatchGetImageCommand,
  CreatePullThroughCacheRuleCommand,
  CreateRepositoryCreationTemplateCommand,
  DeletePullThroughCacheRuleCommand,
  DescribeImagesCommand,
  DescribePullThroughCacheRulesCommand,
  DescribeRepositoriesCommand,
  GetAuthorizationTokenCommand,
  GetDownloadUrlForLayerCommand,
  GetLifecyclePolicyCommand,
  GetRepositoryPolicyCommand,
  ListTagsForResourceCommand,
  PutImageTagMutabilityCommand,
  UpdatePullThroughCacheRuleCommand,
  ValidatePullThroughCacheRuleCommand,
} from "@aws-sdk/client-ecr";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { digestOf } from "../../../oci/digest.ts";
import { noise, pushIndex, pushSample } from "../../../oci/testing/sample-images.ts";
import { CICD, PRODUCTION, REGION } from "../../testing/accounts.ts";
import { signIn, skopeoCopy, V2 } from "../testing/registry.ts";
import { type CachedAccounts, collectEvents, startCached, template, until } from "../testing/upstream.ts";

// Each starts accounts, registries or programs of its own: long on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

// The upstream is Debian's docker-registry behind a proxy that counts, under the name quay.io.

const DAY_MS = 86_400_000;

let cached: CachedAccounts;
let events: Awaited<ReturnType<typeof collectEvents>>;
beforeAll(async () => {
  cached = await startCached();
  events = await collectEvents(cached);
});
afterAll(() => cached[Symbol.asyncDispose]());

const sample = (seed: string) => ({ layers: [noise(`${seed}-1`, 20_000), noise(`${seed}-2`, 30_000)] });
const manifest = (path: string, method = "GET") => cached.user.http(method, path);
const codeOf = async (answer: Response): Promise<string> => ((await answer.json()) as { errors: { code: string }[] }).errors[0]!.code;
const get = async (repositoryName: string, imageTag: string) => {
  const { images = [], failures = [] } = await cached.user.ecr.send(new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag }] }));
  return { digest: images[0]?.imageId?.imageDigest, failure: failures[0]?.failureCode };
};
const synced = (name: string) =>
  events.first(({ "detail-type": type, detail }) => type === "ECR Pull Through Cache Action" && detail["repository-name"] === name);

describe("one request for a manifest", () => {
  test("brings the image, and the repository by its template, with both events", async () => {
    const policy = {
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "read",
          Effect: "Allow",
          Principal: { AWS: `arn:aws:iam::${PRODUCTION}:root` },
          Action: ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        },
      ],
    };
    const lifecyclePolicy = JSON.stringify({
      rules: [
        {
          rulePriority: 1,
          selection: { tagStatus: "untagged", countType: "sinceImagePushed", countUnit: "days", countNumber: 90 },
          action: { type: "expire" },
        },
      ],
    });
    await template(cached.user, {
      prefix: "quay/templated",
      repositoryPolicy: JSON.stringify(policy),
      lifecyclePolicy,
      imageTagMutability: "IMMUTABLE",
      resourceTags: [{ Key: "createdBy", Value: "omx-ecr-helper" }],
    });
    const { digest } = await pushSample(cached.at("templated/tool"), "1.0", sample("templated"));
    const repositoryName = "quay/templated/tool";
    const answer = await manifest(`${repositoryName}/manifests/1.0`, "HEAD");
    expect([answer.status, answer.headers.get("docker-content-digest")]).toEqual([200, digest]);
    const { repositories } = await cached.user.ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [repositoryName] }));
    expect(repositories![0]).toMatchObject({ imageTagMutability: "IMMUTABLE", encryptionConfiguration: { encryptionType: "AES256" } });
    expect((await cached.user.ecr.send(new ListTagsForResourceCommand({ resourceArn: repositories![0]!.repositoryArn }))).tags).toEqual([
      { Key: "createdBy", Value: "omx-ecr-helper" },
    ]);
    expect(JSON.parse((await cached.user.ecr.send(new GetRepositoryPolicyCommand({ repositoryName }))).policyText!)).toEqual(policy);
    expect((await cached.user.ecr.send(new GetLifecyclePolicyCommand({ repositoryName }))).lifecyclePolicyText).toBe(lifecyclePolicy);
    expect(await synced(repositoryName)).toMatchObject({
      resources: [`arn:aws:ecr:${REGION}:${CICD}:repository/${repositoryName}`],
      detail: {
        "rule-version": "1",
        "sync-status": "SUCCESS",
        "ecr-repository-prefix": "quay",
        "upstream-registry-url": "quay.io",
        "image-tag": "1.0",
        "image-digest": digest,
      },
    });
    expect(
      await events.first(({ detail }) => detail.eventName === "CreateRepository" && JSON.stringify(detail).includes(repositoryName)),
    ).toMatchObject({
      "detail-type": "AWS Service Event via CloudTrail",
      detail: {
        eventType: "AwsServiceEvent",
        requestParameters: { repositoryName, tags: [{ key: "createdBy", value: "omx-ecr-helper" }] },
      },
    });
  });

  test("brings an index with all its platforms, and its layers without being asked", async () => {
    const from = cached.at("both");
    const manifests = [
      await pushSample(from, "", sample("amd")),
      await pushSample(from, "", { ...sample("arm"), platform: { os: "linux", architecture: "arm64" } }),
    ];
    const index = await pushIndex(from, "1", manifests);
    expect((await get("quay/both", "1")).digest).toBe(index.digest);
    const { imageDetails } = await cached.user.ecr.send(new DescribeImagesCommand({ repositoryName: "quay/both" }));
    expect(imageDetails?.map(({ imageDigest }) => imageDigest).toSorted()).toEqual(
      [index.digest, ...manifests.map(({ digest }) => digest)].toSorted(),
    );
    await synced("quay/both");
    cached.fail(() => ({ kind: "reset" }));
    for (const bytes of [...sample("amd").layers, ...sample("arm").layers]) {
      const answer = await manifest(`quay/both/blobs/${digestOf(bytes)}`);
      expect(digestOf(new Uint8Array(await answer.arrayBuffer()))).toBe(digestOf(bytes));
    }
    cached.fail(undefined);
  });

  test("brings an index of indexes whole", async () => {
    const from = cached.at("nested");
    const image = await pushSample(from, "", sample("nested"));
    const inner = await pushIndex(from, "", [image]);
    const outer = await pushIndex(from, "1", [inner]);
    expect((await get("quay/nested", "1")).digest).toBe(outer.digest);
    cached.fail(() => ({ kind: "reset" }));
    for (const { digest } of [outer, inner, image]) expect((await manifest(`quay/nested/manifests/${digest}`)).status).toBe(200);
    cached.fail(undefined);
  });

  test("at once with seven others makes one repository and one copy of each layer", async () => {
    const { digest } = await pushSample(cached.at("busy"), "1", sample("busy"));
    const answers = await Promise.all(Array.from({ length: 8 }, () => manifest("quay/busy/manifests/1")));
    for (const answer of answers) expect([answer.status, answer.headers.get("docker-content-digest")]).toEqual([200, digest]);
    await synced("quay/busy");
    expect(cached.asked.count("GET", "/v2/busy/manifests/")).toBe(1);
    for (const bytes of sample("busy").layers) expect(cached.asked.count("GET", `/v2/busy/blobs/${digestOf(bytes)}`)).toBe(1);
    expect(
      (await events.all()).filter(
        ({ detail }) => detail.eventName === "CreateRepository" && JSON.stringify(detail).includes('"quay/busy"'),
      ),
    ).toHaveLength(1);
  });

  test("by digest is served for good, and layers shared with another image come once", async () => {
    await pushSample(cached.at("shared/one"), "1", sample("shared"));
    const { digest } = await pushSample(cached.at("shared/two"), "1", sample("shared"));
    expect((await manifest(`quay/shared/two/manifests/${digest}`)).status).toBe(200);
    await synced("quay/shared/two");
    await manifest("quay/shared/one/manifests/1");
    await synced("quay/shared/one");
    for (const bytes of sample("shared").layers) expect(cached.asked.count("GET", `blobs/${digestOf(bytes)}`)).toBe(1);
    const { imageDetails } = await cached.user.ecr.send(new DescribeImagesCommand({ repositoryName: "quay/shared/two" }));
    expect(imageDetails).toMatchObject([{ imageDigest: digest }]);
    expect(imageDetails![0]!.imageTags).toBeUndefined();
  });
});

test("layers that are still upstream are as good as here, and come when they are asked for", async () => {
  cached.fail(({ method, path }) => (method === "GET" && path.includes("/v2/lazy/blobs/") ? { kind: "answer", status: 403 } : undefined));
  await pushSample(cached.at("lazy"), "1", sample("lazy"));
  const repositoryName = "quay/lazy";
  expect((await manifest(`${repositoryName}/manifests/1`)).status).toBe(200);
  expect((await synced(repositoryName)).detail).toMatchObject({ "sync-status": "FAILED", "failure-code": "UpstreamAccessDenied" });
  const [first, second] = sample("lazy").layers;
  const head = await manifest(`${repositoryName}/blobs/${digestOf(first!)}`, "HEAD");
  expect([head.status, head.headers.get("content-length")]).toEqual([200, String(first!.length)]);
  expect(
    (await cached.user.ecr.send(new BatchCheckLayerAvailabilityCommand({ repositoryName, layerDigests: [digestOf(first!)] }))).layers,
  ).toMatchObject([{ layerAvailability: "AVAILABLE", layerSize: first!.length }]);
  expect((await manifest(`${repositoryName}/blobs/${digestOf(first!)}`)).status).toBe(403);
  cached.fail(undefined);
  expect(await (await manifest(`${repositoryName}/blobs/${digestOf(first!)}`)).arrayBuffer()).toHaveProperty("byteLength", first!.length);
  const { downloadUrl } = await cached.user.ecr.send(new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest: digestOf(second!) }));
  expect(digestOf(new Uint8Array(await (await fetch(downloadUrl!)).arrayBuffer()))).toBe(digestOf(second!));
});

test("layers that are upstream when their rule is deleted are told to be out of reach", async () => {
  const { ecr } = cached.user;
  await ecr.send(new CreatePullThroughCacheRuleCommand({ ecrRepositoryPrefix: "going", upstreamRegistryUrl: "quay.io" }));
  await pushSample(cached.at("gone"), "1", sample("gone"));
  cached.fail(({ method, path }) => (method === "GET" && path.includes("/v2/gone/blobs/") ? { kind: "answer", status: 403 } : undefined));
  expect((await manifest("going/gone/manifests/1")).status).toBe(200);
  await synced("going/gone");
  cached.fail(undefined);
  await ecr.send(new DeletePullThroughCacheRuleCommand({ ecrRepositoryPrefix: "going" }));
  const answer = await manifest(`going/gone/blobs/${digestOf(sample("gone").layers[0]!)}`);
  expect([answer.status, await answer.text()]).toEqual([503, expect.stringMatching(/rule for it was deleted/)]);
});

test("skopeo pulls through as from any registry", async () => {
  const { digest } = await pushSample(cached.at("clients/skopeo"), "1", sample("skopeo"));
  const folder = mkdtempSync(join(tmpdir(), "omx-through-"));
  const { host } = new URL(cached.accounts.url);
  await skopeoCopy(
    folder,
    "--src-tls-verify=false",
    "--src-creds",
    `AWS:${cached.user.password}`,
    `docker://${host}/${CICD}/${REGION}/quay/clients/skopeo:1`,
    `dir:${join(folder, "out")}`,
  );
  expect(digestOf(readFileSync(join(folder, "out", "manifest.json")))).toBe(digest);
  rmSync(folder, { recursive: true });
});

describe("what is not to be had", () => {
  test("an unknown image makes no repository and is an unknown image once there is one", async () => {
    const missing = await manifest("quay/nobody/manifests/1");
    expect([missing.status, await codeOf(missing)]).toEqual([404, "NAME_UNKNOWN"]);
    await expect(get("quay/nobody", "1")).rejects.toMatchObject({ name: "RepositoryNotFoundException" });
    expect((await synced("quay/nobody")).detail).toMatchObject({
      "sync-status": "FAILED",
      "failure-code": "ImageNotFound",
      "image-tag": "1",
    });
    await pushSample(cached.at("somebody"), "1", sample("somebody"));
    await manifest("quay/somebody/manifests/1");
    expect(await codeOf(await manifest("quay/somebody/manifests/2"))).toBe("MANIFEST_UNKNOWN");
    expect((await get("quay/somebody", "2")).failure).toBe("ImageNotFound");
  });

  test.each([
    [{ kind: "reset" } as const, 503, "UNAVAILABLE", "UpstreamUnavailable"],
    [{ kind: "answer", status: 403 } as const, 403, "DENIED", "UpstreamAccessDenied"],
    [{ kind: "answer", status: 429, headers: { "retry-after": "600" } } as const, 429, "TOOMANYREQUESTS", "UpstreamTooManyRequests"],
  ])("an upstream that does %o is told as it is", async (fault, status, code, failure) => {
    cached.fail(({ path }) => (path.includes("/v2/failing/") ? fault : undefined));
    const answer = await manifest("quay/failing/manifests/1");
    expect([answer.status, await codeOf(answer)]).toEqual([status, code]);
    expect((await get("quay/failing", "1")).failure).toBe(failure);
    cached.fail(undefined);
  });

  test.each([
    "quay/a%3Fb/manifests/1",
    "quay/a%2F..%2Fb/manifests/1",
    "quay/UPPER/manifests/1",
    "quay/a/manifests/1%3Fx",
    "quay/a/manifests/-1",
  ])("nothing is asked upstream for %s, which names nothing", async (path) => {
    const asked = cached.asked.seen.length;
    expect((await manifest(path)).status).toBe(404);
    expect(cached.asked.seen.length).toBe(asked);
  });

  test("nothing is asked upstream for repositories without a rule", async () => {
    expect(await codeOf(await manifest("other/tool/manifests/1"))).toBe("NAME_UNKNOWN");
    expect(cached.asked.count("GET", "other")).toBe(0);
  });
});

describe("a tag", () => {
  const DIGESTS = async (name: string) => ({ here: (await get(`quay/${name}`, "1")).digest });
  const tokenNow = async () => {
    const { authorizationData } = await cached.accounts.accounts.core.dispatcher.call<{
      authorizationData: { authorizationToken: string }[];
    }>({ service: "ecr", operation: "GetAuthorizationToken", input: {}, as: { kind: "root", account: CICD }, region: REGION });
    return `Basic ${authorizationData[0]!.authorizationToken}`;
  };
  const headNow = async (name: string) =>
    (
      await fetch(new URL(`${V2}quay/${name}/manifests/1`, cached.accounts.url), {
        method: "HEAD",
        headers: { authorization: await tokenNow() },
      })
    ).headers.get("docker-content-digest");

  test("is compared with upstream once a day, and one that can't be compared stays", async () => {
    const before = await pushSample(cached.at("moving"), "1", sample("before"));
    const fixed = await pushSample(cached.at("fixed"), "1", sample("fixed-before"));
    expect([await DIGESTS("moving"), await DIGESTS("fixed")]).toEqual([{ here: before.digest }, { here: fixed.digest }]);
    await cached.user.ecr.send(new PutImageTagMutabilityCommand({ repositoryName: "quay/fixed", imageTagMutability: "IMMUTABLE" }));
    const after = await pushSample(cached.at("moving"), "1", sample("after"));
    await pushSample(cached.at("fixed"), "1", sample("fixed-after"));
    const asked = cached.asked.seen.length;
    expect(await headNow("moving")).toBe(before.digest);
    expect(cached.asked.seen.slice(asked).filter(({ path }) => path.includes("/manifests/"))).toEqual([]);
    cached.clock.forward(DAY_MS);
    cached.fail(({ path }) => (path.includes("/v2/moving/") ? { kind: "reset" } : undefined));
    expect(await headNow("moving")).toBe(before.digest);
    cached.fail(undefined);
    // Five minutes of patience with an upstream that did not answer.
    expect(await headNow("moving")).toBe(before.digest);
    cached.clock.forward(300_000);
    expect(await headNow("moving")).toBe(after.digest);
    expect(await headNow("fixed")).toBe(fixed.digest);
    cached.clock.forward(-DAY_MS - 300_000);
  });
});

describe("rules", () => {
  test("are made, described, validated, changed and deleted", async () => {
    const { ecr } = cached.user;
    const rule = { ecrRepositoryPrefix: "bio", upstreamRegistryUrl: "quay.io", upstreamRepositoryPrefix: "biocontainers" };
    expect(await ecr.send(new CreatePullThroughCacheRuleCommand(rule))).toMatchObject({
      ...rule,
      registryId: CICD,
      upstreamRegistry: "quay",
    });
    await expect(ecr.send(new CreatePullThroughCacheRuleCommand(rule))).rejects.toMatchObject({
      name: "PullThroughCacheRuleAlreadyExistsException",
    });
    expect(
      (await ecr.send(new DescribePullThroughCacheRulesCommand({ ecrRepositoryPrefixes: ["bio"] }))).pullThroughCacheRules,
    ).toMatchObject([rule]);
    expect((await ecr.send(new DescribePullThroughCacheRulesCommand({ maxResults: 1 }))).nextToken).toBeDefined();
    expect(await ecr.send(new ValidatePullThroughCacheRuleCommand({ ecrRepositoryPrefix: "bio" }))).toMatchObject({
      isValid: true,
      upstreamRegistryUrl: "quay.io",
    });
    cached.fail(({ path }) => (path.includes("library/validate") ? { kind: "reset" } : undefined));
    expect(await ecr.send(new ValidatePullThroughCacheRuleCommand({ ecrRepositoryPrefix: "bio" }))).toMatchObject({
      isValid: false,
      failure: expect.stringContaining("quay.io"),
    });
    cached.fail(undefined);
    const { ARN: credentialArn } = await new SecretsManagerClient(cached.accounts.config()).send(
      new CreateSecretCommand({ Name: "ecr-pullthroughcache/quay", SecretString: '{"username":"robot","accessToken":"token"}' }),
    );
    expect(await ecr.send(new UpdatePullThroughCacheRuleCommand({ ecrRepositoryPrefix: "bio", credentialArn }))).toMatchObject({
      credentialArn,
    });
    const { digest } = await pushSample(cached.at("biocontainers/bwa"), "1", sample("bwa"));
    expect((await get("bio/bwa", "1")).digest).toBe(digest);
    expect(await ecr.send(new DeletePullThroughCacheRuleCommand({ ecrRepositoryPrefix: "bio" }))).toMatchObject(rule);
    await expect(ecr.send(new DescribePullThroughCacheRulesCommand({ ecrRepositoryPrefixes: ["bio"] }))).rejects.toMatchObject({
      name: "PullThroughCacheRuleNotFoundException",
    });
    expect((await get("bio/bwa", "1")).digest).toBe(digest);
    expect((await get("bio/bwa", "2")).failure).toBe("ImageNotFound");
  });

  test("are refused for registries ECR does not know", async () => {
    const make = (input: object) =>
      cached.user.ecr.send(
        new CreatePullThroughCacheRuleCommand({ ecrRepositoryPrefix: "bad", upstreamRegistryUrl: "public.ecr.aws", ...input }),
      );
    await expect(make({ upstreamRegistryUrl: "registry.example.com" })).rejects.toMatchObject({
      name: "UnsupportedUpstreamRegistryException",
    });
    await expect(make({ upstreamRegistry: "quay" })).rejects.toMatchObject({ name: "InvalidParameterException" });
    for (const ecrRepositoryPrefix of ["Bad", "b", "b".repeat(31), "a___b", "a//b", "/a", "a_"])
      await expect(make({ ecrRepositoryPrefix })).rejects.toMatchObject({ name: "InvalidParameterException" });
  });

  test("have the prefixes that repositories' names may begin with", async () => {
    for (const prefix of ["a__b/c--d", "a---b.c", "b".repeat(30)]) {
      await cached.user.ecr.send(
        new CreatePullThroughCacheRuleCommand({ ecrRepositoryPrefix: prefix, upstreamRegistryUrl: "public.ecr.aws" }),
      );
      await cached.user.ecr.send(new CreateRepositoryCreationTemplateCommand({ prefix, appliedFor: ["PULL_THROUGH_CACHE"] }));
      await cached.user.ecr.send(new DeletePullThroughCacheRuleCommand({ ecrRepositoryPrefix: prefix }));
    }
  });
});

test("what a stop interrupts goes on at the next start", async () => {
  await using own = await startCached();
  const { digest } = await pushSample(own.at("stopped"), "1", sample("stopped"));
  own.fail(({ method, path }) => (method === "GET" && path.includes("/blobs/") ? { kind: "answer", status: 503 } : undefined));
  expect((await own.user.http("GET", "quay/stopped/manifests/1")).headers.get("docker-content-digest")).toBe(digest);
  await until(() => own.asked.count("GET", "/blobs/") > 0);
  own.fail(undefined);
  await own.accounts.restart();
  const { blobs } = own.accounts.accounts.core;
  await until(() => sample("stopped").layers.every((bytes) => blobs.has(digestOf(bytes).slice("sha256:".length))));
  await using user = await signIn(own.accounts);
  expect((await user.ecr.send(new GetAuthorizationTokenCommand({}))).authorizationData).toHaveLength(1);
  expect((await user.http("GET", `quay/stopped/blobs/${digestOf(sample("stopped").layers[1]!)}`)).status).toBe(200);
});
