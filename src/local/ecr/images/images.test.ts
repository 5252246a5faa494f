import {
  BatchCheckLayerAvailabilityCommand,
  BatchDeleteImageCommand,
  BatchGetImageCommand,
  CompleteLayerUploadCommand,
  DescribeImagesCommand,
  type ECRClient,
  GetDownloadUrlForLayerCommand,
  InitiateLayerUploadCommand,
  ListImagesCommand,
  paginateListImages,
  PutImageCommand,
  PutImageTagMutabilityCommand,
  UploadLayerPartCommand,
} from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { digestOf } from "../../../oci/digest.ts";
import { noise } from "../../../oci/testing/sample-images.ts";
import { CICD, startAccounts, type TestAccounts } from "../../testing/accounts.ts";
import { OCI_MANIFEST, putImage, uploadLayer } from "../testing/api-images.ts";
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

describe("images", () => {
  test("layers arrive in parts, the image is described, and a link reads the layer", async () => {
    const repositoryName = "by-parts";
    await createRepository(ecr, repositoryName);
    const bytes = noise("parts", 11 * 1024 * 1024);
    const digest = await uploadLayer(ecr, repositoryName, bytes, 5 * 1024 * 1024);
    const availability = await ecr.send(
      new BatchCheckLayerAvailabilityCommand({ repositoryName, layerDigests: [digest, digestOf("other")] }),
    );
    expect(availability.layers?.map(({ layerAvailability }) => layerAvailability)).toEqual(["AVAILABLE", "UNAVAILABLE"]);
    const { downloadUrl } = await ecr.send(new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest: digest }));
    expect(digestOf(new Uint8Array(await (await fetch(downloadUrl!)).arrayBuffer()))).toBe(digest);
    expect((await fetch(`${downloadUrl}x`)).status).toBe(403);
    await expect(uploadLayer(ecr, repositoryName, bytes)).rejects.toMatchObject({ name: "LayerAlreadyExistsException" });
    const imageDigest = await putImage(ecr, repositoryName, "v1");
    const { imageDetails } = await ecr.send(new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: "v1" }] }));
    expect(imageDetails).toMatchObject([{ imageDigest, imageTags: ["v1"], imageManifestMediaType: OCI_MANIFEST }]);
  });

  test("only the last part of a layer may be small", async () => {
    const repositoryName = "small-parts";
    await createRepository(ecr, repositoryName);
    await expect(uploadLayer(ecr, repositoryName, noise("small parts", 2500), 1000)).rejects.toMatchObject({
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
    await putImage(ecr, repositoryName, "v1");
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
    for (const n of [1, 2, 3]) await putImage(ecr, repositoryName, `v${n}`);
    const tags: (string | undefined)[] = [];
    for await (const page of paginateListImages({ client: ecr, pageSize: 2 }, { repositoryName }))
      tags.push(...page.imageIds!.map(({ imageTag }) => imageTag));
    expect(tags.toSorted()).toEqual(["v1", "v2", "v3"]);
    await putImage(ecr, repositoryName, "v1", "moved");
    expect((await ecr.send(new ListImagesCommand({ repositoryName, filter: { tagStatus: "UNTAGGED" } }))).imageIds).toHaveLength(1);
    await expect(ecr.send(new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: "nope" }] }))).rejects.toMatchObject({
      name: "ImageNotFoundException",
    });
  });

  test("go by tag and by digest, and what cannot go says why", async () => {
    const repositoryName = "deleting";
    await createRepository(ecr, repositoryName);
    const digest = await putImage(ecr, repositoryName, "one");
    const { images } = await ecr.send(new BatchGetImageCommand({ repositoryName, imageIds: [{ imageDigest: digest }] }));
    await ecr.send(new PutImageCommand({ repositoryName, imageManifest: images![0]!.imageManifest!, imageTag: "two" }));
    await ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageTag: "one" }] }));
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [{ mediaType: OCI_MANIFEST, digest, size: images![0]!.imageManifest!.length }],
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
    const tagged = await putImage(ecr, repositoryName, "b");
    const again = await ecr.send(new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: "b" }] }));
    await ecr.send(new PutImageCommand({ repositoryName, imageManifest: again.images![0]!.imageManifest!, imageTag: "a" }));
    const gone = await ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageDigest: tagged }] }));
    expect(gone.imageIds).toEqual(["a", "b"].map((imageTag) => ({ imageDigest: tagged, imageTag })));
  });

  test("an immutable tag stays, its exclusions move", async () => {
    const repositoryName = "fixed";
    await createRepository(ecr, repositoryName, { imageTagMutability: "IMMUTABLE" });
    await putImage(ecr, repositoryName, "v1");
    await expect(putImage(ecr, repositoryName, "v1", "other")).rejects.toMatchObject({ name: "ImageTagAlreadyExistsException" });
    await ecr.send(
      new PutImageTagMutabilityCommand({
        repositoryName,
        imageTagMutability: "IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters: [{ filterType: "WILDCARD", filter: "dev-*" }],
      }),
    );
    await putImage(ecr, repositoryName, "dev-1");
    await putImage(ecr, repositoryName, "dev-1", "other");
    await expect(putImage(ecr, repositoryName, "v1", "third")).rejects.toMatchObject({ name: "ImageTagAlreadyExistsException" });
    await ecr.send(new PutImageTagMutabilityCommand({ repositoryName, imageTagMutability: "MUTABLE" }));
    await putImage(ecr, repositoryName, "v1", "fourth");
  });
});
