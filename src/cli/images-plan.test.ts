import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CreateRepositoryCommand, ECRClient } from "@aws-sdk/client-ecr";
import { afterAll, beforeAll, expect, test } from "vitest";
import { noise, pushIndex, pushSample } from "../oci/testing/sample-images.ts";
import { type BuildLab, HOME, openBuildLab } from "./testing/build-lab.ts";
import { cliAt } from "./testing/in-process.ts";
import { project } from "./testing/project.ts";

const DIGEST = /^sha256:[0-9a-f]{64}$/;
const MS = 200_000;

interface Images {
  readonly images: readonly { readonly target?: string; readonly missingBytes?: number; readonly bytes?: number }[];
  readonly missingBytes: number;
}

let lab: BuildLab;
beforeAll(async () => void (lab = await openBuildLab()), MS);
afterAll(() => lab?.[Symbol.asyncDispose](), MS);

test(
  "plan says what would move, each shared layer once, and moves nothing; after a pull nothing would",
  async () => {
    using cli = cliAt(lab.accounts);
    const [shared, own] = [noise("plan shared", 50_000), noise("plan own", 20_000)];
    await pushSample(lab.quay("plan/a"), "1", { layers: [shared] });
    await pushSample(lab.quay("plan/b"), "1", { layers: [shared, own] });
    const names = ["quay.io/plan/a:1", "quay.io/plan/b:1"];
    const planned = await cli.run("images", "plan", ...names, "quay.io/plan/absent:1", ...lab.at, "--json");
    expect(planned.code).toBe(1);
    const { images, missingBytes } = planned.json<Images>();
    expect(images).toMatchObject([
      { source: names[0], target: `${HOME}/quay/plan/a:1`, status: "PULL", digest: expect.stringMatching(DIGEST) },
      { status: "PULL", bytes: expect.any(Number) },
      { status: "FAILED", reason: expect.stringContaining("does not have it") },
    ]);
    expect(images[1]!.missingBytes).toBeLessThan(images[1]!.bytes!);
    expect(missingBytes).toBeGreaterThan(70_000);
    expect(missingBytes).toBeLessThan(75_000);
    expect(
      (await cli.run("images", "list", "--profile", "cicd", "--json"))
        .json<Images>()
        .images.filter(({ target }) => target?.includes("plan")),
    ).toEqual([]);

    expect((await cli.run("images", "pull", ...names, ...lab.at, "--json")).code).toBe(0);
    await pushSample(lab.quay("plan/a"), "1", { layers: [own] });
    const again = await cli.run("images", "plan", ...names, ...lab.at);
    expect(again.code).toBe(0);
    expect(again.stdout).toMatch(/^MOVED {2}quay\.io\/plan\/a:1 .*now sha256:/m);
    expect(again.stdout).toMatch(/^SKIP {3}quay\.io\/plan\/b:1/m);
  },
  MS,
);

test(
  "plan of a repository lists its builds too, and a platform is taken out of an index",
  async () => {
    using cli = cliAt(lab.accounts);
    const amd = await pushSample(lab.quay("plan/multi"), "", { layers: [noise("amd", 9000)] });
    const arm = await pushSample(lab.quay("plan/multi"), "", {
      layers: [noise("arm", 30_000)],
      platform: { os: "linux", architecture: "arm64" },
    });
    await pushIndex(lab.quay("plan/multi"), "1", [amd, arm]);
    const folder = project(
      cli,
      "planned",
      ["quay.io/plan/multi:1", "own/tool:1"],
      "images: { build: [{ source: tool, target: own/tool:1 }] }\n",
    );
    mkdirSync(join(folder, "tool"));
    writeFileSync(join(folder, "tool", "Dockerfile"), "FROM scratch\n");
    const of = async (...flags: readonly string[]) =>
      (await cli.run("images", "plan", "--project", folder, ...lab.at, "--json", ...flags)).json<Images>().images;
    expect(await of()).toEqual(await of("--project", join(folder, "omx.yaml")));
    expect(await of("--namespace", `quay.io=mirror/quay`)).toMatchObject([{ target: `${HOME}/mirror/quay/plan/multi:1` }, {}]);
    expect(await of("--platform", "linux/amd64")).toMatchObject([
      { status: "PULL", digest: amd.digest },
      { source: "tool", target: `${HOME}/own/tool:1`, status: "BUILD" },
    ]);
    expect((await of())[0]!.bytes).toBeGreaterThan(39_000);
  },
  MS,
);

test(
  "list shows what omx staged, with tags, size, source and time, and nothing of others",
  async () => {
    using cli = cliAt(lab.accounts);
    const { digest } = await pushSample(lab.quay("list/tool"), "1", { layers: [noise("list", 10_000)] });
    await cli.run("images", "pull", "quay.io/list/tool:1", ...lab.at, "--json");
    await new ECRClient(lab.accounts.config()).send(new CreateRepositoryCommand({ repositoryName: "somebody/else" }));
    writeFileSync(join(cli.folder, "Dockerfile"), "FROM scratch\nCOPY Dockerfile /\n");
    await cli.run("images", "build", cli.folder, "list/built:2", "--label", "git.example/tools", "--commit", "abc", "--profile", "cicd");
    const listed = (await cli.run("images", "list", "--profile", "cicd", "--json"))
      .json<{ images: readonly { repository: string }[] }>()
      .images.filter(({ repository }) => /list|else/.test(repository));
    expect(listed).toEqual([
      {
        repository: "list/built",
        digest: expect.stringMatching(DIGEST),
        tags: ["2"],
        sizeBytes: expect.any(Number),
        pushedAt: expect.stringMatching(/^\d{4}-/),
        source: "git.example/tools",
        commit: "abc",
        sourceHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
      {
        repository: "quay/list/tool",
        digest,
        tags: ["1"],
        sizeBytes: expect.any(Number),
        pushedAt: expect.stringMatching(/^\d{4}-/),
        source: "quay.io/list/tool",
      },
    ]);
    expect((await cli.run("images", "list", "--profile", "cicd")).stdout).toContain("quay/list/tool:1");
  },
  MS,
);
