import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ListImagesCommand } from "@aws-sdk/client-ecr";
import { zipSync } from "fflate";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Clock, systemClock } from "../../../kit/clock.ts";
import { canMount, mountSmallDisk } from "../../../local/testing/small-disk.ts";
import { encodeResult, RESULT_VARIABLE } from "../after-build.ts";
import { type BuildLab, openBuildLab, PATIENCE_MS } from "../testing/build-lab.ts";
import { buildImageFromSource, buildInBuild } from "./build-from-s3.ts";

// What a function has no disk or no time for, and the build that takes it over

let lab: BuildLab;
beforeAll(async () => {
  lab = await openBuildLab();
}, PATIENCE_MS);
afterAll(() => lab?.[Symbol.asyncDispose](), PATIENCE_MS);

test.runIf(canMount())("what the disk of a function has no room for is left to a build, wherever it runs out", async () => {
  const data = randomBytes(6_000_000);
  const packed = zipSync({ Dockerfile: Buffer.from("FROM scratch\nCOPY data /one\nCOPY data /two\n"), data }, { level: 0 });
  const large = await lab.source("large", packed);
  const disk = mkdtempSync(join(tmpdir(), "omx-small-disk-"));
  const before = process.env["TMPDIR"];
  // Of the archive, of its files, of a layer.
  for (const mib of [4, 10, 16]) {
    mountSmallDisk(disk, mib);
    process.env["TMPDIR"] = disk;
    try {
      expect([mib, await buildImageFromSource(lab.workshop(), large)]).toEqual([
        mib,
        expect.objectContaining({ status: "TOO_LARGE", reason: "the function's disk is full" }),
      ]);
      expect(readdirSync(disk)).toEqual([]);
    } finally {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
      execFileSync("umount", [disk]);
    }
  }
  rmSync(disk, { recursive: true });
});

test(
  "a function whose time is over while it builds stops there and hands over; a build goes on, and says to the function what is there",
  async () => {
    await lab.images.push("late/base", Buffer.alloc(1024));
    const late = await lab.item("late", "FROM quay.io/late/base:1\nWORKDIR /new\n");
    let timeIsOver: (() => void) | undefined;
    const clock: Clock = {
      now: () => systemClock.now(),
      sleep: () =>
        new Promise<void>((resolve) => {
          timeIsOver = resolve;
        }),
    };
    lab.images.fail(({ method, path }) => {
      if (method === "GET" && path.includes("/late/base/blobs/")) timeIsOver?.();
      return undefined;
    });
    const handedOver = await buildImageFromSource(
      { ...lab.workshop(), clock, deadline: new Date(systemClock.now().getTime() + 600_000) },
      late,
    );
    expect(handedOver).toEqual({ ...late, status: "TOO_LARGE", reason: "the function's time was over", started: expect.any(Number) });
    await expect(lab.workshop().ecr.send(new ListImagesCommand({ repositoryName: "late" }))).rejects.toMatchObject({
      name: "RepositoryNotFoundException",
    });
    lab.images.fail(undefined);
    const built = await buildInBuild(lab.workshop(), late, {});
    await expect(buildInBuild(lab.workshop(), { ...late, source_uri: "s3://sources/absent.zip" }, {})).rejects.toMatchObject({
      code: "ImagesFailed",
      message: expect.stringMatching(/^NoSuchKey: s3:\/\/sources\/absent\.zip: /),
    });
    const ended = (exported: object) =>
      buildImageFromSource(lab.workshop(), {
        ...late,
        status: "BUILD_ENDED",
        build: "omx-image-build:1",
        started: 1,
        exported: [{ Name: RESULT_VARIABLE, Value: encodeResult(exported) }],
      });
    expect(await ended(built)).toMatchObject({
      status: "SUCCEEDED",
      digest: built.digest,
      size: built.size,
      bytes_moved: built.bytes_moved,
      reason: "built",
      build: "omx-image-build:1",
    });
    expect(await ended({ ...built, source_hash: "another" })).toMatchObject({
      status: "FAILED",
      reason: expect.stringContaining("is not what it should have built"),
    });
    const later = await buildInBuild(
      lab.workshop(),
      { ...(await lab.item("later", "FROM quay.io/late/base:1\nWORKDIR /later\n")), target_image: late.target_image },
      {},
    );
    expect(later.digest).not.toBe(built.digest);
    expect(await ended(built)).toMatchObject({ status: "SUCCEEDED", digest: built.digest });
    expect(await ended({ status: "SUCCEEDED" })).toMatchObject({
      status: "FAILED",
      reason: "the build omx-image-build:1 ended, and does not say what it built",
    });
    // Where there is no engine, the line that wants one is what to change.
    const failed = {
      ...late,
      status: "BUILD_FAILED",
      reason: "Dockerfile:2: RUN needs an engine",
      cause: "States.TaskFailed: no build was started",
    } as const;
    expect(await buildImageFromSource(lab.workshop(), failed)).toMatchObject({
      status: "FAILED",
      reason: "Dockerfile:2: RUN needs an engine\nStates.TaskFailed: no build was started",
    });
  },
  PATIENCE_MS,
);
