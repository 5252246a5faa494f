import {
  BatchGetImageCommand,
  CreateRepositoryCreationTemplateCommand,
  DeleteRegistryPolicyCommand,
  DescribeRepositoriesCommand,
  DescribeRepositoryCreationTemplatesCommand,
  ECRClient,
  InitiateLayerUploadCommand,
  PutRegistryPolicyCommand,
} from "@aws-sdk/client-ecr";
import { expect, test, vi } from "vitest";
import { noise, pushSample } from "../../../oci/testing/sample-images.ts";
import { CICD, PRODUCTION, REGION, startAccounts } from "../../testing/accounts.ts";
import { createRepository, signIn, V2 } from "../testing/registry.ts";

// Each starts accounts, registries or programs of its own: long on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

const READ = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
const policy = (...statements: readonly object[]) => JSON.stringify({ Version: "2012-10-17", Statement: statements });

test("a registry's policy opens its repositories to another account, and its deny closes them to everybody", async () => {
  await using accounts = await startAccounts();
  await using cicd = await signIn(accounts);
  await using production = await signIn(accounts, "production");
  for (const name of ["open/tool", "closed/tool"]) {
    await createRepository(cicd.ecr, name);
    await pushSample(cicd.repository(name), "1", { layers: [noise(name, 1000)] });
  }
  const read = (name: string) => production.http("GET", `${V2}${name}/manifests/1`).then(({ status }) => status);
  expect([await read("open/tool"), await read("closed/tool")]).toEqual([403, 403]);
  await expect(cicd.ecr.send(new PutRegistryPolicyCommand({ policyText: "{" }))).rejects.toMatchObject({
    name: "InvalidParameterException",
  });
  const arn = (path: string) => `arn:aws:ecr:${REGION}:${CICD}:repository/${path}`;
  await cicd.ecr.send(
    new PutRegistryPolicyCommand({
      policyText: policy(
        { Sid: "read", Effect: "Allow", Principal: { AWS: `arn:aws:iam::${PRODUCTION}:root` }, Action: READ, Resource: arn("*") },
        { Sid: "never", Effect: "Deny", Principal: "*", Action: READ, Resource: arn("closed/*") },
      ),
    }),
  );
  expect([await read("open/tool"), await read("closed/tool")]).toEqual([200, 403]);
  await expect(
    cicd.ecr.send(new BatchGetImageCommand({ repositoryName: "closed/tool", imageIds: [{ imageTag: "1" }] })),
  ).rejects.toMatchObject({ name: "AccessDeniedException", message: expect.stringMatching(/explicit deny/) });
  await cicd.ecr.send(new DeleteRegistryPolicyCommand({}));
  expect(await read("open/tool")).toBe(403);
});

test("another account makes repositories where the registry's policy lets it", async () => {
  await using accounts = await startAccounts();
  await using cicd = await signIn(accounts);
  const production = new ECRClient(accounts.config("production"));
  const create = () => createRepository(production, "theirs/tool", { registryId: CICD });
  await expect(create()).rejects.toMatchObject({ name: "AccessDeniedException" });
  await cicd.ecr.send(
    new PutRegistryPolicyCommand({
      policyText: policy({
        Sid: "make",
        Effect: "Allow",
        Principal: { AWS: `arn:aws:iam::${PRODUCTION}:root` },
        Action: "ecr:CreateRepository",
        Resource: `arn:aws:ecr:${REGION}:${CICD}:repository/theirs/*`,
      }),
    }),
  );
  expect((await create()).repository).toMatchObject({
    registryId: CICD,
    repositoryArn: `arn:aws:ecr:${REGION}:${CICD}:repository/theirs/tool`,
  });
});

test("a push makes its repository where a template says so, and who pushes may create it", async () => {
  await using accounts = await startAccounts();
  await using cicd = await signIn(accounts);
  await using developer = await signIn(accounts, "developer");
  const push = (name: string) => pushSample(cicd.repository(name), "1", { layers: [noise(name, 1000)] });
  await expect(push("pushed/tool")).rejects.toThrow(/does not exist/);
  await cicd.ecr.send(
    new CreateRepositoryCreationTemplateCommand({
      prefix: "pushed",
      appliedFor: ["CREATE_ON_PUSH"],
      imageTagMutability: "IMMUTABLE",
      repositoryPolicy: policy({ Sid: "push", Effect: "Allow", Principal: { AWS: `arn:aws:iam::${CICD}:root` }, Action: ["ecr:*"] }),
    }),
  );
  await push("pushed/tool");
  await cicd.ecr.send(new InitiateLayerUploadCommand({ repositoryName: "pushed/by-api" }));
  const { repositories } = await cicd.ecr.send(new DescribeRepositoriesCommand({}));
  expect(repositories).toMatchObject([
    { repositoryName: "pushed/by-api", imageTagMutability: "IMMUTABLE" },
    { repositoryName: "pushed/tool", imageTagMutability: "IMMUTABLE" },
  ]);
  expect((await developer.http("POST", "pushed/other/blobs/uploads/")).status).toBe(403);
});

test("a template is refused for what its repositories could not have", async () => {
  await using accounts = await startAccounts();
  const ecr = new ECRClient(accounts.config());
  const wrong = [
    { lifecyclePolicy: '{"rules":[]}' },
    { encryptionConfiguration: { encryptionType: "KMS", kmsKey: "alias/images" } as const },
    { repositoryPolicy: "{" },
    {
      resourceTags: [
        { Key: "a", Value: "1" },
        { Key: "a", Value: "2" },
      ],
    },
  ];
  for (const settings of wrong)
    await expect(
      ecr.send(new CreateRepositoryCreationTemplateCommand({ prefix: "wrong", appliedFor: ["CREATE_ON_PUSH"], ...settings })),
    ).rejects.toMatchObject({ name: expect.stringMatching(/^Invalid(Tag)?ParameterException$/) });
  expect((await ecr.send(new DescribeRepositoryCreationTemplatesCommand({}))).repositoryCreationTemplates).toEqual([]);
});
