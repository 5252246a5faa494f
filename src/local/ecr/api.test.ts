import {
  BatchCheckLayerAvailabilityCommand,
  BatchDeleteImageCommand,
  BatchGetImageCommand,
  CompleteLayerUploadCommand,
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  DeleteRepositoryPolicyCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  GetDownloadUrlForLayerCommand,
  GetLifecyclePolicyCommand,
  GetRepositoryPolicyCommand,
  InitiateLayerUploadCommand,
  ListImagesCommand,
  ListTagsForResourceCommand,
  paginateDescribeRepositories,
  paginateListImages,
  PutImageCommand,
  PutImageTagMutabilityCommand,
  PutLifecyclePolicyCommand,
  SetRepositoryPolicyCommand,
  StartImageScanCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UploadLayerPartCommand,
  ECRClient,
} from "@aws-sdk/client-ecr";
import { CreateAccessKeyCommand, CreateUserCommand, IAMClient, PutUserPolicyCommand } from "@aws-sdk/client-iam";
import { CreateAliasCommand, CreateKeyCommand, DisableKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { digestOf } from "../../oci/digest.ts";
import { noise } from "../../oci/testing/sample-images.ts";
import { CICD, REGION, startAccounts, type TestAccounts } from "../testing/accounts.ts";
import { createRepository, signIn, type RegistryUser } from "./testing/registry.ts";

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

async function uploadLayer(repositoryName: string, bytes: Buffer, partBytes = bytes.byteLength): Promise<string> {
  const { uploadId } = await ecr.send(new InitiateLayerUploadCommand({ repositoryName }));
  for (let at = 0; at < bytes.byteLength; at += partBytes) {
    const layerPartBlob = bytes.subarray(at, at + partBytes);
    await ecr.send(
      new UploadLayerPartCommand({
        repositoryName,
        uploadId,
        partFirstByte: at,
        partLastByte: at + layerPartBlob.byteLength - 1,
        layerPartBlob,
      }),
    );
  }
  const { layerDigest } = await ecr.send(new CompleteLayerUploadCommand({ repositoryName, uploadId, layerDigests: [digestOf(bytes)] }));
  return layerDigest!;
}

/** As docker does: only what is not there is sent. */
async function ensureLayer(repositoryName: string, bytes: Buffer): Promise<string> {
  const { layers } = await ecr.send(new BatchCheckLayerAvailabilityCommand({ repositoryName, layerDigests: [digestOf(bytes)] }));
  return layers![0]!.layerAvailability === "AVAILABLE" ? digestOf(bytes) : uploadLayer(repositoryName, bytes);
}

const OCI = "application/vnd.oci.image.manifest.v1+json";

async function putImage(repositoryName: string, tag: string, seed = tag): Promise<string> {
  const [config, layer] = [Buffer.from(JSON.stringify({ os: "linux", architecture: "amd64", seed })), noise(seed, 1000)];
  const descriptors = await Promise.all(
    [config, layer].map(async (bytes) => ({ digest: await ensureLayer(repositoryName, bytes), size: bytes.byteLength })),
  );
  const imageManifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", ...descriptors[0] },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", ...descriptors[1] }],
  });
  const { image } = await ecr.send(new PutImageCommand({ repositoryName, imageManifest, imageTag: tag }));
  return image!.imageId!.imageDigest!;
}

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
    await putImage("made/at-once", "1");
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

