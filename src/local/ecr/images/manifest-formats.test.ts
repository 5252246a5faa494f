import { BatchGetImageCommand, DescribeImagesCommand, ListImagesCommand } from "@aws-sdk/client-ecr";
import { describe, expect, test } from "vitest";
import { conformanceRegistry, digestBy, ONE } from "../testing/conformance.ts";
import { Assembly, type Descriptor, TYPES } from "../testing/walk/data-sets.ts";

const registry = conformanceRegistry();

/** Pushes all of a data set; gives the last manifest. */
async function pushed(set: Assembly, tag: string): Promise<{ readonly text: string; readonly digest: string }> {
  for (const [digest, bytes] of set.blobs)
    expect((await registry.user.http("POST", `${ONE}/blobs/uploads/?digest=${digest}`, { body: bytes })).status).toBe(201);
  for (const { bytes, descriptor } of set.manifests)
    expect(
      (
        await registry.user.http("PUT", `${ONE}/manifests/${descriptor.digest}`, {
          body: bytes,
          headers: { "content-type": descriptor.mediaType },
        })
      ).status,
    ).toBe(201);
  const { bytes, descriptor } = set.manifests.at(-1)!;
  await registry.user.http("PUT", `${ONE}/manifests/${tag}`, { body: bytes, headers: { "content-type": descriptor.mediaType } });
  return { text: bytes.toString(), digest: descriptor.digest };
}

const read = async (reference: string, accept: string, method = "GET") => {
  const answer = await registry.user.http(method, `${ONE}/manifests/${reference}`, { headers: { accept } });
  expect(answer.status).toBe(200);
  const text = await answer.text();
  return {
    text,
    mediaType: answer.headers.get("content-type"),
    digest: answer.headers.get("docker-content-digest"),
    length: answer.headers.get("content-length"),
  };
};

const ociImage = (seed: string) => {
  const set = new Assembly(seed);
  set.image({ layers: [set.layer(), set.layer(TYPES.plainLayer)], annotations: { only: "in OCI" } });
  return set;
};
const dockerImage = (seed: string) => {
  const set = new Assembly(seed);
  set.image({
    mediaType: TYPES.dockerImage,
    config: { mediaType: TYPES.dockerConfig, text: "{}" },
    layers: [set.layer(TYPES.dockerLayer)],
  });
  return set;
};

describe("an image that is pulled by tag", () => {
  test.each([
    [
      "oci",
      ociImage,
      TYPES.image,
      TYPES.dockerImage,
      [TYPES.dockerConfig, TYPES.dockerLayer, "application/vnd.docker.image.rootfs.diff.tar"],
    ],
    ["docker", dockerImage, TYPES.dockerImage, TYPES.image, [TYPES.config, TYPES.layer]],
  ] as const)(
    "from %s comes in the other form to who understands that alone, with the same blobs",
    async (tag, image, own, other, types) => {
      const { text, digest } = await pushed(image(`by tag ${tag}`), tag);
      for (const accept of [own, `${other}, ${own}`, "*/*", "application/*;q=0.5", `${other};q=0.8,${own};q=0.2`, "text/html"])
        expect(await read(tag, accept)).toMatchObject({ text, mediaType: own, digest });
      const translated = await read(tag, other);
      expect(translated).toMatchObject({
        mediaType: other,
        digest: digestBy("sha256", translated.text),
        length: String(translated.text.length),
      });
      expect(await read(tag, `${other}, ${own};q=0`, "HEAD")).toEqual({ ...translated, text: "" });
      const manifest = JSON.parse(translated.text) as { mediaType: string; config: Descriptor; layers: Descriptor[] };
      const before = JSON.parse(text) as typeof manifest;
      const parts = [manifest.config, ...manifest.layers];
      expect([manifest.mediaType, ...parts.map((part) => part.mediaType)]).toEqual([other, ...types]);
      expect(parts.map((part) => part.digest)).toEqual([before.config, ...before.layers].map((part) => part.digest));
      // By digest there is no other form: it would not be what the digest names.
      expect(await read(digest, other)).toMatchObject({ text, mediaType: own, digest });
    },
  );

  test("stays as it is where it has no other form", async () => {
    const artifact = new Assembly("an artifact by tag");
    artifact.artifact();
    const index = ociImage("an index by tag");
    index.index([index.manifests[0]!.descriptor]);
    for (const [tag, set] of [
      ["artifact", artifact],
      ["index", index],
    ] as const) {
      const { text } = await pushed(set, tag);
      expect((await read(tag, `${TYPES.dockerImage}, ${TYPES.dockerList}`)).text).toBe(text);
    }
  });

  test("comes from BatchGetImage in a form of acceptedMediaTypes, by digest as it is", async () => {
    const { text, digest } = await pushed(ociImage("by the API"), "api");
    const get = async (imageId: { readonly imageTag?: string; readonly imageDigest?: string }, ...acceptedMediaTypes: readonly string[]) =>
      (
        await registry.user.ecr.send(
          new BatchGetImageCommand({
            repositoryName: ONE,
            imageIds: [imageId],
            ...(acceptedMediaTypes.length > 0 && { acceptedMediaTypes: [...acceptedMediaTypes] }),
          }),
        )
      ).images![0]!;
    expect(await get({ imageTag: "api" })).toMatchObject({ imageManifest: text, imageManifestMediaType: TYPES.image });
    expect(await get({ imageTag: "api" }, TYPES.image, TYPES.dockerImage)).toMatchObject({ imageManifest: text });
    expect(await get({ imageDigest: digest }, TYPES.dockerImage)).toMatchObject({ imageManifest: text });
    const translated = await get({ imageTag: "api" }, TYPES.dockerImage);
    expect([translated.imageId, translated.imageManifestMediaType]).toEqual([{ imageTag: "api", imageDigest: digest }, TYPES.dockerImage]);
    expect(translated.imageManifest).toBe((await read("api", TYPES.dockerImage)).text);
  });
});

test("images tell their sizes: a list that of its largest image; what they refer to; that they are active", async () => {
  const set = new Assembly("sizes");
  const small = set.image({ layers: [set.layer()] });
  const large = set.image({ layers: [set.layer(), set.layer(), set.layer()] });
  const index = set.index([small, large]);
  const signature = set.artifact({ subject: index });
  await pushed(set, "signature");
  const describeOne = async ({ digest }: Descriptor) =>
    (await registry.user.ecr.send(new DescribeImagesCommand({ repositoryName: ONE, imageIds: [{ imageDigest: digest }] })))
      .imageDetails![0]!;
  const [smallBytes, largeBytes, indexBytes] = await Promise.all(
    [small, large, index].map(async (one) => (await describeOne(one)).imageSizeInBytes!),
  );
  expect([largeBytes! > smallBytes!, indexBytes]).toEqual([true, largeBytes]);
  expect(await describeOne(signature)).toMatchObject({
    subjectManifestDigest: index.digest,
    imageStatus: "ACTIVE",
    artifactMediaType: expect.any(String),
  });
  for (const [imageStatus, count] of [
    ["ACTIVE", 1],
    ["ANY", 1],
    ["ARCHIVED", 0],
    ["ACTIVATING", 0],
  ] as const) {
    expect(
      (await registry.user.ecr.send(new ListImagesCommand({ repositoryName: ONE, maxResults: 1, filter: { imageStatus } }))).imageIds,
    ).toHaveLength(count);
    expect(
      (await registry.user.ecr.send(new DescribeImagesCommand({ repositoryName: ONE, maxResults: 1, filter: { imageStatus } })))
        .imageDetails,
    ).toHaveLength(count);
  }
});
