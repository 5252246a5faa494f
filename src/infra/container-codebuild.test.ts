import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { BatchGetBuildsCommand, CodeBuildClient } from "@aws-sdk/client-codebuild";
import { LambdaClient, UpdateFunctionConfigurationCommand } from "@aws-sdk/client-lambda";
import { zipSync } from "fflate";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { enginesHere, writeBashSource } from "../cli/testing/bash-image.ts";
import { tinyLayer } from "../cli/testing/tiny-program.ts";
import { noise, pushIndex, pushSample } from "../oci/testing/sample-images.ts";
import { type BuilderLab, openBuilderLab } from "./testing/builder-lab.ts";
import { HOME, PATIENCE_MS } from "./testing/containers.ts";

// What omx-container-builder leaves to CodeBuild: what takes a function too long, and every RUN

let lab: BuilderLab;
beforeAll(async () => {
  lab = await openBuilderLab();
}, PATIENCE_MS);
afterAll(() => lab?.[Symbol.asyncDispose](), PATIENCE_MS);

test(
  "what a function has no time for is built by CodeBuild, to the same digest and without an engine, and the result says what that moved",
  async () => {
    const source_uri = await lab.put(
      "slow.zip",
      zipSync({ Dockerfile: Buffer.from("FROM scratch\nCOPY noise /\n"), noise: Buffer.from(noise("slow", 100_000)) }),
    );
    const [quick] = (await lab.stage.run("builder", [{ source_uri, target_image: "built/quick:1" }])).images;
    const lambda = new LambdaClient(lab.stage.accounts.config());
    const limit = (Timeout: number) => lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: "omx-build-image", Timeout }));
    // All of it is the margin in which a function answers.
    await limit(20);
    onTestFinished(async () => void (await limit(900)));
    const { images } = await lab.stage.run("builder", [{ source_uri, target_image: "built/slow:1" }]);
    expect(images).toMatchObject([
      {
        status: "SUCCEEDED",
        digest: quick!.digest,
        reason: "built",
        build: expect.stringMatching(/^omx-image-build:/),
        bytes_moved: quick!.size,
        bytes_saved: 0,
        size: quick!.size,
      },
    ]);
    // The same again ends there too, as SKIPPED.
    expect((await lab.stage.run("builder", [{ source_uri, target_image: "built/slow:1" }])).images).toMatchObject([
      { status: "SKIPPED", digest: quick!.digest, reason: "the source is unchanged", bytes_moved: 0 },
    ]);
  },
  PATIENCE_MS,
);

test.runIf(enginesHere().includes("docker"))(
  "E37: a RUN on private ECR is built by CodeBuild, on the digest that ECR has now, and its log is kept; a failed one pushes nothing",
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "omx-bash-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeBashSource(folder);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    const executable = { os: 3, attrs: (0o100755 << 16) >>> 0 };
    const bash = await lab.put(
      "bash.zip",
      zipSync(Object.fromEntries(files.map((file) => [relative(folder, file), [readFileSync(file), executable]]))),
    );
    const ran = await lab.put(
      "ran.zip",
      zipSync({
        Dockerfile: Buffer.from(
          `FROM ${HOME}/built/bash:1\nSHELL ["/bin/bash", "-c"]\nRUN echo it ran; echo $RANDOM$RANDOM$RANDOM > /ran\n`,
        ),
      }),
    );
    const [base] = (await lab.stage.run("builder", [{ source_uri: bash, target_image: "built/bash:1" }])).images;
    const [built] = (await lab.stage.run("builder", [{ source_uri: ran, target_image: "built/ran:1" }])).images;
    expect([base, built]).toMatchObject([
      { status: "SUCCEEDED" },
      { status: "SUCCEEDED", reason: "built by an engine", build: expect.stringMatching(/^omx-image-build:/), size: expect.any(Number) },
    ]);
    expect(built!.bytes_moved! + built!.bytes_saved!).toBe(built!.size);
    expect(built!.bytes_moved).toBeGreaterThan(0);
    const { builds } = await new CodeBuildClient(lab.stage.accounts.config()).send(new BatchGetBuildsCommand({ ids: [built!.build!] }));
    expect(built!.seconds! * 1000).toBeGreaterThanOrEqual(builds![0]!.endTime!.getTime() - builds![0]!.startTime!.getTime());
    expect((await lab.labelsOf("built/ran", built!.digest!))?.["org.omx.bases"]).toBe(`${HOME}/built/bash:1@${base!.digest}`);
    expect((await lab.stage.run("builder", [{ source_uri: ran, target_image: "built/ran:1" }])).images[0]).toMatchObject({
      status: "SKIPPED",
      digest: built!.digest,
    });
    const events = await new CloudWatchLogsClient(lab.stage.accounts.config()).send(
      new FilterLogEventsCommand({ logGroupName: "/aws/codebuild/omx-image-build", logStreamNames: [built!.build!.split(":")[1]!] }),
    );
    expect(events.events?.map(({ message }) => message).join("\n")).toContain("RUN echo it ran; ");
    // What its RUN fetches may be another thing by now.
    const [forced] = (await lab.stage.run("builder", [{ source_uri: ran, target_image: "built/ran:1", force: true }])).images;
    expect([forced!.status, forced!.digest === built!.digest]).toEqual(["SUCCEEDED", false]);

    // E37: the engine still has the image of the build before under the tag, which means another one in ECR by now.
    const { client } = lab.stage.registryOf("cicd");
    const { digest: moved } = await pushSample(client.repository({ registry: HOME, repository: "built/ran" }), "1", {
      layers: [noise("moved", 3000)],
    });
    const unique = crypto.randomUUID();
    const fails = await lab.put(
      "fails.zip",
      zipSync({
        Dockerfile: Buffer.from(`FROM ${HOME}/built/bash:1\nSHELL ["/bin/bash", "-c"]\nRUN echo no more of it ${unique}; exit 3\n`),
      }),
    );
    const failed = await lab.stage.run("builder", [{ source_uri: fails, target_image: "built/ran:1" }]);
    expect([failed.status, failed.images[0]]).toEqual([
      "FAILED",
      expect.objectContaining({
        status: "FAILED",
        reason: expect.stringMatching(/no more of it[^]*exit 3[^]*docker build ended with exit status \d+\n/),
      }),
    ]);
    expect(execFileSync("docker", ["ps", "--all", "--no-trunc", "--format", "{{.Command}}"], { encoding: "utf8" })).not.toContain(unique);
    expect(failed.images[0]!.reason!.split("RUN echo no more of it").length).toBeLessThan(4);
    expect((await client.repository({ registry: HOME, repository: "built/ran" }).headManifest("1"))?.digest).toBe(moved);
    await client.close();
  },
  PATIENCE_MS,
);

