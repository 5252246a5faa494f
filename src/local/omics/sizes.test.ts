import { describe, expect, test } from "vitest";
import { instanceTypeOf } from "./instance-types.ts";
import { provisionedGib } from "./storage-sizes.ts";

describe("static storage", () => {
  test.each([
    [0, 1200],
    [1000, 1200],
    [1200, 1200],
    [1201, 2400],
    [5000, 7200],
    [42_000, 43_200],
  ])("%i GiB → %i GiB", (asked, given) => expect(provisionedGib(asked)).toBe(given));
});

describe("instance types", () => {
  const cpu = (cpus: number, memoryGib: number, region = "us-east-1") => instanceTypeOf({ cpus, memoryGib, gpus: 0 }, region);

  test.each([
    [1, 1, "omics.c.large"],
    [2, 4, "omics.c.large"],
    [2, 5, "omics.m.large"],
    [2, 16, "omics.r.large"],
    [3, 2, "omics.c.xlarge"],
    [2, 17, "omics.r.xlarge"],
    [8, 16, "omics.c.2xlarge"],
    [96, 768, "omics.r.24xlarge"],
    [192, 1536, "omics.r.48xlarge"],
  ])("%i vCPU, %i GiB → %s", (cpus, memoryGib, name) => expect(cpu(cpus, memoryGib)).toBe(name));

  test("what no instance holds has none, and the largest are not everywhere", () => {
    expect(cpu(193, 1)).toBeUndefined();
    expect(cpu(128, 1, "eu-west-1")).toBeUndefined();
    expect(cpu(128, 1)).toBe("omics.c.32xlarge");
  });

  test.each([
    ["nvidia-tesla-t4", 1, 4, 16, "omics.g4dn.xlarge"],
    ["nvidia-tesla-t4-a10g", 1, 4, 16, "omics.g4dn.xlarge"],
    ["nvidia-t4-a10g-l4", 1, 4, 16, "omics.g6.xlarge"],
    ["nvidia-tesla-a10g", 4, 8, 16, "omics.g5.12xlarge"],
    ["nvidia-l40s", 1, 8, 64, "omics.g6e.2xlarge"],
  ])("%s ×%i with %i vCPU and %i GiB → %s", (accelerator, gpus, cpus, memoryGib, name) =>
    expect(instanceTypeOf({ cpus, memoryGib, gpus, accelerator }, "us-east-1")).toBe(name),
  );

  test("an accelerator nobody knows has no instance", () => {
    expect(instanceTypeOf({ cpus: 1, memoryGib: 1, gpus: 1, accelerator: "abacus" }, "us-east-1")).toBeUndefined();
  });
});
