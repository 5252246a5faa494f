import {
  CloudFormationClient,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStacksCommand,
  UpdateStackCommand,
  waitUntilStackCreateComplete,
  waitUntilStackDeleteComplete,
  waitUntilStackUpdateComplete,
} from "@aws-sdk/client-cloudformation";
import { CodeCommitClient, ListRepositoriesCommand } from "@aws-sdk/client-codecommit";
import {
  DescribePullThroughCacheRulesCommand,
  DescribeRepositoriesCommand,
  DescribeRepositoryCreationTemplatesCommand,
  ECRClient,
  GetLifecyclePolicyCommand,
  GetRegistryPolicyCommand,
  GetRepositoryPolicyCommand,
  ListTagsForResourceCommand,
  SetRepositoryPolicyCommand,
} from "@aws-sdk/client-ecr";
import { expect, test, vi } from "vitest";
import { CICD, REGION, startAccounts } from "../testing/accounts.ts";

// Each starts accounts, registries or programs of its own: long on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

const template = (description: string, policy: object | undefined) =>
  JSON.stringify({
    Resources: {
      Rule: { Type: "AWS::ECR::PullThroughCacheRule", Properties: { EcrRepositoryPrefix: "quay", UpstreamRegistry: "quay" } },
      Template: {
        Type: "AWS::ECR::RepositoryCreationTemplate",
        Properties: {
          Prefix: "quay",
          Description: description,
          AppliedFor: ["PULL_THROUGH_CACHE"],
          ImageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
          EncryptionConfiguration: { EncryptionType: "AES256" },
          ResourceTags: [{ Key: "createdBy", Value: "omx-ecr-helper" }],
          ImageTagMutabilityExclusionFilters: [
            { ImageTagMutabilityExclusionFilterType: "WILDCARD", ImageTagMutabilityExclusionFilterValue: "dev-*" },
          ],
          RepositoryPolicy: JSON.stringify({
            Version: "2012-10-17",
            Statement: [{ Sid: "read", Effect: "Allow", Principal: { Service: "omics.amazonaws.com" }, Action: ["ecr:BatchGetImage"] }],
          }),
        },
      },
      ...(policy && { Policy: { Type: "AWS::ECR::RegistryPolicy", Properties: { PolicyText: policy } } }),
    },
    Outputs: {
      Made: { Value: { "Fn::GetAtt": ["Template", "CreatedAt"] } },
      Rule: { Value: { Ref: "Rule" } },
      ...(policy && { Registry: { Value: { "Fn::GetAtt": ["Policy", "RegistryId"] } } }),
    },
  });

