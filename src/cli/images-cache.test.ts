import {
  BatchDeleteImageCommand,
  CreatePullThroughCacheRuleCommand,
  CreateRepositoryCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  GetRepositoryPolicyCommand,
  ListTagsForResourceCommand,
} from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { digestOf } from "../oci/digest.ts";
import { noise, pushIndex, pushSample } from "../oci/testing/sample-images.ts";
import { type CachedAccounts, startCached } from "../local/ecr/testing/upstream.ts";
import { readsUpstreamAt } from "./testing/kept-options.ts";
import { cliAt } from "./testing/in-process.ts";
import type { Pulling } from "./images/pull.ts";

// Accounts and registries of their own: long on a machine that is busy.
vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

// The accounts' ECR has a rule `quay` for quay.io, which is Debian's docker-registry behind a proxy that counts.

let cached: CachedAccounts;
beforeAll(async () => {
  cached = await startCached();
  readsUpstreamAt(cached, cached.asked.url);
});
afterAll(() => cached[Symbol.asyncDispose]());

const layers = (seed: string) => [noise(`${seed}-1`, 30_000), noise(`${seed}-2`, 300_000)];
const push = (name: string, seed = name) => pushSample(cached.at(name), "1", { layers: layers(seed) });
const isStored = (bytes: Buffer) => cached.accounts.accounts.core.blobs.has(digestOf(bytes).slice("sha256:".length));

async function pull(cli: ReturnType<typeof cliAt>, ...args: readonly string[]) {
  const { code, json } = await cli.run("images", "pull", ...args, "--profile", "cicd", "--json");
  return { code, ...json<Pulling>() };
}

test("what a rule covers ECR brings, whole and readable; a second call asks once for each image", async () => {
  using cli = cliAt(cached.accounts);
  const names = ["covered/one", "covered/two"];
  const pushed = [await push(names[0]!), await push(names[1]!)];
  const images = names.map((name) => `quay.io/${name}:1`);
  const first = await pull(cli, ...images);
  expect(first).toMatchObject({
    code: 0,
    bytesMoved: 0,
    images: pushed.map(({ digest }) => ({ status: "PULLED", digest, bytesMoved: 0, reason: "ECR's pull-through cache has it" })),
  });
  for (const name of names) for (const bytes of layers(name)) expect(isStored(bytes)).toBe(true);
  for (const name of names) {
    const { policyText } = await cached.user.ecr.send(new GetRepositoryPolicyCommand({ repositoryName: `quay/${name}` }));
    expect(policyText).toContain("omics.amazonaws.com");
    const { repositories } = await cached.user.ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [`quay/${name}`] }));
    expect(
      (await cached.user.ecr.send(new ListTagsForResourceCommand({ resourceArn: repositories![0]!.repositoryArn }))).tags,
    ).toContainEqual({ Key: "createdBy", Value: "omx-ecr-helper" });
  }
  const asked = cached.asked.seen.length;
  const second = await pull(cli, ...images);
  expect(second).toMatchObject({ code: 0, requests: 2, images: pushed.map(({ digest }) => ({ status: "SKIPPED", digest, requests: 1 })) });
  expect(cached.asked.seen.length).toBe(asked);
});

test("an index arrives with the layers of all its platforms", async () => {
  using cli = cliAt(cached.accounts);
  const from = cached.at("platforms");
  const manifests = [
    await pushSample(from, "", { layers: layers("amd") }),
    await pushSample(from, "", { layers: layers("arm"), platform: { os: "linux", architecture: "arm64" } }),
  ];
  const { digest } = await pushIndex(from, "1", manifests);
  expect(await pull(cli, "quay.io/platforms:1")).toMatchObject({ code: 0, images: [{ status: "PULLED", digest }] });
  for (const bytes of [...layers("amd"), ...layers("arm")]) expect(isStored(bytes)).toBe(true);
});

test("--copy copies", async () => {
  using cli = cliAt(cached.accounts);
  const { digest } = await push("copied");
  const { images, bytesMoved } = await pull(cli, "quay.io/copied:1", "--copy", "--upstream", `quay.io=${cached.asked.url}`);
  expect([images[0]?.status, images[0]?.digest, bytesMoved > 330_000]).toEqual(["PULLED", digest, true]);
});

