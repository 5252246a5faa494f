import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  GetLifecyclePolicyCommand,
  GetRepositoryPolicyCommand,
  ListTagsForResourceCommand,
  PutImageTagMutabilityCommand,
} from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { digestOf } from "../../../oci/digest.ts";
import { pushIndex, pushSample } from "../../../oci/testing/sample-images.ts";
import { CICD, PRODUCTION, REGION } from "../../testing/accounts.ts";
import { skopeoCopy, V2 } from "../testing/registry.ts";
import { type CachedAccounts, collectEvents, sample, startCached, template } from "../testing/upstream.ts";

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
    const answer = await cached.manifest(`${repositoryName}/manifests/1.0`, "HEAD");
    expect([answer.status, answer.headers.get("docker-content-digest")]).toEqual([200, digest]);
    const { repositories } = await cached.user.ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [repositoryName] }));
    expect(repositories![0]).toMatchObject({ imageTagMutability: "IMMUTABLE", encryptionConfiguration: { encryptionType: "AES256" } });
    expect((await cached.user.ecr.send(new ListTagsForResourceCommand({ resourceArn: repositories![0]!.repositoryArn }))).tags).toEqual([
      { Key: "createdBy", Value: "omx-ecr-helper" },
    ]);
    expect(JSON.parse((await cached.user.ecr.send(new GetRepositoryPolicyCommand({ repositoryName }))).policyText!)).toEqual(policy);
    expect((await cached.user.ecr.send(new GetLifecyclePolicyCommand({ repositoryName }))).lifecyclePolicyText).toBe(lifecyclePolicy);
    expect(await events.synced(repositoryName)).toMatchObject({
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
    expect((await cached.image("quay/both", "1")).digest).toBe(index.digest);
    const { imageDetails } = await cached.user.ecr.send(new DescribeImagesCommand({ repositoryName: "quay/both" }));
    expect(imageDetails?.map(({ imageDigest }) => imageDigest).toSorted()).toEqual(
      [index.digest, ...manifests.map(({ digest }) => digest)].toSorted(),
    );
    await events.synced("quay/both");
    cached.fail(() => ({ kind: "reset" }));
    for (const bytes of [...sample("amd").layers, ...sample("arm").layers]) {
      const answer = await cached.manifest(`quay/both/blobs/${digestOf(bytes)}`);
      expect(digestOf(new Uint8Array(await answer.arrayBuffer()))).toBe(digestOf(bytes));
    }
    cached.fail(undefined);
  });

  test("brings an index of indexes whole", async () => {
    const from = cached.at("nested");
    const image = await pushSample(from, "", sample("nested"));
    const inner = await pushIndex(from, "", [image]);
    const outer = await pushIndex(from, "1", [inner]);
    expect((await cached.image("quay/nested", "1")).digest).toBe(outer.digest);
    cached.fail(() => ({ kind: "reset" }));
    for (const { digest } of [outer, inner, image]) expect((await cached.manifest(`quay/nested/manifests/${digest}`)).status).toBe(200);
    cached.fail(undefined);
  });

  test("at once with seven others makes one repository and one copy of each layer", async () => {
    const { digest } = await pushSample(cached.at("busy"), "1", sample("busy"));
    const answers = await Promise.all(Array.from({ length: 8 }, () => cached.manifest("quay/busy/manifests/1")));
    for (const answer of answers) expect([answer.status, answer.headers.get("docker-content-digest")]).toEqual([200, digest]);
    await events.synced("quay/busy");
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
    expect((await cached.manifest(`quay/shared/two/manifests/${digest}`)).status).toBe(200);
    await events.synced("quay/shared/two");
    await cached.manifest("quay/shared/one/manifests/1");
    await events.synced("quay/shared/one");
    for (const bytes of sample("shared").layers) expect(cached.asked.count("GET", `blobs/${digestOf(bytes)}`)).toBe(1);
    const { imageDetails } = await cached.user.ecr.send(new DescribeImagesCommand({ repositoryName: "quay/shared/two" }));
    expect(imageDetails).toMatchObject([{ imageDigest: digest }]);
    expect(imageDetails![0]!.imageTags).toBeUndefined();
  });
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

describe("a tag", () => {
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
    expect(await cached.image("quay/moving", "1")).toMatchObject({ digest: before.digest });
    expect(await cached.image("quay/fixed", "1")).toMatchObject({ digest: fixed.digest });
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
