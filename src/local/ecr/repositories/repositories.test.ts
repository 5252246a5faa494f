import {
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  DeleteRepositoryPolicyCommand,
  DescribeRepositoriesCommand,
  GetLifecyclePolicyCommand,
  GetRepositoryPolicyCommand,
  ListImagesCommand,
  ListTagsForResourceCommand,
  paginateDescribeRepositories,
  PutLifecyclePolicyCommand,
  SetRepositoryPolicyCommand,
  StartImageScanCommand,
  TagResourceCommand,
  UntagResourceCommand,
  ECRClient,
} from "@aws-sdk/client-ecr";
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { CreateAliasCommand, CreateKeyCommand, DisableKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { CICD, REGION, startAccounts, type TestAccounts } from "../../testing/accounts.ts";
import { putImage } from "../testing/api-images.ts";
import { createRepository, signIn, type RegistryUser } from "../testing/registry.ts";

// Each starts accounts, registries or programs of its own: long on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

let accounts: TestAccounts;
let user: RegistryUser;
let ecr: ECRClient;
beforeAll(async () => {
  accounts = await startAccounts();
  user = await signIn(accounts);
  ecr = user.ecr;
});
afterAll(async () => {
  await user[Symbol.asyncDispose]();
  await accounts[Symbol.asyncDispose]();
});

describe("repositories", () => {
  test("are created with the canonical address, tagged, found and deleted", async () => {
    const { repository } = await createRepository(ecr, "made/one", {
      tags: [{ Key: "createdBy", Value: "omx" }],
      imageScanningConfiguration: { scanOnPush: true },
    });
    expect(repository).toMatchObject({
      repositoryUri: `${CICD}.dkr.ecr.${REGION}.amazonaws.com/made/one`,
      imageTagMutability: "MUTABLE",
      imageScanningConfiguration: { scanOnPush: true },
    });
    const resourceArn = repository!.repositoryArn!;
    await ecr.send(new TagResourceCommand({ resourceArn, tags: [{ Key: "team", Value: "a" }] }));
    await ecr.send(new UntagResourceCommand({ resourceArn, tagKeys: ["createdBy"] }));
    expect((await ecr.send(new ListTagsForResourceCommand({ resourceArn }))).tags).toEqual([{ Key: "team", Value: "a" }]);
    await expect(createRepository(ecr, "made/one")).rejects.toMatchObject({ name: "RepositoryAlreadyExistsException" });
    await ecr.send(new DeleteRepositoryCommand({ repositoryName: "made/one" }));
    await expect(ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ["made/one"] }))).rejects.toMatchObject({
      name: "RepositoryNotFoundException",
    });
  });

  test("are made once, however many make one at the same time, and deleted with their images by force alone", async () => {
    const made = await Promise.allSettled([1, 2, 3].map(() => createRepository(ecr, "made/at-once")));
    expect(made.flatMap((one) => (one.status === "rejected" ? [(one.reason as Error).name] : []))).toEqual([
      "RepositoryAlreadyExistsException",
      "RepositoryAlreadyExistsException",
    ]);
    await putImage(ecr, "made/at-once", "1");
    await expect(ecr.send(new DeleteRepositoryCommand({ repositoryName: "made/at-once" }))).rejects.toMatchObject({
      name: "RepositoryNotEmptyException",
    });
    await ecr.send(new DeleteRepositoryCommand({ repositoryName: "made/at-once", force: true }));
    await createRepository(ecr, "made/at-once");
    expect((await ecr.send(new ListImagesCommand({ repositoryName: "made/at-once" }))).imageIds).toEqual([]);
  });

  test("take no tag of AWS's own", async () => {
    const tags = [{ Key: "aws:cloudformation:stack-name", Value: "mine" }];
    await expect(createRepository(ecr, "reserved/tags", { tags })).rejects.toMatchObject({ name: "InvalidTagParameterException" });
  });

  test.each(["A", "Upper/Case", "a//b", "-a", "a/", "x"])("the name %s is refused", async (repositoryName) => {
    await expect(ecr.send(new CreateRepositoryCommand({ repositoryName }))).rejects.toMatchObject({ name: "InvalidParameterException" });
  });

  test("are encrypted with the key of their maker's choice, by its ARN, where it is enabled and the maker may ask for grants on it", async () => {
    const [kms, iam] = [new KMSClient(accounts.config()), new IAMClient(accounts.config())];
    const { KeyMetadata: { Arn: kmsKey, KeyId: TargetKeyId } = {} } = await kms.send(new CreateKeyCommand({}));
    await kms.send(new CreateAliasCommand({ AliasName: "alias/images", TargetKeyId }));
    const make = async (client: ECRClient, repositoryName: string, key?: string) =>
      (await createRepository(client, repositoryName, { encryptionConfiguration: { encryptionType: "KMS", ...(key && { kmsKey: key }) } }))
        .repository?.encryptionConfiguration;
    expect(await make(ecr, "sealed/alias", "alias/images")).toEqual({ encryptionType: "KMS", kmsKey });
    expect(await make(ecr, "sealed/default")).toEqual({
      encryptionType: "KMS",
      kmsKey: expect.stringMatching(`^arn:aws:kms:${REGION}:${CICD}:key/`),
    });
    await expect(make(ecr, "sealed/none", "alias/none")).rejects.toMatchObject({ name: "KmsException", kmsError: "NotFoundException" });

    await iam.send(new CreateUserCommand({ UserName: "maker" }));
    const { AccessKey: { AccessKeyId: accessKeyId = "", SecretAccessKey: secretAccessKey = "" } = {} } = await iam.send(
      new CreateAccessKeyCommand({ UserName: "maker" }),
    );
    const maker = new ECRClient({ ...accounts.config(), credentials: { accessKeyId, secretAccessKey } });
    const viaEcr = { StringEquals: { "kms:ViaService": `ecr.${REGION}.amazonaws.com` }, Bool: { "kms:GrantIsForAWSResource": "true" } };
    const allow = (...statements: readonly object[]) =>
      iam.send(
        new PutUserPolicyCommand({
          UserName: "maker",
          PolicyName: "own",
          PolicyDocument: JSON.stringify({
            Version: "2012-10-17",
            Statement: [{ Effect: "Allow", Action: "ecr:*", Resource: "*" }, ...statements],
          }),
        }),
      );
    const describe = { Effect: "Allow", Action: "kms:DescribeKey", Resource: kmsKey };
    await allow(describe);
    await expect(make(maker, "sealed/made", kmsKey)).rejects.toMatchObject({
      name: "KmsException",
      kmsError: "AccessDeniedException",
      message: expect.stringContaining("kms:CreateGrant"),
    });
    await allow(describe, { Effect: "Allow", Action: "kms:CreateGrant", Resource: kmsKey, Condition: viaEcr });
    expect(await make(maker, "sealed/made", kmsKey)).toMatchObject({ kmsKey });
    await kms.send(new DisableKeyCommand({ KeyId: kmsKey }));
    await expect(make(ecr, "sealed/disabled", kmsKey)).rejects.toMatchObject({ name: "KmsException", kmsError: "DisabledException" });
  });

  test("are listed in pages", async () => {
    for (const n of [1, 2, 3, 4, 5]) await createRepository(ecr, `paged/r${n}`);
    const names: string[] = [];
    let pages = 0;
    for await (const page of paginateDescribeRepositories({ client: ecr, pageSize: 2 }, {})) {
      pages++;
      names.push(...page.repositories!.map(({ repositoryName }) => repositoryName!));
    }
    expect(names.filter((name) => name.startsWith("paged/"))).toEqual([1, 2, 3, 4, 5].map((n) => `paged/r${n}`));
    expect(pages).toBeGreaterThan(2);
  });

  test("hold a policy and a lifecycle policy", async () => {
    const repositoryName = "with-policy";
    await createRepository(ecr, repositoryName);
    await expect(ecr.send(new GetRepositoryPolicyCommand({ repositoryName }))).rejects.toMatchObject({
      name: "RepositoryPolicyNotFoundException",
    });
    const policy = {
      Version: "2012-10-17",
      Statement: [{ Sid: "x", Effect: "Allow", Principal: { Service: "omics.amazonaws.com" }, Action: ["ecr:BatchGetImage"] }],
    };
    await ecr.send(new SetRepositoryPolicyCommand({ repositoryName, policyText: JSON.stringify(policy) }));
    expect(JSON.parse((await ecr.send(new GetRepositoryPolicyCommand({ repositoryName }))).policyText!)).toEqual(policy);
    const ofNobody = { ...policy, Statement: [{ ...policy.Statement[0], Principal: { AWS: `arn:aws:iam::${CICD}:role/nobody` } }] };
    await expect(ecr.send(new SetRepositoryPolicyCommand({ repositoryName, policyText: JSON.stringify(ofNobody) }))).rejects.toMatchObject({
      name: "InvalidParameterException",
      message: expect.stringMatching(/Principal not found/),
    });
    await expect(ecr.send(new SetRepositoryPolicyCommand({ repositoryName, policyText: "{" }))).rejects.toMatchObject({
      name: "InvalidParameterException",
    });
    const named = { ...policy, Statement: [{ ...policy.Statement[0], Resource: "*" }] };
    await expect(ecr.send(new SetRepositoryPolicyCommand({ repositoryName, policyText: JSON.stringify(named) }))).rejects.toMatchObject({
      name: "InvalidParameterException",
      message: expect.stringMatching(/'Invalid repository policy provided'.*leave Resource out/),
    });
    // Who could not set another policy afterwards has to say that this is meant.
    const closed = JSON.stringify({
      Version: "2012-10-17",
      Statement: [{ Effect: "Deny", Principal: "*", Action: "ecr:SetRepositoryPolicy" }],
    });
    await expect(ecr.send(new SetRepositoryPolicyCommand({ repositoryName, policyText: closed }))).rejects.toMatchObject({
      name: "InvalidParameterException",
      message: expect.stringMatching(/set force/),
    });
    expect(JSON.parse((await ecr.send(new GetRepositoryPolicyCommand({ repositoryName }))).policyText!)).toEqual(policy);
    await ecr.send(new SetRepositoryPolicyCommand({ repositoryName, policyText: closed, force: true }));
    await expect(
      ecr.send(new SetRepositoryPolicyCommand({ repositoryName, policyText: JSON.stringify(policy), force: true })),
    ).rejects.toMatchObject({ name: "AccessDeniedException" });
    await ecr.send(new DeleteRepositoryPolicyCommand({ repositoryName }));
    await expect(ecr.send(new GetLifecyclePolicyCommand({ repositoryName }))).rejects.toMatchObject({
      name: "LifecyclePolicyNotFoundException",
    });
    const lifecyclePolicyText = JSON.stringify({
      rules: [
        {
          rulePriority: 1,
          selection: { tagStatus: "untagged", countType: "sinceImagePushed", countUnit: "days", countNumber: 14 },
          action: { type: "expire" },
        },
      ],
    });
    await ecr.send(new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText }));
    expect((await ecr.send(new GetLifecyclePolicyCommand({ repositoryName }))).lifecyclePolicyText).toBe(lifecyclePolicyText);
  });

  test("what is not there answers 501 with its name", async () => {
    await expect(ecr.send(new StartImageScanCommand({ repositoryName: "with-policy", imageId: { imageTag: "1" } }))).rejects.toMatchObject({
      message: expect.stringContaining("StartImageScan"),
      $metadata: { httpStatusCode: 501 },
    });
  });
});
