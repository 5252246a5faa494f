import { CloudWatchLogsClient, DescribeLogStreamsCommand, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digestOf } from "../oci/digest.ts";
import { noise } from "../oci/testing/sample-images.ts";
import { PATIENCE_MS } from "./testing/containers.ts";
import { MIB, openPullerLab, type PullerLab } from "./testing/puller-lab.ts";

// What omx-container-puller cannot bring, and how it says so

let lab: PullerLab;
beforeAll(async () => {
  lab = await openPullerLab();
}, PATIENCE_MS);
afterAll(() => lab?.[Symbol.asyncDispose](), PATIENCE_MS);

test(
  "E10, E13: a tag is not moved from one source to another",
  async () => {
    await lab.sample("two/tool", "1", noise("us", 4000));
    const run1 = await lab.stage.run("puller", ["us.gcr.io/two/tool:1"]);
    expect(run1.images[0]).toMatchObject({ status: "SUCCEEDED" });
    await lab.sample("two/tool", "1", noise("eu", 4000));
    const { images } = await lab.stage.run("puller", ["eu.gcr.io/two/tool:1"]);
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
    await lab.sample("lab/good", "1", noise("good", 4000));
    const manifest = [
      "quay.io/lab/good:1",
      "quay.io/lab/absent:1",
      "Not An Image",
      "us.gcr.io/p/x:1",
      "eu.gcr.io/p/x:1",
      "quay.io/lab/Good:1",
      " quay.io/lab/good:1",
    ];
    const ended = await lab.stage.run("puller", manifest);
    expect(ended).toMatchObject({ status: "FAILED", error: "ImagesFailed" });
    expect(ended.images.map(({ source_uri }) => source_uri)).toEqual(manifest);
    expect(ended.images.map(({ status }) => status)).toEqual(["SUCCEEDED", ...Array.from({ length: 6 }, () => "FAILED")]);
    const reasons = ended.images.map(({ reason }) => reason);
    expect(reasons[1]).toContain("quay.io does not have it");
    expect(reasons[2]).toContain("blank at position 4");
    expect(reasons[3]).toContain("would both become gcr/p/x:1");
    expect(reasons.slice(5)).toEqual([expect.stringContaining("write quay.io/lab/good:1"), expect.stringContaining("blank at position 1")]);

    await expect(lab.staged(manifest, "test")).rejects.toThrow(
      /6 of 7 images could not be brought into ECR[^]*quay\.io\/lab\/absent:1: .*does not have it/,
    );
  },
  PATIENCE_MS,
);

test(
  "an input that is none is told in a sentence; an item that is none fails alone",
  async () => {
    await lab.sample("lab/sane", "1", noise("sane", 4000));
    const { status, images } = await lab.stage.run("puller", ["quay.io/lab/sane:1", 5, { source_uri: "s3://a/b/", target_image: "c" }]);
    expect([status, images.map((one) => one.status)]).toEqual(["FAILED", ["SUCCEEDED", "FAILED", "FAILED"]]);
    expect(images.slice(1).map(({ source_uri, reason }) => [source_uri, reason])).toEqual([
      ["5", 'item 2 of the manifest is no image\'s name: write it as "ubuntu:20.04"'],
      ['{"source_uri":"s3://a/b/","target_image":"c"}', "item 3 of the manifest is an image to build: give it to omx-container-builder"],
    ]);
    expect(await lab.stage.run("puller", "ubuntu:20.04" as unknown as readonly unknown[])).toMatchObject({
      status: "FAILED",
      error: "InvalidInput",
      cause: 'the input has no list "manifest"; write it as {"manifest": ["ubuntu:20.04"]}',
    });
    expect((await lab.stage.run("builder", ["ubuntu:20.04"])).images[0]).toMatchObject({
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
    expect((await lab.stage.run("puller", pulls)).cause.length).toBeLessThan(32_768);
    await expect(lab.staged(pulls, "many")).rejects.toThrow(/120 of 120[^]*number 119 [^]*blank at position/);
  },
  PATIENCE_MS,
);

test(
  "E14, E23: a registry that throttles is asked again; one that refuses is not said to lack the image",
  async () => {
    await lab.sample("lab/throttled", "1", noise("throttled", 4000));
    await lab.sample("lab/denied", "1", noise("denied", 4000));
    lab.fail(({ path }, before) => {
      if (path.includes("lab/throttled/manifests") && before < 2) return { kind: "answer", status: 429, headers: { "retry-after": "1" } };
      if (!path.includes("lab/denied/manifests")) return undefined;
      return { kind: "answer", status: 403, body: '{"errors":[{"code":"DENIED","message":"not for you"}]}' };
    });
    const { images } = await lab.stage.run("puller", ["quay.io/lab/throttled:1", "quay.io/lab/denied:1"]);
    expect(images.map(({ status }) => status)).toEqual(["SUCCEEDED", "FAILED"]);
    expect(images[1]!.reason).toMatch(
      /refuses access.*403 DENIED: not for you; .*check its name, or name a secret for quay.io under containers.credentials in omx.deploy.yaml$/,
    );
    // Who wonders what takes so long finds it in the function's log.
    const logs = new CloudWatchLogsClient(lab.stage.accounts.config());
    const log = async () =>
      (await logs.send(new FilterLogEventsCommand({ logGroupName: "/aws/lambda/omx-pull-image" }))).events
        ?.map(({ message }) => message)
        .join("\n");
    await expect
      .poll(log, { timeout: PATIENCE_MS })
      .toMatch(/WAITING {2}1 s, then again: quay.io is asked too often \(read quay.io\/lab\/throttled:1 at http:\/\/127.0.0.1:\d+\), 429/);
    await expect.poll(log, { timeout: PATIENCE_MS }).toMatch(/FAILED {4}quay.io\/lab\/denied:1 [\d.]+ s: quay.io refuses access/);
  },
  PATIENCE_MS,
);

test(
  "E17: a build that fails ends with its last lines, and its log is kept",
  async () => {
    const layer = noise("broken", 2 * MIB);
    await lab.sample("lab/broken", "1", layer);
    lab.fail(({ path, method }) => (method === "GET" && path.endsWith(digestOf(layer)) ? { kind: "flip" } : undefined));
    const { images, status } = await lab.stage.run("puller", ["quay.io/lab/broken:1"]);
    expect([status, images[0]!.status]).toEqual(["FAILED", "FAILED"]);
    expect(images[0]!.reason).toMatch(/the build omx-image-pull:\S+ ended FAILED:\n[^]*sent other bytes than promised/);
    expect(images[0]!.reason).not.toContain("[Container]");
    const [group = "", stream = ""] = images[0]!.log!.split(":");
    const { logStreams } = await new CloudWatchLogsClient(lab.stage.accounts.config()).send(
      new DescribeLogStreamsCommand({ logGroupName: group, logStreamNamePrefix: stream }),
    );
    expect(logStreams).toHaveLength(1);
  },
  PATIENCE_MS,
);
