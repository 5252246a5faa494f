import { CloudWatchLogsClient, DescribeLogStreamsCommand, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  CreateRepositoryCommand,
  DeleteRepositoryPolicyCommand,
  DescribeImagesCommand,
  ListTagsForResourceCommand,
  SetRepositoryPolicyCommand,
} from "@aws-sdk/client-ecr";
import { SFNClient } from "@aws-sdk/client-sfn";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { AwsClients } from "../aws/clients.ts";
import { systemClock } from "../kit/clock.ts";
import { parseImageRef } from "../kit/image-ref.ts";
import { CICD, PRODUCTION, REGION } from "../local/testing/accounts.ts";
import { registryClient, type RegistryClient, type Repository } from "../oci/client/registry-client.ts";
import { digestOf } from "../oci/digest.ts";
import { type DockerRegistry, startDockerRegistry } from "../oci/testing/docker-registry.ts";
import { type Fault, type FaultProxy, faultProxy, type SeenRequest } from "../oci/testing/fault-proxy.ts";
import { noise, pushIndex, pushSample } from "../oci/testing/sample-images.ts";
import { stageImages } from "../release/images/staging.ts";
import { type ContainerAccounts, HOME, PATIENCE_MS, startContainers } from "./testing/containers.ts";

const MIB = 1024 * 1024;

let stage: ContainerAccounts;
let upstream: DockerRegistry;
let proxy: FaultProxy;
let clients: RegistryClient;
let decide: (seen: SeenRequest, before: number) => Fault | undefined = () => undefined;

/** What quay.io has, in this test. */
const quay = (repository: string): Repository => clients.repository({ registry: upstream.host, repository });
const sample = (repository: string, tag: string, ...layers: readonly Buffer[]) => pushSample(quay(repository), tag, { layers });

beforeAll(async () => {
  upstream = await startDockerRegistry();
  proxy = await faultProxy(upstream.url, (seen, before) => decide(seen, before));
  clients = registryClient();
  stage = await startContainers(
    { functionLimitGiB: 1 / 1024 },
    { "quay.io": proxy.url, "docker.io": upstream.url, "us.gcr.io": upstream.url, "eu.gcr.io": upstream.url },
  );
}, PATIENCE_MS);
afterAll(async () => {
  await clients?.close();
  await stage?.[Symbol.asyncDispose]();
  await proxy?.[Symbol.asyncDispose]();
  await upstream?.[Symbol.asyncDispose]();
}, PATIENCE_MS);

