import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { noise, pushSample } from "../oci/testing/sample-images.ts";
import { checkRecord } from "../release/testing/checked-record.ts";
import { type BuildLab, HOME, openBuildLab, source } from "./testing/build-lab.ts";
import { cliAt } from "./testing/in-process.ts";
import { project } from "./testing/project.ts";

const MS = 200_000;

let lab: BuildLab;
beforeAll(async () => void (lab = await openBuildLab()), MS);
afterAll(() => lab?.[Symbol.asyncDispose](), MS);

test(
  "lock writes digests, says when a tag moved, keeps what it cannot lock, and checks without writing",
  async () => {
    using cli = cliAt(lab.accounts);
    const { digest: first } = await pushSample(lab.quay("lock/tool"), "latest", { layers: [noise("lock 1", 5000)] });
    await pushSample(lab.quay("lock/new"), "1", { layers: [noise("lock new", 5000)] });
    const folder = project(cli, "locked", ["quay.io/lock/tool:latest", "quay.io/lock/new:1"]);
    const file = join(folder, "containers.lock.json");
    const lock = async (...flags: readonly string[]) => {
      const ran = await cli.run("images", "lock", folder, ...lab.at, "--json", ...flags);
      return { code: ran.code, ...ran.json<{ written: boolean; images: readonly object[] }>() };
    };
    expect(await lock()).toMatchObject({ code: 1, written: false, images: [{ status: "NOT_STAGED" }, { status: "NOT_STAGED" }] });
    expect(existsSync(file)).toBe(false);
    await cli.run("images", "pull", "quay.io/lock/tool:latest", ...lab.at, "--json");
    expect(await lock()).toMatchObject({
      code: 1,
      written: true,
      images: [
        { status: "NEW", digest: first },
        { status: "NOT_STAGED", reason: expect.stringContaining("omx images pull") },
      ],
    });
    await cli.run("images", "pull", "quay.io/lock/new:1", ...lab.at, "--json");
    expect(await lock()).toMatchObject({ code: 0, images: [{ status: "SAME" }, { status: "NEW" }] });
    checkRecord("containers.lock.schema.json", readFileSync(file, "utf8"));
    expect(JSON.parse(readFileSync(file, "utf8"))).toEqual({
      version: 1,
      images: [
        {
          image: "quay.io/lock/tool:latest",
          source: "quay.io/lock/tool:latest",
          target: `${HOME}/quay/lock/tool@${first}`,
          digest: first,
          platform: "all",
        },
        expect.objectContaining({ image: "quay.io/lock/new:1" }),
      ],
    });
    expect(await lock("--check")).toMatchObject({ code: 0, written: false });

    const { digest: second } = await pushSample(lab.quay("lock/tool"), "latest", { layers: [noise("lock 2", 5000)] });
    expect(await lock("--check")).toMatchObject({
      code: 1,
      written: false,
      images: [{ status: "NOT_STAGED", before: first, digest: second }, { status: "SAME" }],
    });
    await cli.run("images", "pull", "quay.io/lock/tool:latest", ...lab.at, "--json");
    expect(await lock("--check")).toMatchObject({
      code: 1,
      written: false,
      images: [{ status: "MOVED", before: first, digest: second }, {}],
    });
    expect(readFileSync(file, "utf8")).toContain(first);
    expect(await lock()).toMatchObject({ code: 0, written: true, images: [{ status: "MOVED" }, { status: "SAME" }] });
    expect(readFileSync(file, "utf8")).toContain(second);

    await pushSample(lab.quay("lock/tool"), "latest", { layers: [noise("lock 3", 5000)] });
    const pulled = (await cli.run("images", "pull", "--project", join(folder, "omx.yaml"), ...lab.at, "--json")).json<{
      images: readonly object[];
      requests: number;
    }>();
    expect(pulled).toMatchObject({ images: [{ status: "SKIPPED", digest: second }, { status: "SKIPPED" }], requests: 2 });

    writeFileSync(file, '{"version": 1, "images": [{"image": "x"}]}');
    const broken = await cli.run("images", "lock", folder, ...lab.at, "--json");
    expect([broken.code, broken.stderr]).toEqual([
      1,
      expect.stringContaining("containers.lock.json is no lock of images: images.0.source"),
    ]);
  },
  MS,
);

test(
  "a lock holds what is built as well: folder, digest, target and platform; a changed source has to be built before it is locked",
  async () => {
    using cli = cliAt(lab.accounts);
    const folder = source(cli, "locked/tool", "FROM scratch\nCOPY Dockerfile /\n");
    const root = join(cli.folder, "locked");
    writeFileSync(
      join(root, "main.wdl"),
      'version 1.0\nworkflow w {\n  call t\n}\ntask t {\n  command <<< echo >>>\n  runtime { docker: "locked/tool:1" }\n}\n',
    );
    writeFileSync(join(root, "omx.yaml"), 'name: locked\nversion: "1.0"\nimages: { build: [{ source: tool, target: "locked/tool:1" }] }\n');
    const lock = async () => {
      const ran = await cli.run("images", "lock", root, "--profile", "cicd", "--json");
      return { code: ran.code, images: ran.json<{ images: readonly object[] }>().images };
    };
    const planned = async () =>
      (await cli.run("images", "plan", "--project", root, "--profile", "cicd", "--json")).json<{ images: readonly object[] }>().images;
    expect(await planned()).toEqual([{ source: "tool", target: `${HOME}/locked/tool:1`, status: "BUILD", reason: "it is not in ECR" }]);
    expect(await lock()).toMatchObject({
      code: 1,
      images: [{ status: "NOT_STAGED", reason: expect.stringContaining("omx images build") }],
    });
    expect(await cli.run("images", "pull", "--project", root, "--profile", "cicd")).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^0 images, /),
      stderr: expect.stringContaining("left to `omx images build`: locked/tool:1"),
    });
    const { digest } = await lab.build(cli, folder, "locked/tool:1");
    expect(await lock()).toMatchObject({ code: 0, images: [{ status: "NEW", digest, source: "tool" }] });
    expect(JSON.parse(readFileSync(join(root, "containers.lock.json"), "utf8")).images).toEqual([
      { image: "locked/tool:1", source: "tool", target: `${HOME}/locked/tool@${digest}`, digest, platform: "linux/amd64" },
    ]);
    expect((await cli.run("images", "verify", root, "--deep", "--profile", "cicd")).code).toBe(0);
    expect(await planned()).toMatchObject([{ status: "SKIP", digest, reason: "the lock's image is there, and the source is unchanged" }]);
    writeFileSync(join(folder, "more.txt"), "more");
    expect(await planned()).toMatchObject([{ status: "BUILD", present: digest, reason: "its source has changed" }]);
    expect(await lock()).toMatchObject({
      code: 1,
      images: [{ status: "NOT_STAGED", before: digest, reason: expect.stringContaining("built from another source") }],
    });
    await lab.build(cli, folder, "locked/tool:1");
    expect(await lock()).toMatchObject({ code: 0, images: [{ status: "MOVED", before: digest }] });
  },
  MS,
);
