import { describe, expect, test } from "vitest";
import type { ImageUse } from "../../workflow/inspection.ts";
import { parseOmxYaml } from "../project/omx-yaml.ts";
import { lockImages } from "./lock/lock.ts";
import { formatLock, parseLock, pinnedBy } from "./lock/lock-file.ts";
import { buildTarget, checkBuildTargets, planImages, planPulls } from "./plan.ts";

const PLACE = { account: "111122223333", region: "us-east-1" };
const REGISTRY = "111122223333.dkr.ecr.us-east-1.amazonaws.com";
const DIGEST = `sha256:${"a".repeat(64)}`;
const OTHER = `sha256:${"b".repeat(64)}`;
const BWA = "quay.io/biocontainers/bwa:0.7.18";

const uses = (...images: string[]): ImageUse[] => images.map((image) => ({ image }) as ImageUse);
const images = (yaml: string) => parseOmxYaml(`name: demo\nversion: "1.0"\nimages:\n${yaml}`).images;
const NONE = images("  extra: []");

describe("what a definition's images become", () => {
  test("an image is brought once, however many tasks use it", () => {
    expect(planImages(uses(BWA, "ubuntu:24.04", BWA), NONE).pulls).toEqual([BWA, "ubuntu:24.04"]);
  });

  test("an image that omx.yaml builds is not pulled", () => {
    const plan = planImages(uses("demo/tool:1", "ubuntu:24.04"), images("  build: [{ source: tool, target: demo/tool:1 }]"));
    expect(plan.pulls).toEqual(["ubuntu:24.04"]);
    expect(plan.uses).toContainEqual({ image: "demo/tool:1", from: { build: "demo/tool:1" } });
  });

  test("an image that is called as what every object has is an image", () => {
    expect(planImages(uses("constructor"), NONE).pulls).toEqual(["constructor"]);
  });

  test("a substitute is pulled under its own name, for the name the definition uses", () => {
    const plan = planImages(uses("ubuntu:latest"), images('  substitute: { "ubuntu:latest": "ubuntu:24.04" }'));
    expect(plan.pulls).toEqual(["ubuntu:24.04"]);
    expect(plan.uses).toEqual([{ image: "ubuntu:latest", from: { pull: "ubuntu:24.04" } }]);
  });

  test("what omx.yaml adds is brought, and a Singularity file on the web is not", () => {
    expect(planImages(uses("https://depot.galaxyproject.org/singularity/bwa:0.7.18"), images(`  extra: ["${BWA}"]`)).pulls).toEqual([BWA]);
  });
});

describe("where images go", () => {
  test.each([
    [BWA, "quay/biocontainers/bwa:0.7.18"],
    ["ubuntu:24.04", "dockerhub/library/ubuntu:24.04"],
    ["public.ecr.aws/docker/library/python:3.12", "ecr-public/docker/library/python:3.12"],
    ["ghcr.io/owner/tool:2", "ghcr/owner/tool:2"],
  ])("%s", (source, target) => {
    expect(planPulls([source], PLACE)).toMatchObject([{ source_uri: source, target_image: `${REGISTRY}/${target}` }]);
  });

  test("a built image keeps its own name", () => {
    expect(buildTarget("demo/tool:1", PLACE)).toMatchObject({ repository: "demo/tool", tag: "1" });
  });

  test("a name that is none is told as it is written", () => {
    expect(() => planPulls(["ubuntu:not a tag"], PLACE)).toThrow("ubuntu:not a tag");
  });

  test("every name that is none is told at once", () => {
    expect(() => planPulls(["Quay.io/a/b:1", "ubuntu:1", "localhost:007/a"], PLACE)).toThrow(
      /2 images can't be brought\n  "Quay\.io.*write quay\.io in lower case\n  "localhost:007.*write 7/,
    );
  });

  test("a namespace that is none is the user's to correct", () => {
    expect(() => planPulls(["ubuntu:1"], PLACE, { "lab.example": "quay" })).toThrow(
      expect.objectContaining({ code: "ProjectInvalid", blame: "user", message: expect.stringContaining("would meet those of quay.io") }),
    );
  });

  test("two registries of one namespace are told with the setting that separates them", () => {
    const sources = ["us.gcr.io/p/tool:1", "eu.gcr.io/p/tool:1"];
    expect(() => planPulls(sources, PLACE)).toThrow(
      expect.objectContaining({
        code: "ImageCollision",
        message: expect.stringContaining('{"eu.gcr.io": "eu-gcr-io"}'),
        fix: expect.stringContaining("containers.namespaces of omx.deploy.yaml"),
      }),
    );
    expect(planPulls(sources, PLACE, { "eu.gcr.io": "eu-gcr-io" }).map(({ target_image: target }) => target)).toEqual([
      `${REGISTRY}/gcr/p/tool:1`,
      `${REGISTRY}/eu-gcr-io/p/tool:1`,
    ]);
  });

  test("a built image is never stored over a pulled one, nor over another", () => {
    const builds = (...targets: readonly string[]) =>
      images(
        `  build: [${targets.map((target) => `{ source: ${target.split(":")[0]?.replaceAll("/", "-")}, target: "${target}" }`).join(", ")}]`,
      ).build;
    expect(() => checkBuildTargets({ pulls: ["ubuntu:1"], builds: builds("dockerhub/library/ubuntu:1") }, PLACE)).toThrow(
      `ubuntu:1 and the build of dockerhub/library/ubuntu:1 would both become ${REGISTRY}/dockerhub/library/ubuntu:1; give the build another target`,
    );
    expect(() => checkBuildTargets({ pulls: [], builds: builds("quay.io/lab/tool:1", "lab/tool:1") }, PLACE)).toThrow(
      `the builds of quay.io/lab/tool:1 (from quay.io-lab-tool) and lab/tool:1 (from lab-tool) would both become ${REGISTRY}/lab/tool:1`,
    );
    expect(() =>
      checkBuildTargets(
        { pulls: ["ubuntu:1", "quay.io/lab/tool:1"], builds: builds("lab/tool:1", "lab/tool:2", "dockerhub/library/ubuntu:2") },
        PLACE,
      ),
    ).not.toThrow();
    expect(() =>
      checkBuildTargets({ pulls: ["quay.io/lab/tool:1"], builds: builds("mirror/lab/tool:1") }, PLACE, { "quay.io": "mirror" }),
    ).toThrow("would both become");
    // A deployment may have separated these; and the puller tells of names that are none when all others are there.
    expect(() =>
      checkBuildTargets({ pulls: ["us.gcr.io/p/tool:1", "eu.gcr.io/p/tool:1", "Ubuntu:1"], builds: builds("lab/tool:1") }, PLACE),
    ).not.toThrow();
  });
});

