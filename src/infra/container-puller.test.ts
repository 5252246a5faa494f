import { DescribeImagesCommand, ListTagsForResourceCommand } from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseImageRef } from "../kit/image-ref.ts";
import { CICD, REGION } from "../local/testing/accounts.ts";
import { digestOf } from "../oci/digest.ts";
import { noise, pushIndex, pushSample } from "../oci/testing/sample-images.ts";
import { HOME, PATIENCE_MS } from "./testing/containers.ts";
import { MIB, openPullerLab, type PullerLab } from "./testing/puller-lab.ts";

// What omx-container-puller brings, and what it leaves where it is

let lab: PullerLab;
beforeAll(async () => {
  lab = await openPullerLab();
}, PATIENCE_MS);
afterAll(() => lab?.[Symbol.asyncDispose](), PATIENCE_MS);

test(
  "E1, E2, E3, E4, E5, E6, E7: an image is brought however a workflow writes its name, each to one place",
  async () => {
    const layer = noise("spelled", 4000);
    const { digest } = await lab.sample("library/spelled", "latest", layer);
    for (const tag of ["1", "2", "3"]) await lab.sample("lab/spelled", tag, layer);
    const places = Object.entries({
      spelled: "dockerhub/library/spelled:latest",
      "docker.io/library/spelled:latest": "dockerhub/library/spelled:latest",
      "index.docker.io/spelled": "dockerhub/library/spelled:latest",
      "lab/spelled:1": "dockerhub/lab/spelled:1",
      [`${lab.upstream.host}/lab/spelled:1`]: `${lab.upstream.host.replace(":", "_")}/lab/spelled:1`,
      "docker://quay.io/lab/spelled:2": "quay/lab/spelled:2",
      [`quay.io/lab/spelled:3@${digest}`]: `quay/lab/spelled:3@${digest}`,
      [`docker.io/lab/spelled@${digest}`]: `dockerhub/lab/spelled@${digest}`,
    });
    const { images, status } = await lab.stage.run(
      "puller",
      places.map(([source]) => source),
    );
    expect(images.map((image) => [image.source_uri, image.target_image, image.digest])).toEqual(
      places.map(([source, place]) => [source, `${HOME}/${place}`, digest]),
    );
    expect(status).toBe("SUCCEEDED");
  },
  PATIENCE_MS,
);

test(
  "E20, E28: brings images in with all that is known of each; again, nothing moves, and each keeps its own tag",
  async () => {
    const [shared, own] = [noise("shared", 9000), noise("own", 5000)];
    const { digest } = await lab.sample("lab/tool", "1", shared);
    await lab.sample("lab/tool", "2", shared, own);
    await lab.sample("lab/other", "1", own);
    // Two tags of one image: which of them is the first in ECR's list says nothing.
    for (const tag of ["same-image", "a-third-tag"]) await lab.sample("lab/tool", tag, shared);
    const manifest = [
      "quay.io/lab/tool:1",
      "quay.io/lab/tool:2",
      "docker://quay.io/lab/other:1",
      "quay.io/lab/tool:same-image",
      "quay.io/lab/tool:a-third-tag",
    ];
    const first = await lab.stage.run("puller", manifest);
    expect(first).toMatchObject({ status: "SUCCEEDED" });
    // Two of the images make the same repository at once.
    expect(first.images.map(({ source_uri, target_image, status }) => [source_uri, target_image, status])).toEqual(
      manifest.map((source) => [source, `${HOME}/${source.replace("docker://", "").replace("quay.io", "quay")}`, "SUCCEEDED"]),
    );
    for (const image of first.images) {
      expect(image).toMatchObject({
        digest: expect.stringMatching(/^sha256:/),
        reason: "the target did not have it",
        size: expect.any(Number),
        seconds: expect.any(Number),
      });
      expect(image.size!).toBeGreaterThan(5000);
      expect(image.bytes_moved! + image.bytes_saved!).toBeGreaterThan(5000);
    }
    expect(first.images[0]!.digest).toBe(digest);
    // What a script written for the ECR helper reads: `.[].image.source_uri`, `.[].status`, `.[].statusMessage`.
    expect(JSON.parse(first.output)).toEqual(
      first.images.map(({ source_uri, target_image }) =>
        expect.objectContaining({
          image: { source_uri, target_image },
          status: "SUCCEEDED",
          statusMessage: "the target did not have it",
          digest: expect.any(String),
        }),
      ),
    );

    const again = await lab.stage.run("puller", manifest);
    expect(again.images.map(({ target_image, digest: is }) => [target_image, is])).toEqual(
      first.images.map(({ target_image, digest: was }) => [target_image, was]),
    );
    expect(again.images.map(({ status, bytes_moved, reason }) => [status, bytes_moved, reason])).toEqual(
      manifest.map(() => ["SKIPPED", 0, "the target has the same digest"]),
    );
    expect(again.images.map(({ bytes_saved, size }) => [bytes_saved, size])).toEqual(first.images.map(({ size }) => [size, size]));

    const { tags = [] } = await lab.stage.ecr.send(
      new ListTagsForResourceCommand({ resourceArn: `arn:aws:ecr:${REGION}:${CICD}:repository/quay/lab/tool` }),
    );
    expect(tags).toEqual(
      expect.arrayContaining([
        { Key: "createdBy", Value: "omx-ecr-helper" },
        { Key: "omx:source", Value: "quay.io/lab/tool" },
      ]),
    );
    expect((await lab.stage.policyOf("quay/lab/tool"))?.Statement).toEqual([
      expect.objectContaining({
        Sid: "OmxHealthOmics",
        Condition: { StringEquals: { "aws:SourceAccount": CICD }, ArnLike: { "aws:SourceArn": `arn:aws:omics:${REGION}:${CICD}:*` } },
      }),
    ]);
  },
  PATIENCE_MS,
);