describe("the puller", () => {
  test(
    "E1, E2, E3, E4, E5, E6, E7: an image is brought however a workflow writes its name, each to one place",
    async () => {
      const layer = noise("spelled", 4000);
      const { digest } = await sample("library/spelled", "latest", layer);
      for (const tag of ["1", "2", "3"]) await sample("lab/spelled", tag, layer);
      const places = Object.entries({
        spelled: "dockerhub/library/spelled:latest",
        "docker.io/library/spelled:latest": "dockerhub/library/spelled:latest",
        "index.docker.io/spelled": "dockerhub/library/spelled:latest",
        "lab/spelled:1": "dockerhub/lab/spelled:1",
        [`${upstream.host}/lab/spelled:1`]: `${upstream.host.replace(":", "_")}/lab/spelled:1`,
        "docker://quay.io/lab/spelled:2": "quay/lab/spelled:2",
        [`quay.io/lab/spelled:3@${digest}`]: `quay/lab/spelled:3@${digest}`,
        [`docker.io/lab/spelled@${digest}`]: `dockerhub/lab/spelled@${digest}`,
      });
      const { images, status } = await stage.run(
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
      const { digest } = await sample("lab/tool", "1", shared);
      await sample("lab/tool", "2", shared, own);
      await sample("lab/other", "1", own);
      // Two tags of one image: which of them is the first in ECR's list says nothing.
      for (const tag of ["same-image", "a-third-tag"]) await sample("lab/tool", tag, shared);
      const manifest = [
        "quay.io/lab/tool:1",
        "quay.io/lab/tool:2",
        "docker://quay.io/lab/other:1",
        "quay.io/lab/tool:same-image",
        "quay.io/lab/tool:a-third-tag",
      ];
      const first = await stage.run("puller", manifest);
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

      const again = await stage.run("puller", manifest);
      expect(again.images.map(({ target_image, digest: is }) => [target_image, is])).toEqual(
        first.images.map(({ target_image, digest: was }) => [target_image, was]),
      );
      expect(again.images.map(({ status, bytes_moved, reason }) => [status, bytes_moved, reason])).toEqual(
        manifest.map(() => ["SKIPPED", 0, "the target has the same digest"]),
      );
      expect(again.images.map(({ bytes_saved, size }) => [bytes_saved, size])).toEqual(first.images.map(({ size }) => [size, size]));

      const { tags = [] } = await stage.ecr.send(
        new ListTagsForResourceCommand({ resourceArn: `arn:aws:ecr:${REGION}:${CICD}:repository/quay/lab/tool` }),
      );
      expect(tags).toEqual(
        expect.arrayContaining([
          { Key: "createdBy", Value: "omx-ecr-helper" },
          { Key: "omx:source", Value: "quay.io/lab/tool" },
        ]),
      );
      expect((await stage.policyOf("quay/lab/tool"))?.Statement).toEqual([
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
          await pushSample(quay("lab/platforms"), "", { layers: [noise(architecture, 4000)], platform: { os: "linux", architecture } }),
        );
      const { digest } = await pushIndex(quay("lab/platforms"), "1", children);
      expect((await stage.run("puller", ["quay.io/lab/platforms:1"])).images).toEqual([
        expect.objectContaining({ status: "SUCCEEDED", digest }),
      ]);
      const { imageDetails = [] } = await stage.ecr.send(new DescribeImagesCommand({ repositoryName: "quay/lab/platforms" }));
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
        await sample("lab/layered", `${index}`, base, tool);
        brought.push(...(await stage.run("puller", [`quay.io/lab/layered:${index}`])).images);
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
      for (const name of ["one", "two", "three"]) await sample(`lab/sharing-${name}`, "1", common, noise(`only ${name}`, 4000));
      const asked: string[] = [];
      decide = ({ method, path }) => void (method === "GET" && path.endsWith(digestOf(common)) && asked.push(path));
      const { images } = await stage.run(
        "puller",
        ["one", "two", "three"].map((name) => `quay.io/lab/sharing-${name}:1`),
      );
      expect(images.map(({ status }) => status)).toEqual(["SUCCEEDED", "SUCCEEDED", "SUCCEEDED"]);
      expect(asked).toHaveLength(1);
      for (const { target_image, digest } of images) {
        const { repository } = parseImageRef(target_image);
        expect(
          (await stage.ecr.send(new DescribeImagesCommand({ repositoryName: repository, imageIds: [{ imageDigest: digest }] })))
            .imageDetails?.[0]?.imageSizeInBytes,
        ).toBeGreaterThan(300_000);
      }
    },
    PATIENCE_MS,
  );

  test(
    "brings signatures and SBOMs where they are asked for, also of an image that is there",
    async () => {
      const { digest } = await sample("lab/signed", "1", noise("signed", 4000));
      const signature = await sample("lab/signed", `${digest.replace(":", "-")}.sig`, noise("signature", 100));
      const there = async () =>
        (await stage.ecr.send(new DescribeImagesCommand({ repositoryName: "quay/lab/signed" })))
          .imageDetails!.map(({ imageDigest }) => imageDigest)
          .sort();
      expect(await stage.run("puller", ["quay.io/lab/signed:1"])).toMatchObject({ status: "SUCCEEDED" });
      expect(await there()).toEqual([digest]);
      expect(await stage.run("puller", ["quay.io/lab/signed:1"], { referrers: true })).toMatchObject({
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
      const { digest: before } = await sample("lab/moving", "latest", noise("before", 4000));
      await stage.run("puller", ["quay.io/lab/moving:latest"]);
      const { digest } = await sample("lab/moving", "latest", noise("after", 4000));
      expect((await stage.run("puller", ["quay.io/lab/moving:latest"])).images).toEqual([
        expect.objectContaining({ status: "SUCCEEDED", digest, reason: `the tag moved from ${before}` }),
      ]);
    },
    PATIENCE_MS,
  );

  test(
    "E10, E13: a tag is not moved from one source to another",
    async () => {
      await pushSample(clients.repository({ registry: upstream.host, repository: "two/tool" }), "1", { layers: [noise("us", 4000)] });
      const run1 = await stage.run("puller", ["us.gcr.io/two/tool:1"]);
      expect(run1.images[0]).toMatchObject({ status: "SUCCEEDED" });
      await pushSample(clients.repository({ registry: upstream.host, repository: "two/tool" }), "1", { layers: [noise("eu", 4000)] });
      const { images } = await stage.run("puller", ["eu.gcr.io/two/tool:1"]);
      expect(images[0]).toMatchObject({
        status: "FAILED",
        reason: expect.stringMatching(/of us\.gcr\.io\/two\/tool, and this one is of eu\.gcr\.io\/two\/tool; give eu\.gcr\.io a namespace/),
      });
    },
    PATIENCE_MS,
  );

  test(
    "E13b, E15: one image that fails fails the execution, after the others are there, with every result kept",
    async () => {
      await sample("lab/good", "1", noise("good", 4000));
      const manifest = [
        "quay.io/lab/good:1",
        "quay.io/lab/absent:1",
        "Not An Image",
        "us.gcr.io/p/x:1",
        "eu.gcr.io/p/x:1",
        "quay.io/lab/Good:1",
        " quay.io/lab/good:1",
      ];
      const ended = await stage.run("puller", manifest);
      expect(ended).toMatchObject({ status: "FAILED", error: "ImagesFailed" });
      expect(ended.images.map(({ source_uri }) => source_uri)).toEqual(manifest);
      expect(ended.images.map(({ status }) => status)).toEqual(["SUCCEEDED", ...Array.from({ length: 6 }, () => "FAILED")]);
      const reasons = ended.images.map(({ reason }) => reason);
      expect(reasons[1]).toContain("quay.io does not have it");
      expect(reasons[2]).toContain("blank at position 4");
      expect(reasons[3]).toContain("would both become gcr/p/x:1");
      expect(reasons.slice(5)).toEqual([
        expect.stringContaining("write quay.io/lab/good:1"),
        expect.stringContaining("blank at position 1"),
      ]);

      const staging = stageImages(
        {
          clients: { states: new SFNClient(stage.accounts.config()) } as AwsClients,
          place: { account: CICD, region: REGION },
          clock: systemClock,
          emit: () => undefined,
          identity: "test",
        },
        { pulls: manifest, builds: [] },
      );
      await expect(staging).rejects.toThrow(/6 of 7 images could not be brought into ECR[^]*quay\.io\/lab\/absent:1: .*does not have it/);
    },
    PATIENCE_MS,
  );

  test(
    "an input that is none is told in a sentence; an item that is none fails alone",
    async () => {
      await sample("lab/sane", "1", noise("sane", 4000));
      const { status, images } = await stage.run("puller", ["quay.io/lab/sane:1", 5, { source_uri: "s3://a/b/", target_image: "c" }]);
      expect([status, images.map((one) => one.status)]).toEqual(["FAILED", ["SUCCEEDED", "FAILED", "FAILED"]]);
      expect(images.slice(1).map(({ source_uri, reason }) => [source_uri, reason])).toEqual([
        ["5", 'item 2 of the manifest is no image\'s name: write it as "ubuntu:20.04"'],
        ['{"source_uri":"s3://a/b/","target_image":"c"}', "item 3 of the manifest is an image to build: give it to omx-container-builder"],
      ]);
      expect(await stage.run("puller", "ubuntu:20.04" as unknown as readonly unknown[])).toMatchObject({
        status: "FAILED",
        error: "InvalidInput",
        cause: 'the input has no list "manifest"; write it as {"manifest": ["ubuntu:20.04"]}',
      });
      expect((await stage.run("builder", ["ubuntu:20.04"])).images[0]).toMatchObject({
        status: "FAILED",
        source_uri: "ubuntu:20.04",
        reason: "item 1 of the manifest is an image to pull: give it to omx-container-puller",
      });
    },
    PATIENCE_MS,
  );

  test(
    "more failures than a cause can hold are read from the history",
    async () => {
      const pulls = Array.from({ length: 120 }, (_, index) => `quay.io/lab/bad name number ${index} ${"x".repeat(120)}`);
      expect((await stage.run("puller", pulls)).cause.length).toBeLessThan(32_768);
      const staging = stageImages(
        {
          clients: { states: new SFNClient(stage.accounts.config()) } as AwsClients,
          place: { account: CICD, region: REGION },
          clock: systemClock,
          emit: () => undefined,
          identity: "many",
        },
        { pulls, builds: [] },
      );
      await expect(staging).rejects.toThrow(/120 of 120[^]*number 119 [^]*blank at position/);
    },
    PATIENCE_MS,
  );

  test(
    "E14, E23: a registry that throttles is asked again; one that refuses is not said to lack the image",
    async () => {
      await sample("lab/throttled", "1", noise("throttled", 4000));
      await sample("lab/denied", "1", noise("denied", 4000));
      decide = ({ path }, before) =>
        path.includes("lab/throttled/manifests") && before < 2
          ? { kind: "answer", status: 429, headers: { "retry-after": "1" } }
          : path.includes("lab/denied/manifests")
            ? { kind: "answer", status: 403, body: '{"errors":[{"code":"DENIED","message":"not for you"}]}' }
            : undefined;
      const { images } = await stage.run("puller", ["quay.io/lab/throttled:1", "quay.io/lab/denied:1"]);
      expect(images.map(({ status }) => status)).toEqual(["SUCCEEDED", "FAILED"]);
      expect(images[1]!.reason).toMatch(
        /refuses access.*403 DENIED: not for you; .*check its name, or name a secret for quay.io under containers.credentials in omx.deploy.yaml$/,
      );
      // Who wonders what takes so long finds it in the function's log.
      const logs = new CloudWatchLogsClient(stage.accounts.config());
      const log = async () =>
        (await logs.send(new FilterLogEventsCommand({ logGroupName: "/aws/lambda/omx-pull-image" }))).events
          ?.map(({ message }) => message)
          .join("\n");
      await expect
        .poll(log, { timeout: PATIENCE_MS })
        .toMatch(
          /WAITING {2}1 s, then again: quay.io is asked too often \(read quay.io\/lab\/throttled:1 at http:\/\/127.0.0.1:\d+\), 429/,
        );
      await expect.poll(log, { timeout: PATIENCE_MS }).toMatch(/FAILED {4}quay.io\/lab\/denied:1 [\d.]+ s: quay.io refuses access/);
    },
    PATIENCE_MS,
  );

  test(
    "E18: an image too large for a function is copied by a build",
    async () => {
      const { digest } = await sample("lab/large", "1", noise("large", 2 * MIB), noise("small", 3000));
      const { images, status } = await stage.run("puller", ["quay.io/lab/large:1"]);
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

  test(
    "E17: a build that fails ends with its last lines, and its log is kept",
    async () => {
      const layer = noise("broken", 2 * MIB);
      await sample("lab/broken", "1", layer);
      decide = ({ path, method }) => (method === "GET" && path.endsWith(digestOf(layer)) ? { kind: "flip" } : undefined);
      const { images, status } = await stage.run("puller", ["quay.io/lab/broken:1"]);
      expect([status, images[0]!.status]).toEqual(["FAILED", "FAILED"]);
      expect(images[0]!.reason).toMatch(/the build omx-image-pull:\S+ ended FAILED:\n[^]*sent other bytes than promised/);
      expect(images[0]!.reason).not.toContain("[Container]");
      const [group = "", stream = ""] = images[0]!.log!.split(":");
      const { logStreams } = await new CloudWatchLogsClient(stage.accounts.config()).send(
        new DescribeLogStreamsCommand({ logGroupName: group, logStreamNamePrefix: stream }),
      );
      expect(logStreams).toHaveLength(1);
    },
    PATIENCE_MS,
  );

  test(
    "E29, E30: a missing policy is repaired although the image is there; others' statements stay",
    async () => {
      await sample("lab/repaired", "1", noise("repaired", 4000));
      await stage.run("puller", ["quay.io/lab/repaired:1"]);
      const theirs = { Sid: "Theirs", Effect: "Allow", Principal: { AWS: `arn:aws:iam::${PRODUCTION}:root` }, Action: "ecr:BatchGetImage" };
      await stage.ecr.send(new DeleteRepositoryPolicyCommand({ repositoryName: "quay/lab/repaired" }));
      await stage.ecr.send(
        new SetRepositoryPolicyCommand({
          repositoryName: "quay/lab/repaired",
          policyText: JSON.stringify({ Version: "2012-10-17", Statement: [theirs] }),
        }),
      );
      expect((await stage.run("puller", ["quay.io/lab/repaired:1"])).images[0]).toMatchObject({ status: "SKIPPED" });
      expect((await stage.policyOf("quay/lab/repaired"))?.Statement.map(({ Sid }) => Sid)).toEqual(["Theirs", "OmxHealthOmics"]);
    },
    PATIENCE_MS,
  );

  test(
    "E27: somebody else's repository is left alone: used where HealthOmics may read it, refused with advice where not",
    async () => {
      const { client, ecr: admin } = stage.registryOf("cicd");
      for (const repositoryName of ["closed", "open"]) {
        await admin.send(new CreateRepositoryCommand({ repositoryName }));
        await pushSample(client.repository({ registry: HOME, repository: repositoryName }), "1", { layers: [noise(repositoryName, 3000)] });
      }
      const theirs = {
        Sid: "Theirs",
        Effect: "Allow",
        Principal: { Service: "omics.amazonaws.com" },
        Action: ["ecr:Batch*", "ecr:GetDownloadUrlForLayer"],
      };
      await admin.send(
        new SetRepositoryPolicyCommand({
          repositoryName: "open",
          policyText: JSON.stringify({ Version: "2012-10-17", Statement: [theirs] }),
        }),
      );
      const { images } = await stage.run("puller", [`${HOME}/closed:1`, `${HOME}/open:1`]);
      expect(images.map(({ status }) => status)).toEqual(["FAILED", "SKIPPED"]);
      expect(images[0]!.reason).toContain("tag it createdBy=omx-ecr-helper");
      expect(await stage.policyOf("closed")).toBeUndefined();
      expect((await stage.policyOf("open"))?.Statement.map(({ Sid }) => Sid)).toEqual(["Theirs"]);
      await client.close();
    },
    PATIENCE_MS,
  );
});

test(
  "E25: a repository that appears with our tag is opened by its event; any other is left alone",
  async () => {
    const create = (repositoryName: string, tags: { Key: string; Value: string }[]) =>
      stage.ecr.send(new CreateRepositoryCommand({ repositoryName, tags }));
    await create("appeared/theirs", [{ Key: "team", Value: "theirs" }]);
    await create("appeared/ours", [{ Key: "createdBy", Value: "omx-ecr-helper" }]);
    while (!(await stage.policyOf("appeared/ours"))) await systemClock.sleep(100);
    expect((await stage.policyOf("appeared/ours"))?.Statement.map(({ Sid }) => Sid)).toEqual(["OmxHealthOmics"]);
    expect(await stage.policyOf("appeared/theirs")).toBeUndefined();
  },
  PATIENCE_MS,
);