test("a stack makes, changes and removes a registry's rule, template and policy", async () => {
  await using accounts = await startAccounts();
  const client = new CloudFormationClient(accounts.config());
  const ecr = new ECRClient(accounts.config());
  const waiting = { client, maxWaitTime: 120, minDelay: 0.05, maxDelay: 0.2 };
  const StackName = "cache";
  const policy = {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "cache",
        Effect: "Allow",
        Principal: { Service: "omics.amazonaws.com" },
        Action: ["ecr:CreateRepository", "ecr:BatchImportUpstreamImage"],
        Resource: `arn:aws:ecr:${REGION}:${CICD}:repository/quay/*`,
      },
    ],
  };
  await client.send(new CreateStackCommand({ StackName, TemplateBody: template("first", policy) }));
  await waitUntilStackCreateComplete(waiting, { StackName });
  const outputs = Object.fromEntries(
    (await client.send(new DescribeStacksCommand({ StackName }))).Stacks![0]!.Outputs!.map(({ OutputKey, OutputValue }) => [
      OutputKey,
      OutputValue,
    ]),
  );
  expect(outputs).toEqual({ Made: expect.stringMatching(/^\d{4}-\d\d-\d\dT/), Rule: "quay", Registry: CICD });
  expect((await ecr.send(new DescribePullThroughCacheRulesCommand({}))).pullThroughCacheRules).toMatchObject([
    { ecrRepositoryPrefix: "quay", upstreamRegistryUrl: "quay.io" },
  ]);
  const templates = async () => (await ecr.send(new DescribeRepositoryCreationTemplatesCommand({}))).repositoryCreationTemplates;
  expect(await templates()).toMatchObject([
    {
      description: "first",
      imageTagMutabilityExclusionFilters: [{ filterType: "WILDCARD", filter: "dev-*" }],
      resourceTags: [{ Key: "createdBy", Value: "omx-ecr-helper" }],
    },
  ]);
  expect(JSON.parse((await ecr.send(new GetRegistryPolicyCommand({}))).policyText!)).toEqual(policy);
  // A second stack leaves it alone, also on its way back.
  await client.send(
    new CreateStackCommand({
      StackName: "other",
      TemplateBody: JSON.stringify({
        Resources: { Policy: { Type: "AWS::ECR::RegistryPolicy", Properties: { PolicyText: { ...policy, Version: "2008-10-17" } } } },
      }),
    }),
  );
  await vi.waitFor(
    async () =>
      expect((await client.send(new DescribeStacksCommand({ StackName: "other" }))).Stacks?.[0]?.StackStatus).toBe("ROLLBACK_COMPLETE"),
    { timeout: 60_000, interval: 50 },
  );
  expect(JSON.parse((await ecr.send(new GetRegistryPolicyCommand({}))).policyText!)).toEqual(policy);
  await client.send(new UpdateStackCommand({ StackName, TemplateBody: template("second", undefined) }));
  await waitUntilStackUpdateComplete(waiting, { StackName });
  expect(await templates()).toMatchObject([{ description: "second" }]);
  await expect(ecr.send(new GetRegistryPolicyCommand({}))).rejects.toMatchObject({ name: "RegistryPolicyNotFoundException" });
  await client.send(new DeleteStackCommand({ StackName }));
  await waitUntilStackDeleteComplete(waiting, { StackName });
  expect(await templates()).toEqual([]);
  expect((await ecr.send(new DescribePullThroughCacheRulesCommand({}))).pullThroughCacheRules).toEqual([]);
});

const lifecycle = JSON.stringify({
  rules: [
    { rulePriority: 1, selection: { tagStatus: "any", countType: "imageCountMoreThan", countNumber: 10 }, action: { type: "expire" } },
  ],
});
const repositoryTemplate = (properties: object) =>
  JSON.stringify({
    Resources: {
      Repository: { Type: "AWS::ECR::Repository", Properties: { RepositoryName: "by-stack", EmptyOnDelete: true, ...properties } },
    },
  });

