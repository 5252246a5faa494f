import { describe, expect, test } from "vitest";
import { nextflowVersion } from "./nextflow-version.ts";

const of = (required?: string) => nextflowVersion({ required, isDsl1: false });

describe("the version of Nextflow that HealthOmics would run (the guide's rules)", () => {
  test.each([
    [undefined, "23.10.0"],
    ["24.10.8", "24.10.8"],
    ["!25.10.0", "25.10.0"],
    [">=22.10", "23.10.0"],
    [">=24.04.2", "24.10.8"],
    ["!>=24.04.2", "24.10.8"],
    [">=20.07, <=22.05", "22.04.0"],
    [">=99.0", "23.10.0"],
    ["whatever", "23.10.0"],
  ])("%s → %s", (required, version) => expect(of(required)).toBe(version));

  test("DSL1 runs on 22.04", () => expect(nextflowVersion({ isDsl1: true, required: ">=23.04" })).toBe("22.04.0"));

  test("the run's settings win", () => {
    expect(nextflowVersion({ isDsl1: false, required: "24.10.8", asked: "25.10" })).toBe("25.10.0");
    expect(nextflowVersion({ isDsl1: false, asked: "22.04.0" })).toBe("22.04.0");
  });

  test("a version that is insisted on and not there fails", () => {
    expect(() => of("!>=99.0")).toThrow(expect.objectContaining({ code: "WORKFLOW_VER_VALIDATION_FAILED" }));
    expect(() => nextflowVersion({ isDsl1: false, asked: "21.04" })).toThrow(
      expect.objectContaining({ code: "WORKFLOW_VER_VALIDATION_FAILED" }),
    );
  });
});
