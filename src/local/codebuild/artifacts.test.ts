import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import { unzipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { contextOf, openCodeLab, type OwnCodeLab, spec } from "./testing/own-lab.ts";

// Many processes are started: a busy machine takes its time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let lab: OwnCodeLab;
beforeAll(async () => {
  lab = await openCodeLab();
});
afterAll(() => lab[Symbol.asyncDispose]());

describe("artifacts", () => {
  const ARTIFACTS = { files: ["**/*"], "exclude-paths": ["**/*.tmp"], "base-directory": "out", name: "named" };
  const phases = { build: { commands: ["mkdir -p out/deep", "echo a > out/a.txt", "echo b > out/deep/b.txt", "echo c > out/c.tmp"] } };
  const keys = async (Prefix: string) =>
    (await lab.s3.send(new ListObjectsV2Command({ Bucket: "artifacts", Prefix }))).Contents?.map(({ Key }) => Key) ?? [];
  beforeAll(() => lab.s3.send(new CreateBucketCommand({ Bucket: "artifacts" })));

  test("go to S3 as files, or as one ZIP", async () => {
    const place = { type: "S3" as const, location: "artifacts" };
    const [files] = await Promise.all([
      lab.built(spec(phases, { artifacts: ARTIFACTS }), {
        artifacts: { ...place, path: "files", name: "x", namespaceType: "BUILD_ID" },
        actions: ["s3:PutObject"],
      }),
      lab.built(spec(phases, { artifacts: ARTIFACTS }), {
        artifacts: { ...place, path: "zipped", name: "x", overrideArtifactName: true, packaging: "ZIP" },
        actions: ["s3:PutObject"],
      }),
    ]);
    const id = files.id!.split(":")[1];
    expect(await keys("files/")).toEqual([`files/${id}/x/a.txt`, `files/${id}/x/deep/b.txt`]);
    expect(await keys("zipped/")).toEqual(["zipped/named"]);
    const zip = await (await lab.s3.send(new GetObjectCommand({ Bucket: "artifacts", Key: "zipped/named" }))).Body!.transformToByteArray();
    expect(Object.keys(unzipSync(zip))).toEqual(["a.txt", "deep/b.txt"]);
  });

  test("that are not there fail the build, and are uploaded although the build failed", async () => {
    const [missing, failed] = await Promise.all([
      lab.built(spec(phases, { artifacts: { files: ["none.txt"] } }), {
        artifacts: { type: "S3", location: "artifacts", name: "missing" },
      }),
      lab.built(spec({ build: { commands: [...phases.build.commands, "false"] } }, { artifacts: ARTIFACTS }), {
        artifacts: { type: "S3", location: "artifacts", name: "failed" },
        actions: ["s3:PutObject"],
      }),
    ]);
    expect(contextOf(missing)).toMatchObject({
      statusCode: "CLIENT_ERROR",
      message: expect.stringContaining("no matching artifact paths") as string,
    });
    expect(failed.buildStatus).toBe("FAILED");
    expect(await keys("failed/")).toEqual(["failed/a.txt", "failed/deep/b.txt"]);
  });
});