test("a stack makes a repository, changes all that may be changed of it, and takes back what it no longer says", async () => {
  await using accounts = await startAccounts();
  const client = new CloudFormationClient(accounts.config());
  const ecr = new ECRClient(accounts.config());
  const waiting = { client, maxWaitTime: 120, minDelay: 0.05, maxDelay: 0.2 };
  const StackName = "repository";
  const seen = async () => {
    const [repository] = (await ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ["by-stack"] }))).repositories!;
    const { tags } = await ecr.send(new ListTagsForResourceCommand({ resourceArn: repository!.repositoryArn }));
    const policy = await ecr.send(new GetLifecyclePolicyCommand({ repositoryName: "by-stack" })).then(
      (found) => found.lifecyclePolicyText,
      (error: Error) => error.name,
    );
    return [
      repository!.imageTagMutability,
      repository!.imageTagMutabilityExclusionFilters,
      repository!.imageScanningConfiguration?.scanOnPush,
      tags!.toSorted((a, b) => a.Key!.localeCompare(b.Key!)),
      policy,
    ];
  };
  const filters = [{ ImageTagMutabilityExclusionFilterType: "WILDCARD", ImageTagMutabilityExclusionFilterValue: "dev-*" }];
  const first = {
    ImageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
    ImageTagMutabilityExclusionFilters: filters,
    ImageScanningConfiguration: { ScanOnPush: "true" },
    LifecyclePolicy: { LifecyclePolicyText: lifecycle },
    Tags: [
      { Key: "a", Value: "1" },
      { Key: "b", Value: "1" },
    ],
  };
  await client.send(new CreateStackCommand({ StackName, TemplateBody: repositoryTemplate(first) }));
  await waitUntilStackCreateComplete(waiting, { StackName });
  expect(await seen()).toEqual([
    "IMMUTABLE_WITH_EXCLUSION",
    [{ filterType: "WILDCARD", filter: "dev-*" }],
    true,
    [
      { Key: "a", Value: "1" },
      { Key: "b", Value: "1" },
    ],
    lifecycle,
  ]);
  // An update takes away what the template does not say, a policy that somebody put there among it.
  await ecr.send(
    new SetRepositoryPolicyCommand({
      repositoryName: "by-stack",
      policyText: JSON.stringify({
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Principal: { Service: "omics.amazonaws.com" }, Action: "ecr:BatchGetImage" }],
      }),
    }),
  );
  await client.send(
    new UpdateStackCommand({
      StackName,
      TemplateBody: repositoryTemplate({
        Tags: [
          { Key: "b", Value: "2" },
          { Key: "c", Value: "3" },
        ],
      }),
    }),
  );
  await waitUntilStackUpdateComplete(waiting, { StackName });
  await expect(ecr.send(new GetRepositoryPolicyCommand({ repositoryName: "by-stack" }))).rejects.toMatchObject({
    name: "RepositoryPolicyNotFoundException",
  });
  expect(await seen()).toEqual([
    "MUTABLE",
    undefined,
    false,
    [
      { Key: "b", Value: "2" },
      { Key: "c", Value: "3" },
    ],
    "LifecyclePolicyNotFoundException",
  ]);

  // Nothing of an update that is refused stays, and its rollback minds nothing that never came to be.
  const before = await seen();
  await client.send(
    new UpdateStackCommand({
      StackName,
      TemplateBody: repositoryTemplate({
        ImageTagMutability: "IMMUTABLE",
        LifecyclePolicy: { LifecyclePolicyText: lifecycle.replace("expire", "nothing") },
        Tags: [{ Key: "d", Value: "4" }],
      }),
    }),
  );
  await vi.waitFor(
    async () =>
      expect((await client.send(new DescribeStacksCommand({ StackName }))).Stacks?.[0]?.StackStatus).toBe("UPDATE_ROLLBACK_COMPLETE"),
    { timeout: 60_000, interval: 50 },
  );
  expect(await seen()).toEqual(before);
  await client.send(new DeleteStackCommand({ StackName }));
  await waitUntilStackDeleteComplete(waiting, { StackName });
  await expect(seen()).rejects.toMatchObject({ name: "RepositoryNotFoundException" });
});

test("a repository that is refused its policies, or its code, does not stay behind when its stack is rolled back", async () => {
  await using accounts = await startAccounts();
  const client = new CloudFormationClient(accounts.config());
  const failing = {
    images: {
      Type: "AWS::ECR::Repository",
      Properties: {
        RepositoryName: "refused",
        LifecyclePolicy: {
          LifecyclePolicyText: JSON.stringify({ rules: [{ rulePriority: 1, description: "a rule of nothing but words".padEnd(100) }] }),
        },
      },
    },
    code: {
      Type: "AWS::CodeCommit::Repository",
      Properties: { RepositoryName: "refused", Code: { S3: { Bucket: "no-such-bucket", Key: "none.zip" } } },
    },
  };
  for (const [StackName, Repository] of Object.entries(failing)) {
    await client.send(new CreateStackCommand({ StackName, TemplateBody: JSON.stringify({ Resources: { Repository } }) }));
    await vi.waitFor(
      async () => expect((await client.send(new DescribeStacksCommand({ StackName }))).Stacks?.[0]?.StackStatus).toBe("ROLLBACK_COMPLETE"),
      { timeout: 100_000, interval: 50 },
    );
  }
  expect((await new ECRClient(accounts.config()).send(new DescribeRepositoriesCommand({}))).repositories).toEqual([]);
  expect((await new CodeCommitClient(accounts.config()).send(new ListRepositoriesCommand({}))).repositories).toEqual([]);
});
