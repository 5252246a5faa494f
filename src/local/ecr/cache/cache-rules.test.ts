import {
  CreatePullThroughCacheRuleCommand,
  CreateRepositoryCreationTemplateCommand,
  DeletePullThroughCacheRuleCommand,
  DescribePullThroughCacheRulesCommand,
  UpdatePullThroughCacheRuleCommand,
  ValidatePullThroughCacheRuleCommand,
} from "@aws-sdk/client-ecr";
import { CreateSecretCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { pushSample } from "../../../oci/testing/sample-images.ts";
import { CICD } from "../../testing/accounts.ts";
import { type CachedAccounts, sample, startCached } from "../testing/upstream.ts";

// Each starts accounts, registries or programs of its own: long on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

// The upstream is Debian's docker-registry behind a proxy that counts, under the name quay.io.

let cached: CachedAccounts;
beforeAll(async () => {
  cached = await startCached();
});
afterAll(() => cached[Symbol.asyncDispose]());

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
    expect((await cached.image("bio/bwa", "1")).digest).toBe(digest);
    expect(await ecr.send(new DeletePullThroughCacheRuleCommand({ ecrRepositoryPrefix: "bio" }))).toMatchObject(rule);
    await expect(ecr.send(new DescribePullThroughCacheRulesCommand({ ecrRepositoryPrefixes: ["bio"] }))).rejects.toMatchObject({
      name: "PullThroughCacheRuleNotFoundException",
    });
    expect((await cached.image("bio/bwa", "1")).digest).toBe(digest);
    expect((await cached.image("bio/bwa", "2")).failure).toBe("ImageNotFound");
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