test.runIf(enginesHere().includes("docker") && process.arch === "x64")(
  "a RUN for several platforms is built for each by CodeBuild; one that its machine can't run is told with what to do, and nothing is left under the tag",
  async () => {
    const repository = lab.quay("lab/platforms");
    const children = await Promise.all(
      (["amd64", "386", "arm64"] as const).map(async (architecture) =>
        pushSample(repository, architecture, {
          layers: [await tinyLayer(architecture === "arm64" ? "none" : architecture)],
          platform: { os: "linux", architecture },
        }),
      ),
    );
    await pushIndex(repository, "1", children);
    const source_uri = await lab.put(
      "platforms.zip",
      zipSync({ Dockerfile: Buffer.from('FROM quay.io/lab/platforms:1\nRUN ["/make"]\n') }),
    );
    const item = { source_uri, target_image: "built/platforms:1" };
    const foreign = (await lab.stage.run("builder", [{ ...item, platforms: ["linux/amd64", "linux/arm64"] }])).images[0]!;
    expect(foreign).toMatchObject({
      status: "FAILED",
      reason: expect.stringMatching(
        /exec format error[^]*does not run programs for linux\/arm64: [^]*In CodeBuild there is no QEMU: build this image with omx images build/i,
      ),
    });
    const { client } = lab.stage.registryOf("cicd");
    const target = client.repository({ registry: HOME, repository: "built/platforms" });
    expect(await target.headManifest("1")).toBeUndefined();
    const both = { ...item, platforms: ["linux/amd64", "linux/386"] };
    const built = (await lab.stage.run("builder", [both])).images[0]!;
    expect(built).toMatchObject({
      status: "SUCCEEDED",
      reason: "built for 2 platforms",
      build: expect.stringMatching(/^omx-image-build:/),
    });
    // Of an index ECR tells the size of its largest image.
    expect(built.bytes_moved! + built.bytes_saved!).toBeGreaterThan(built.size!);
    expect((await target.headManifest("1"))?.digest).toBe(built.digest);
    await client.close();
    expect((await lab.stage.run("builder", [both])).images[0]).toMatchObject({ status: "SKIPPED", digest: built.digest });
  },
  PATIENCE_MS,
);

test(
  "E37: a RUN that fails, or an engine that is not there, ends with the build's last lines",
  async () => {
    const source_uri = await lab.put("run.zip", zipSync({ Dockerfile: Buffer.from("FROM scratch\nCOPY Dockerfile /\nRUN /nothing\n") }));
    const { images, status } = await lab.stage.run("builder", [{ source_uri, target_image: "bad/run:1" }]);
    expect([status, images[0]!.status]).toEqual(["FAILED", "FAILED"]);
    expect(images[0]!.reason).toMatch(/the build omx-image-build:\S+ ended FAILED:\n[^]*docker/);
    expect(images[0]!.log).toMatch(/^\/aws\/codebuild\/omx-image-build:/);
  },
  PATIENCE_MS,
);