describe("images", () => {
  test("layers arrive in parts, the image is described, and a link reads the layer", async () => {
    const repositoryName = "by-parts";
    await createRepository(ecr, repositoryName);
    const bytes = noise("parts", 11 * 1024 * 1024);
    const digest = await uploadLayer(repositoryName, bytes, 5 * 1024 * 1024);
    const availability = await ecr.send(
      new BatchCheckLayerAvailabilityCommand({ repositoryName, layerDigests: [digest, digestOf("other")] }),
    );
    expect(availability.layers?.map(({ layerAvailability }) => layerAvailability)).toEqual(["AVAILABLE", "UNAVAILABLE"]);
    const { downloadUrl } = await ecr.send(new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest: digest }));
    expect(digestOf(new Uint8Array(await (await fetch(downloadUrl!)).arrayBuffer()))).toBe(digest);
    expect((await fetch(`${downloadUrl}x`)).status).toBe(403);
    await expect(uploadLayer(repositoryName, bytes)).rejects.toMatchObject({ name: "LayerAlreadyExistsException" });
    const imageDigest = await putImage(repositoryName, "v1");
    const { imageDetails } = await ecr.send(new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: "v1" }] }));
    expect(imageDetails).toMatchObject([{ imageDigest, imageTags: ["v1"], imageManifestMediaType: OCI }]);
  });

  test("only the last part of a layer may be small", async () => {
    const repositoryName = "small-parts";
    await createRepository(ecr, repositoryName);
    await expect(uploadLayer(repositoryName, noise("small parts", 2500), 1000)).rejects.toMatchObject({
      name: "LayerPartTooSmallException",
    });
  });

  test("an upload refuses a gap, a false digest and nothing at all", async () => {
    const repositoryName = "bad-uploads";
    await createRepository(ecr, repositoryName);
    const { uploadId } = await ecr.send(new InitiateLayerUploadCommand({ repositoryName }));
    await expect(
      ecr.send(new CompleteLayerUploadCommand({ repositoryName, uploadId, layerDigests: [digestOf("")] })),
    ).rejects.toMatchObject({ name: "EmptyUploadException" });
    await expect(
      ecr.send(
        new UploadLayerPartCommand({ repositoryName, uploadId, partFirstByte: 5, partLastByte: 7, layerPartBlob: Buffer.from("abc") }),
      ),
    ).rejects.toMatchObject({ name: "InvalidLayerPartException", registryId: CICD, repositoryName, uploadId, lastValidByteReceived: -1 });
    await ecr.send(
      new UploadLayerPartCommand({ repositoryName, uploadId, partFirstByte: 0, partLastByte: 2, layerPartBlob: Buffer.from("abc") }),
    );
    await expect(
      ecr.send(new CompleteLayerUploadCommand({ repositoryName, uploadId, layerDigests: [digestOf("other")] })),
    ).rejects.toMatchObject({ name: "InvalidLayerException" });
  });

  test("the same image twice, a manifest without its layers and a bad tag are refused", async () => {
    const repositoryName = "bad-images";
    await createRepository(ecr, repositoryName);
    await putImage(repositoryName, "v1");
    const { images } = await ecr.send(new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: "v1" }] }));
    const imageManifest = images![0]!.imageManifest!;
    await expect(ecr.send(new PutImageCommand({ repositoryName, imageManifest, imageTag: "v1" }))).rejects.toMatchObject({
      name: "ImageAlreadyExistsException",
    });
    await createRepository(ecr, "bad-images-2");
    await expect(ecr.send(new PutImageCommand({ repositoryName: "bad-images-2", imageManifest, imageTag: "v1" }))).rejects.toMatchObject({
      name: "LayersNotFoundException",
    });
    await expect(ecr.send(new PutImageCommand({ repositoryName, imageManifest, imageTag: "-v" }))).rejects.toMatchObject({
      name: "InvalidTagParameterException",
    });
    await expect(
      ecr.send(new PutImageCommand({ repositoryName, imageManifest, imageTag: "v2", imageDigest: digestOf("other") })),
    ).rejects.toMatchObject({ name: "ImageDigestDoesNotMatchException" });
  });

  test("are listed in pages, by tag or without", async () => {
    const repositoryName = "many";
    await createRepository(ecr, repositoryName);
    for (const n of [1, 2, 3]) await putImage(repositoryName, `v${n}`);
    const tags: (string | undefined)[] = [];
    for await (const page of paginateListImages({ client: ecr, pageSize: 2 }, { repositoryName }))
      tags.push(...page.imageIds!.map(({ imageTag }) => imageTag));
    expect(tags.toSorted()).toEqual(["v1", "v2", "v3"]);
    await putImage(repositoryName, "v1", "moved");
    expect((await ecr.send(new ListImagesCommand({ repositoryName, filter: { tagStatus: "UNTAGGED" } }))).imageIds).toHaveLength(1);
    await expect(ecr.send(new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: "nope" }] }))).rejects.toMatchObject({
      name: "ImageNotFoundException",
    });
  });

  test("go by tag and by digest, and what cannot go says why", async () => {
    const repositoryName = "deleting";
    await createRepository(ecr, repositoryName);
    const digest = await putImage(repositoryName, "one");
    const { images } = await ecr.send(new BatchGetImageCommand({ repositoryName, imageIds: [{ imageDigest: digest }] }));
    await ecr.send(new PutImageCommand({ repositoryName, imageManifest: images![0]!.imageManifest!, imageTag: "two" }));
    await ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageTag: "one" }] }));
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [{ mediaType: OCI, digest, size: images![0]!.imageManifest!.length }],
    });
    const { image } = await ecr.send(new PutImageCommand({ repositoryName, imageManifest: index, imageTag: "all" }));
    const { failures, imageIds } = await ecr.send(
      new BatchDeleteImageCommand({
        repositoryName,
        imageIds: [{ imageDigest: digest }, { imageTag: "gone" }, {}, { imageTag: "two", imageDigest: image!.imageId!.imageDigest! }],
      }),
    );
    expect(failures?.map(({ failureCode }) => failureCode)).toEqual([
      "ImageReferencedByManifestList",
      "ImageNotFound",
      "MissingDigestAndTag",
      "ImageTagDoesNotMatchDigest",
    ]);
    expect(imageIds).toEqual([]);
    const malformed = [{ imageDigest: "sha256:nonsense" }, { imageTag: "no/tag" }];
    for (const answer of [
      await ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds: malformed })),
      await ecr.send(new BatchGetImageCommand({ repositoryName, imageIds: malformed })),
    ])
      expect(answer.failures?.map(({ failureCode }) => failureCode)).toEqual(["InvalidImageDigest", "InvalidImageTag"]);
    const done = await ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageTag: "all" }, { imageDigest: digest }] }));
    expect(done.failures).toEqual([]);
    expect((await ecr.send(new ListImagesCommand({ repositoryName }))).imageIds).toEqual([]);
    const tagged = await putImage(repositoryName, "b");
    const again = await ecr.send(new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: "b" }] }));
    await ecr.send(new PutImageCommand({ repositoryName, imageManifest: again.images![0]!.imageManifest!, imageTag: "a" }));
    const gone = await ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageDigest: tagged }] }));
    expect(gone.imageIds).toEqual(["a", "b"].map((imageTag) => ({ imageDigest: tagged, imageTag })));
  });

  test("an immutable tag stays, its exclusions move", async () => {
    const repositoryName = "fixed";
    await createRepository(ecr, repositoryName, { imageTagMutability: "IMMUTABLE" });
    await putImage(repositoryName, "v1");
    await expect(putImage(repositoryName, "v1", "other")).rejects.toMatchObject({ name: "ImageTagAlreadyExistsException" });
    await ecr.send(
      new PutImageTagMutabilityCommand({
        repositoryName,
        imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters: [{ filterType: "WILDCARD", filter: "dev-*" }],
      }),
    );
    await putImage(repositoryName, "dev-1");
    await putImage(repositoryName, "dev-1", "other");
    await expect(putImage(repositoryName, "v1", "third")).rejects.toMatchObject({ name: "ImageTagAlreadyExistsException" });
    await ecr.send(new PutImageTagMutabilityCommand({ repositoryName, imageTagMutability: "MUTABLE" }));
    await putImage(repositoryName, "v1", "fourth");
  });
});