test(
  "E21: an image for several platforms arrives with all of them, byte for byte",
  async () => {
    const children = [];
    for (const architecture of ["amd64", "arm64"])
      children.push(
        await pushSample(lab.at("lab/platforms"), "", { layers: [noise(architecture, 4000)], platform: { os: "linux", architecture } }),
      );
    const { digest } = await pushIndex(lab.at("lab/platforms"), "1", children);
    expect((await lab.stage.run("puller", ["quay.io/lab/platforms:1"])).images).toEqual([
      expect.objectContaining({ status: "SUCCEEDED", digest }),
    ]);
    const { imageDetails = [] } = await lab.stage.ecr.send(new DescribeImagesCommand({ repositoryName: "quay/lab/platforms" }));
    expect(imageDetails.map(({ imageDigest }) => imageDigest).sort()).toEqual([digest, ...children.map((child) => child.digest)].sort());
  },
  PATIENCE_MS,
);

test(
  "E22: a small image starts no build, and of a repository's next image only what is new moves",
  async () => {
    const [base, ...tools] = [noise("common base", 200_000), noise("tool one", 4000), noise("tool two", 4000)];
    const brought = [];
    for (const [index, tool] of tools.entries()) {
      await lab.sample("lab/layered", `${index}`, base, tool);
      brought.push(...(await lab.stage.run("puller", [`quay.io/lab/layered:${index}`])).images);
    }
    expect(brought.map(({ status, build }) => [status, build])).toEqual([
      ["SUCCEEDED", undefined],
      ["SUCCEEDED", undefined],
    ]);
    expect(brought[0]!.bytes_moved!).toBeGreaterThan(base.length);
    expect([brought[1]!.bytes_moved! < base.length, brought[1]!.bytes_saved]).toEqual([true, base.length]);
  },
  PATIENCE_MS,
);

test(
  "E22: a layer that images of different repositories share comes from upstream once",
  async () => {
    const common = noise("common", 300_000);
    for (const name of ["one", "two", "three"]) await lab.sample(`lab/sharing-${name}`, "1", common, noise(`only ${name}`, 4000));
    const asked: string[] = [];
    lab.fail(({ method, path }) => {
      if (method === "GET" && path.endsWith(digestOf(common))) asked.push(path);
      return undefined;
    });
    const { images } = await lab.stage.run(
      "puller",
      ["one", "two", "three"].map((name) => `quay.io/lab/sharing-${name}:1`),
    );
    expect(images.map(({ status }) => status)).toEqual(["SUCCEEDED", "SUCCEEDED", "SUCCEEDED"]);
    expect(asked).toHaveLength(1);
    for (const { target_image, digest } of images) {
      const { repository } = parseImageRef(target_image);
      expect(
        (await lab.stage.ecr.send(new DescribeImagesCommand({ repositoryName: repository, imageIds: [{ imageDigest: digest }] })))
          .imageDetails?.[0]?.imageSizeInBytes,
      ).toBeGreaterThan(300_000);
    }
  },
  PATIENCE_MS,
);

test(
  "brings signatures and SBOMs where they are asked for, also of an image that is there",
  async () => {
    const { digest } = await lab.sample("lab/signed", "1", noise("signed", 4000));
    const signature = await lab.sample("lab/signed", `${digest.replace(":", "-")}.sig`, noise("signature", 100));
    const there = async () =>
      (await lab.stage.ecr.send(new DescribeImagesCommand({ repositoryName: "quay/lab/signed" })))
        .imageDetails!.map(({ imageDigest }) => imageDigest)
        .sort();
    expect(await lab.stage.run("puller", ["quay.io/lab/signed:1"])).toMatchObject({ status: "SUCCEEDED" });
    expect(await there()).toEqual([digest]);
    expect(await lab.stage.run("puller", ["quay.io/lab/signed:1"], { referrers: true })).toMatchObject({
      status: "SUCCEEDED",
      images: [{ status: "SKIPPED", digest }],
    });
    expect(await there()).toEqual([digest, signature.digest].sort());
  },
  PATIENCE_MS,
);

test(
  "E19: a tag that moved upstream is brought again, and told",
  async () => {
    const { digest: before } = await lab.sample("lab/moving", "latest", noise("before", 4000));
    await lab.stage.run("puller", ["quay.io/lab/moving:latest"]);
    const { digest } = await lab.sample("lab/moving", "latest", noise("after", 4000));
    expect((await lab.stage.run("puller", ["quay.io/lab/moving:latest"])).images).toEqual([
      expect.objectContaining({ status: "SUCCEEDED", digest, reason: `the tag moved from ${before}` }),
    ]);
  },
  PATIENCE_MS,
);

test(
  "E18: an image too large for a function is copied by a build",
  async () => {
    const { digest } = await lab.sample("lab/large", "1", noise("large", 2 * MIB), noise("small", 3000));
    const { images, status } = await lab.stage.run("puller", ["quay.io/lab/large:1"]);
    expect([status, images]).toEqual([
      "SUCCEEDED",
      [
        expect.objectContaining({
          status: "SUCCEEDED",
          digest,
          build: expect.stringMatching(/^omx-image-pull:/),
          reason: "the target did not have it",
          bytes_moved: expect.any(Number),
        }),
      ],
    ]);
    expect(images[0]!.bytes_moved!).toBeGreaterThan(2 * MIB);
    expect(images[0]!.size!).toBeGreaterThan(2 * MIB);
  },
  PATIENCE_MS,
);
