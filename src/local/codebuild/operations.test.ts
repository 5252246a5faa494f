import { BatchGetBuildsCommand, RetryBuildCommand, StartBuildCommand, StopBuildCommand } from "@aws-sdk/client-codebuild";
import { CreateBucketCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { until } from "./testing/code-lab.ts";
import { openCodeLab, type OwnCodeLab, spec } from "./testing/own-lab.ts";

// Many processes are started: a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let lab: OwnCodeLab;
beforeAll(async () => {
  lab = await openCodeLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

describe("operations", () => {
  const SLEEPY = spec({ build: { commands: ["sleep 600"] } });
  const get = async (id: string) => (await lab.codebuild.send(new BatchGetBuildsCommand({ ids: [id] }))).builds![0]!;

  test("a build is stopped, and retried with what it was given", async () => {
    await lab.project("sleepy", SLEEPY);
    const { build } = await lab.codebuild.send(
      new StartBuildCommand({ projectName: "sleepy", environmentVariablesOverride: [{ name: "WHO", value: "phage" }] }),
    );
    expect(build?.environment?.environmentVariables).toEqual([expect.objectContaining({ name: "WHO", value: "phage" })]);
    await until(
      () => get(build!.id!),
      ({ currentPhase }) => currentPhase === "BUILD",
    );
    expect((await lab.codebuild.send(new StopBuildCommand({ id: build!.id! }))).build).toMatchObject({
      buildStatus: "STOPPED",
      buildComplete: true,
    });
    expect(await get(build!.id!)).toMatchObject({ buildStatus: "STOPPED" });
    const again = (await lab.codebuild.send(new RetryBuildCommand({ id: build!.id! }))).build!;
    expect(again).toMatchObject({ buildNumber: 2, buildStatus: "IN_PROGRESS", environment: { image: "aws/codebuild/standard:7.0" } });
    await lab.codebuild.send(new StopBuildCommand({ id: again.id! }));
  });

  test("the same token is the same build", async () => {
    await lab.project("once", spec({ build: { commands: ["true"] } }));
    const start = () => lab.codebuild.send(new StartBuildCommand({ projectName: "once", idempotencyToken: "a" }));
    expect((await start()).build?.id).toBe((await start()).build?.id);
  });

  test("a request overrides the project, and its buildspec may be an object of S3", async () => {
    await lab.s3.send(new CreateBucketCommand({ Bucket: "specs" }));
    await lab.s3.send(
      new PutObjectCommand({
        Bucket: "specs",
        Key: "a/build.yml",
        Body: 'version: 0.2\nphases:\n  build:\n    commands:\n      - echo "> $CODEBUILD_BUILD_IMAGE"\n',
      }),
    );
    await lab.project("overridden", SLEEPY, { actions: ["s3:GetObject"] });
    const build = await lab.build("overridden", { buildspecOverride: "arn:aws:s3:::specs/a/build.yml", imageOverride: "my/image:1" });
    expect((await lab.linesOf(build)).map((line) => line.trimEnd())).toContain("> my/image:1");
  });
});
