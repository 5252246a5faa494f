import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CICD } from "../local/testing/accounts.ts";
import { pushSample } from "../oci/testing/sample-images.ts";
import { enginesHere, writeBashSource } from "./testing/bash-image.ts";
import { type BuildLab, HOME, openBuildLab, source } from "./testing/build-lab.ts";
import { cliAt, type InProcess } from "./testing/in-process.ts";
import { pathWith } from "./testing/only-engine.ts";

const MS = 300_000;
const HERE = enginesHere();

let lab: BuildLab;
beforeAll(async () => void (lab = await openBuildLab()), MS);
afterAll(() => lab?.[Symbol.asyncDispose](), MS);

test(
  "a RUN is built by an engine, or the build says what to install",
  async () => {
    using cli = cliAt(lab.accounts, { path: "/nonexistent" });
    writeFileSync(join(cli.folder, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\nRUN /nothing\n");
    const built = await cli.run("images", "build", cli.folder, "build/run:1", "--profile", "cicd", "--json");
    expect([built.code, built.json<object>()]).toEqual([
      1,
      expect.objectContaining({ status: "FAILED", reason: expect.stringMatching(/Dockerfile:3.*install Docker, Podman or Buildah/) }),
    ]);
  },
  MS,
);

test.runIf(HERE.includes("docker"))(
  "an engine's failure is told by its last lines",
  async () => {
    using cli = cliAt(lab.accounts);
    writeFileSync(join(cli.folder, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\nRUN /nothing\n");
    const built = await cli.run("images", "build", cli.folder, "build/failing:1", "--profile", "cicd", "--json");
    expect([built.code, built.json<object>()]).toEqual([
      1,
      expect.objectContaining({ status: "FAILED", reason: expect.stringMatching(/docker build ended with exit status \d+:\n/) }),
    ]);
  },
  MS,
);

test.runIf(HERE.includes("docker"))(
  "the layers of what is in ECR are a cache: unchanged instructions are not run again on a machine that has never seen the image",
  async () => {
    using setup = cliAt(lab.accounts);
    using cli = cliAt(lab.accounts, { path: pathWith(setup, "docker") });
    const own = join(cli.folder, "own");
    writeBashSource(own);
    await lab.build(cli, own, "cached/base:1");
    const folder = source(
      cli,
      "ran",
      `FROM ${HOME}/cached/base:1\nSHELL ["/bin/bash", "-c"]\nRUN echo $RANDOM$RANDOM$RANDOM > /random\nCOPY file /\n`,
    );
    writeFileSync(join(folder, "file"), "one");
    const first = await lab.build(cli, folder, "cached/ran:1");
    expect(first.status).toBe("BUILT");
    execFileSync("docker", ["image", "rm", "--force", `${new URL(lab.accounts.url).host}/${CICD}/us-east-1/cached/ran:1`], {
      stdio: "ignore",
    });
    writeFileSync(join(folder, "file"), "two");
    const second = await lab.build(cli, folder, "cached/ran:1");
    expect(second.status).toBe("BUILT");
    // Two of its layers are those of the first image.
    expect(second.bytesSaved).toBeGreaterThan(0);
    expect(second.bytesMoved! + second.bytesSaved!).toBe(second.bytes);
    const [before, after] = [await lab.inside("cached/ran", first.digest), await lab.inside("cached/ran", second.digest)];
    expect(after.diffIds.slice(0, 2)).toEqual(before.diffIds.slice(0, 2));
    expect(after.diffIds[2]).not.toBe(before.diffIds[2]);
  },
  MS,
);

describe.each(HERE)("%s", (engine) => {
  test(
    "builds on private ECR and on a base of a mirror, on the digests that the labels say",
    async () => {
      using setup = cliAt(lab.accounts);
      using cli = cliAt(lab.accounts, { path: pathWith(setup, engine) });
      const own = join(cli.folder, "own");
      writeBashSource(own);
      const base = await lab.build(cli, own, `engines/${engine}:1`);
      expect(base.status).toBe("BUILT");
      const copied = await pushSample(lab.quay(`engines/${engine}`), "1", { layers: [readFileSync(emptyTar(cli))] });
      const dockerfile = `ARG FROM=${HOME}/engines/${engine}:1\nFROM $FROM AS tools\nSHELL ["/bin/bash", "-c"]\nRUN echo made > /made\nFROM quay.io/engines/${engine}:1 AS mirrored\nFROM tools\nCOPY --from=quay.io/engines/${engine}:1 / /copied/\nRUN [[ $(</made) == made ]] && echo "$SECOND" > /second\n`;
      const folder = source(cli, "ran", dockerfile);
      const built = await lab.build(cli, folder, `ran/${engine}:1`);
      expect(built).toMatchObject({ status: "BUILT", engine, reason: "built by an engine" });
      expect(built.bytesMoved! + built.bytesSaved!).toBe(built.bytes);
      const { labels, diffIds } = await lab.inside(`ran/${engine}`, built.digest);
      expect(labels["org.omx.bases"]).toBe(`${HOME}/engines/${engine}:1@${base.digest} quay.io/engines/${engine}:1@${copied.digest}`);
      expect(diffIds[0]).toBe((await lab.inside(`engines/${engine}`, base.digest)).diffIds[0]);
      expect(await lab.build(cli, folder, `ran/${engine}:1`)).toMatchObject({ status: "SKIPPED", digest: built.digest });
      // The engine still has the old image under this name; it has to build on what is in ECR now.
      writeFileSync(join(own, "new.txt"), "new");
      const moved = await lab.build(cli, own, `engines/${engine}:1`);
      const again = await lab.build(cli, folder, `ran/${engine}:1`);
      expect(again).toMatchObject({ status: "BUILT", engine });
      expect((await lab.inside(`ran/${engine}`, again.digest)).diffIds[0]).toBe(
        (await lab.inside(`engines/${engine}`, moved.digest)).diffIds[0],
      );
    },
    MS,
  );
});

function emptyTar(cli: InProcess): string {
  const file = join(cli.folder, "empty.tar");
  execFileSync("tar", ["-cf", file, "-C", cli.folder, "--files-from", "/dev/null"]);
  return file;
}