describe("the lock", () => {
  const plan = planImages(uses(BWA, "demo/tool:1"), images("  build: [{ target: demo/tool:1 }]"));
  const lock = lockImages(
    plan,
    [
      { source_uri: BWA, target_image: `${REGISTRY}/quay/biocontainers/bwa:0.7.18`, status: "SKIPPED", digest: DIGEST },
      { source_uri: "s3://sources/tool.zip", target_image: `${REGISTRY}/demo/tool:1`, status: "SUCCEEDED", digest: OTHER },
    ],
    PLACE,
  );

  test("names every image by digest, and what it was made of", () => {
    expect(lock).toEqual({
      version: 1,
      images: [
        { image: BWA, source: BWA, target: `${REGISTRY}/quay/biocontainers/bwa@${DIGEST}`, digest: DIGEST },
        { image: "demo/tool:1", source: "s3://sources/tool.zip", target: `${REGISTRY}/demo/tool@${OTHER}`, digest: OTHER },
      ],
    });
  });

  test.each([
    ["a merge", (text: string) => text.replace("{\n", "{\n<<<<<<< HEAD\n"), "lock.json:2 holds a merge that nobody has resolved"],
    ["another version", (text: string) => text.replace('"version": 1', '"version": 2'), "version: it is 2, and this omx reads version 1"],
    [
      "half of a merge",
      (text: string) => text.replace(`"digest": "${OTHER}"`, `"digest": "${DIGEST}"`),
      "images.1.target: it is not named by the digest beside it",
    ],
    ["an image twice", (text: string) => text.replace('"demo/tool:1"', `"${BWA}"`), `images: ${BWA} is there twice`],
    ["a list", () => "[]", "lock.json is no lock of images: Invalid input"],
  ])("with %s in it is read by nobody, and the reason says what and where", (_what, edit, says) => {
    expect(parseLock(formatLock(lock), "lock.json")).toEqual(lock);
    expect(() => parseLock(edit(formatLock(lock)), "lock.json")).toThrow(says);
  });

  test("an image without a digest is an error, not left out", () => {
    const outcomes = [{ source_uri: BWA, target_image: `${REGISTRY}/quay/biocontainers/bwa:0.7.18`, status: "SUCCEEDED" as const }];
    expect(() => lockImages(plan, outcomes, PLACE)).toThrow(
      /2 of 2 images are not known by digest[^]*bwa:0\.7\.18: SUCCEEDED without a digest[^]*demo\/tool:1: staging says nothing of it/,
    );
  });

  test("in the repository it decides what is pulled: its images by digest, others by their tag", () => {
    const pinned = pinnedBy(planImages(uses(BWA, "ubuntu:24.04", "demo/tool:1"), images("  build: [{ target: demo/tool:1 }]")), lock);
    expect(pinned.pulls).toEqual([`${BWA}@${DIGEST}`, "ubuntu:24.04"]);
    expect(pinned.uses[0]).toEqual({ image: BWA, from: { pull: `${BWA}@${DIGEST}` } });
    const outcome = {
      source_uri: `${BWA}@${DIGEST}`,
      target_image: `${REGISTRY}/quay/biocontainers/bwa:0.7.18@${DIGEST}`,
      status: "SUCCEEDED" as const,
      digest: DIGEST,
    };
    expect(lockImages({ ...pinned, uses: pinned.uses.slice(0, 1) }, [outcome], PLACE).images).toEqual([
      { image: BWA, source: `${BWA}@${DIGEST}`, target: `${REGISTRY}/quay/biocontainers/bwa@${DIGEST}`, digest: DIGEST },
    ]);
  });
});
