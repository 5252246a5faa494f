import { DescribeRepositoriesCommand, PutRegistryPolicyCommand } from "@aws-sdk/client-ecr";
import { CreateRoleCommand, IAMClient, PutRolePolicyCommand } from "@aws-sdk/client-iam";
import { CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { digestOf } from "../../../oci/digest.ts";
import { pushSample } from "../../../oci/testing/sample-images.ts";
import { CICD, PRODUCTION, REGION } from "../../testing/accounts.ts";
import { codeOf, signIn } from "../testing/registry.ts";
import { type CachedAccounts, sample, startCached, template } from "../testing/upstream.ts";

// Accounts and a registry of its own: long on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

let cached: CachedAccounts;
beforeAll(async () => {
  cached = await startCached();
});
afterAll(() => cached[Symbol.asyncDispose]());

describe("who may bring images", () => {
  test("of the same account needs CreateRepository for the first and BatchImportUpstreamImage for each", async () => {
    await pushSample(cached.at("guarded"), "1", sample("guarded"));
    await pushSample(cached.at("guarded"), "2", sample("guarded-2"));
    await using developer = await signIn(cached.accounts, "developer");
    const first = await developer.http("GET", "quay/guarded/manifests/1");
    expect([first.status, await first.text()]).toEqual([404, expect.stringMatching(/NAME_UNKNOWN.*ecr:CreateRepository/)]);
    await cached.manifest("quay/guarded/manifests/1");
    expect((await developer.http("GET", "quay/guarded/manifests/1")).status).toBe(200);
    const second = await developer.http("GET", "quay/guarded/manifests/2");
    expect([second.status, await second.text()]).toEqual([404, expect.stringMatching(/MANIFEST_UNKNOWN.*ecr:BatchImportUpstreamImage/)]);
  });

  test("of another account needs the registry's policy, and the template's to read", async () => {
    await pushSample(cached.at("across/tool"), "1", sample("across"));
    await using production = await signIn(cached.accounts, "production");
    const ask = () => production.http("GET", "quay/across/tool/manifests/1");
    expect([(await ask()).status, await codeOf(await ask())]).toEqual([403, "DENIED"]);
    const policyOf = (Resource: string | undefined, ...Action: readonly string[]) =>
      JSON.stringify({
        Version: "2012-10-17",
        Statement: [
          { Sid: "cache", Effect: "Allow", Principal: { AWS: `arn:aws:iam::${PRODUCTION}:root` }, Action, ...(Resource && { Resource }) },
        ],
      });
    await template(cached.user, {
      prefix: "quay/across",
      repositoryPolicy: policyOf(undefined, "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
    });
    expect([(await ask()).status, await codeOf(await ask())]).toEqual([404, "NAME_UNKNOWN"]);
    await cached.user.ecr.send(
      new PutRegistryPolicyCommand({
        policyText: policyOf(
          `arn:aws:ecr:${REGION}:${CICD}:repository/quay/across/*`,
          "ecr:CreateRepository",
          "ecr:BatchImportUpstreamImage",
        ),
      }),
    );
    expect((await ask()).status).toBe(200);
    expect((await production.http("GET", `quay/across/tool/blobs/${digestOf(sample("across").layers[0]!)}`)).status).toBe(200);
  });
});

test("a template's role makes the repository, and only what it may", async () => {
  await pushSample(cached.at("roles/tool"), "1", sample("roles"));
  const iam = new IAMClient(cached.accounts.config());
  const trust = {
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { Service: "ecr.amazonaws.com" }, Action: "sts:AssumeRole" }],
  };
  const { Role } = await iam.send(new CreateRoleCommand({ RoleName: "template", AssumeRolePolicyDocument: JSON.stringify(trust) }));
  const allow = (...Action: readonly string[]) =>
    iam.send(
      new PutRolePolicyCommand({
        RoleName: "template",
        PolicyName: "make",
        PolicyDocument: JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource: "*" }] }),
      }),
    );
  await template(cached.user, { prefix: "quay/roles", customRoleArn: Role!.Arn, resourceTags: [{ Key: "by", Value: "role" }] });
  await allow("ecr:CreateRepository");
  const refused = await cached.manifest("quay/roles/tool/manifests/1");
  expect([refused.status, await refused.text()]).toEqual([404, expect.stringMatching(/NAME_UNKNOWN.*ecr:TagResource/)]);
  await allow("ecr:CreateRepository", "ecr:TagResource");
  expect((await cached.manifest("quay/roles/tool/manifests/1")).status).toBe(200);

  await pushSample(cached.at("sealed/tool"), "1", sample("sealed"));
  const { KeyMetadata } = await new KMSClient(cached.accounts.config()).send(new CreateKeyCommand({}));
  await template(cached.user, {
    prefix: "quay/sealed",
    customRoleArn: Role!.Arn,
    encryptionConfiguration: { encryptionType: "KMS", kmsKey: KeyMetadata!.Arn },
  });
  const sealed = await cached.manifest("quay/sealed/tool/manifests/1");
  expect([sealed.status, await sealed.text()]).toEqual([
    404,
    expect.stringMatching(/NAME_UNKNOWN.*was not created: .*KMS exception.*kms:DescribeKey/),
  ]);
  await allow("ecr:CreateRepository", "kms:DescribeKey", "kms:CreateGrant");
  expect((await cached.manifest("quay/sealed/tool/manifests/1")).status).toBe(200);
  const { repositories } = await cached.user.ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ["quay/sealed/tool"] }));
  expect(repositories?.[0]?.encryptionConfiguration).toEqual({ encryptionType: "KMS", kmsKey: KeyMetadata!.Arn });
});

test("HealthOmics brings an image for a run where the registry's policy and the template's name it", async () => {
  const { digest } = await pushSample(cached.at("omics/tool"), "1", sample("omics"));
  const { dispatcher } = cached.accounts.accounts.core;
  const workflow = `arn:aws:omics:${REGION}:${CICD}:workflow/1234567`;
  const ask = () =>
    dispatcher.call<{ images: { imageId: { imageDigest: string } }[] }>({
      service: "ecr",
      operation: "BatchGetImage",
      input: { registryId: CICD, repositoryName: "quay/omics/tool", imageIds: [{ imageTag: "1" }] },
      region: REGION,
      account: CICD,
      as: { kind: "service", service: "omics.amazonaws.com", sourceAccount: CICD, sourceArn: workflow },
    });
  const grant = (Action: readonly string[], more: object = {}) =>
    JSON.stringify({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "omics",
          Effect: "Allow",
          Principal: { Service: "omics.amazonaws.com" },
          Action,
          Condition: { StringEquals: { "aws:SourceAccount": CICD } },
          ...more,
        },
      ],
    });
  await expect(ask()).rejects.toMatchObject({ code: "AccessDeniedException" });
  await template(cached.user, {
    prefix: "quay/omics",
    repositoryPolicy: grant(["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"]),
  });
  await expect(ask()).rejects.toMatchObject({ code: "RepositoryNotFoundException" });
  // The registry has one policy, which other tests of this file set too: it is put and asked in one turn.
  const policyText = grant(["ecr:CreateRepository", "ecr:BatchImportUpstreamImage"], {
    Resource: `arn:aws:ecr:${REGION}:${CICD}:repository/quay/omics/*`,
  });
  await cached.user.ecr.send(new PutRegistryPolicyCommand({ policyText }));
  expect((await ask()).images[0]!.imageId.imageDigest).toBe(digest);
});