test("--referrers copies an image with what refers to it, which the cache does not bring", async () => {
  using cli = cliAt(cached.accounts);
  const { digest } = await push("signed");
  const sbom = await pushSample(cached.at("signed"), "", { layers: [noise("sbom", 500)] });
  const ending = digest.replace(":", "-");
  await pushIndex(cached.at("signed"), ending, [sbom]);
  const signature = await pushSample(cached.at("signed"), `${ending}.sig`, { layers: [noise("signature", 50)] });
  const at = ["--upstream", `quay.io=${cached.asked.url}`];
  expect(await pull(cli, "quay.io/signed:1", ...at)).toMatchObject({ code: 0, images: [{ status: "PULLED", digest }] });
  expect(await pull(cli, "quay.io/signed:1", "--referrers", ...at)).toMatchObject({ code: 0, images: [{ status: "SKIPPED", digest }] });
  const { imageDetails = [] } = await cached.user.ecr.send(new DescribeImagesCommand({ repositoryName: "quay/signed" }));
  expect(imageDetails.map(({ imageDigest }) => imageDigest)).toEqual(expect.arrayContaining([digest, sbom.digest, signature.digest]));
  expect(imageDetails.find(({ imageDigest }) => imageDigest === signature.digest)?.imageTags).toEqual([`${ending}.sig`]);
});

test("layers that do not come fail their image alone, and come with a second call", async () => {
  using cli = cliAt(cached.accounts);
  const [broken, whole] = [await push("broken"), await push("whole")];
  const layer = digestOf(layers("broken")[1]!);
  cached.fail(({ method, path }) => (method === "GET" && path.endsWith(layer) ? { kind: "answer", status: 403 } : undefined));
  const first = await pull(cli, "quay.io/broken:1", "quay.io/whole:1");
  expect(first).toMatchObject({
    code: 1,
    images: [
      { status: "FAILED", reason: expect.stringContaining(layer) },
      { status: "PULLED", digest: whole.digest },
    ],
  });
  cached.fail(undefined);
  expect(await pull(cli, "quay.io/broken:1")).toMatchObject({ code: 0, images: [{ digest: broken.digest }] });
  expect(isStored(layers("broken")[1]!)).toBe(true);
});

test("an image of another registry than the rule for its name reads is copied", async () => {
  using cli = cliAt(cached.accounts);
  const { ecr } = cached.user;
  await ecr.send(new CreatePullThroughCacheRuleCommand({ ecrRepositoryPrefix: "quay/elsewhere", upstreamRegistryUrl: "public.ecr.aws" }));
  // A rule that covers the name and reads another registry is no rule for this image.
  const { digest } = await push("elsewhere/tool");
  expect(await pull(cli, "quay.io/elsewhere/tool:1", "--upstream", `quay.io=${cached.asked.url}`)).toMatchObject({
    code: 0,
    images: [{ status: "PULLED", digest, reason: "the target did not have it" }],
  });
});

test("a repository of somebody else is left as it is", async () => {
  using cli = cliAt(cached.accounts);
  await push("foreign");
  await cached.user.ecr.send(
    new CreateRepositoryCommand({ repositoryName: "quay/foreign", tags: [{ Key: "owner", Value: "another team" }] }),
  );
  expect(await pull(cli, "quay.io/foreign:1")).toMatchObject({
    code: 1,
    images: [{ status: "FAILED", reason: expect.stringContaining("it is not omx's") }],
  });
});

test("an image that was deleted in ECR comes again", async () => {
  using cli = cliAt(cached.accounts);
  const { digest } = await push("deleted");
  await pull(cli, "quay.io/deleted:1");
  await cached.user.ecr.send(new BatchDeleteImageCommand({ repositoryName: "quay/deleted", imageIds: [{ imageDigest: digest }] }));
  expect(await pull(cli, "quay.io/deleted:1", "--copy", "--upstream", `quay.io=${cached.asked.url}`)).toMatchObject({
    code: 0,
    images: [{ status: "PULLED", digest }],
  });
});
