import { afterAll, beforeAll, expect, test } from "vitest";
import { cliAt } from "./testing/in-process.ts";
import { AMD, ARM, type KindsLab, openKindsLab } from "./testing/kinds-lab.ts";
import { project } from "./testing/project.ts";

const MS = 120_000;

let lab: KindsLab;
beforeAll(async () => {
  lab = await openKindsLab();
}, MS);
afterAll(() => lab?.[Symbol.asyncDispose](), MS);

test(
  "one platform: of an index its child, of an image that is for another one a refusal, of what has none itself",
  async () => {
    const index = lab.index([{ ...lab.image([lab.gzip("arm")], undefined, ARM), platform: { ...ARM, variant: "v8" } }], "arm-index");
    expect(await lab.pull("arm-index", "--platform", "linux/amd64")).toMatchObject({
      status: "FAILED",
      reason: "quay.io/kinds/tool:arm-index is not offered for linux/amd64, only for linux/arm64/v8",
    });
    expect((await lab.pull("arm-index", "--platform", "linux/arm64"))?.digest).not.toBe(index.digest);
    lab.image([lab.gzip("alone")], "alone");
    expect(await lab.pull("alone", "--platform", "linux/arm64")).toMatchObject({
      status: "FAILED",
      reason: "quay.io/kinds/tool:alone is not offered for linux/arm64, only for linux/amd64",
    });
    expect(await lab.pull("alone", "--platform", "linux/amd64")).toMatchObject({ status: "PULLED" });
    lab.image([lab.gzip("chart")], "chart", { name: "a chart, and no image" });
    expect(await lab.pull("chart", "--platform", "linux/amd64")).toMatchObject({ status: "PULLED" });
    lab.index([], "empty-index");
    expect(await lab.pull("empty-index", "--platform", "linux/amd64")).toMatchObject({
      status: "FAILED",
      reason: expect.stringContaining("nor for any other platform"),
    });
  },
  MS,
);

test(
  "one platform of an index whose entries name none, and of an index in an index",
  async () => {
    const [tool, arm] = [lab.image([lab.gzip("unnamed")]), lab.image([lab.gzip("unnamed arm")], undefined, ARM)];
    const inner = lab.index([arm, tool], "unnamed");
    lab.index([inner], "nested");
    expect(await lab.pull("unnamed", "--platform", "linux/amd64")).toMatchObject({ status: "PULLED", digest: tool.digest });
    expect(await lab.pull("nested", "--platform", "linux/arm64")).toMatchObject({ status: "PULLED", digest: arm.digest });
    expect(await lab.pull("nested", "--platform", "linux/s390x")).toMatchObject({
      status: "FAILED",
      reason: "quay.io/kinds/tool:nested is not offered for linux/s390x, only for linux/arm64, linux/amd64",
    });
  },
  MS,
);

test(
  "plan says the same of platforms, and a word that is none is wrong usage",
  async () => {
    using cli = cliAt(lab.accounts);
    lab.image([lab.gzip("planned")], "planned");
    const at = ["quay.io/kinds/tool:planned", ...lab.at] as const;
    expect((await cli.run("images", "plan", ...at, "--platform", "linux/arm64")).stdout).toContain(
      "not offered for linux/arm64, only for linux/amd64",
    );
    for (const command of ["plan", "pull"]) {
      const { code, stderr } = await cli.run("images", command, ...at, "--platform", "amd64");
      expect([code, stderr]).toEqual([
        2,
        expect.stringContaining('"amd64" is not a platform: write it as linux/amd64 or linux/arm64/v8, or all.'),
      ]);
    }
  },
  MS,
);

test(
  "a lock stays with the platform for which it was made, and is not written anew for nothing",
  async () => {
    const [tool, arm] = [lab.image([lab.gzip("of two")]), lab.image([lab.gzip("of two arm")], undefined, ARM)];
    lab.index(
      [
        { ...tool, platform: AMD },
        { ...arm, platform: ARM },
      ],
      "of-two",
    );
    await lab.pull("of-two", "--platform", "linux/amd64");
    using cli = cliAt(lab.accounts);
    const folder = project(cli, "platforms", ["quay.io/kinds/tool:of-two"]);
    const lock = async (...flags: readonly string[]) => {
      const ran = await cli.run("images", "lock", folder, ...lab.at, "--json", ...flags);
      return { code: ran.code, ...ran.json<object>() };
    };
    expect(await lock("--platform", "linux/amd64")).toMatchObject({
      code: 0,
      written: true,
      images: [{ status: "NEW", digest: tool.digest }],
    });
    expect(await lock()).toMatchObject({ code: 0, written: false, images: [{ status: "SAME", digest: tool.digest }] });
    expect(await lock("--check", "--platform", "all")).toMatchObject({ code: 1, images: [{ status: "NOT_STAGED", before: tool.digest }] });
  },
  MS,
);

test(
  "an image without the platform that HealthOmics runs is brought, and plan and pull say what it means",
  async () => {
    const arm = { ...lab.image([lab.gzip("arm only")], undefined, ARM), platform: ARM };
    const says = "HealthOmics runs tasks on linux/amd64, for which this image is not offered, only for linux/arm64";
    lab.index([arm], "arm-only");
    using cli = cliAt(lab.accounts);
    expect((await cli.run("images", "plan", "quay.io/kinds/tool:arm-only", ...lab.at)).stdout).toContain(`; ${says})`);
    expect(await lab.pull("arm-only")).toMatchObject({ status: "PULLED", reason: `the target did not have it; ${says}` });
    expect(await lab.pull("arm-only")).toMatchObject({ status: "SKIPPED", reason: `the target has the same digest; ${says}` });
    lab.image([lab.gzip("built on a laptop")], "laptop", ARM);
    expect((await cli.run("images", "plan", "quay.io/kinds/tool:laptop", ...lab.at)).stdout).toContain(`; ${says})`);
    expect(await lab.pull("laptop")).toMatchObject({ status: "PULLED", reason: `the target did not have it; ${says}` });
    lab.attested("attested-tool");
    expect((await lab.pull("attested-tool"))?.reason).not.toContain("HealthOmics");
  },
  MS,
);
