import { expect, test } from "vitest";
import { formatReleaseVersion } from "../../kit/version.ts";
import { nextVersion, releasesAmong } from "./number.ts";

const next = (declared: [number, number], names: string[]) =>
  formatReleaseVersion(nextVersion({ major: declared[0], minor: declared[1] }, names));

test.each([
  [[1, 0], [], "1.0.0"],
  [[1, 0], ["1.0.0"], "1.0.1"],
  // The reference sorted these as text and stayed at 10 for ever (G2).
  [[1, 0], ["1.0.9", "1.0.10"], "1.0.11"],
  // The reference took 1.0.10 for a patch of 1.0.1 (G3).
  [[1, 1], ["1.10.3", "1.1.0"], "1.1.1"],
  [[1, 2], ["1.0.9", "1.1.4"], "1.2.0"],
  [[1, 0], ["1.0.0-rc.1", "v1.0.7", "main-1.0.0.10", "1.0.02"], "1.0.0"],
] as [[number, number], string[], string][])("after %j and %j comes %s", (declared, names, expected) => {
  expect(next(declared, names)).toBe(expected);
});

test("releases are ordered by number, not by text", () => {
  expect(releasesAmong(["1.0.9", "other", "1.0.10", "1.2.0", "0.9.9"])).toEqual(["1.2.0", "1.0.10", "1.0.9", "0.9.9"]);
});
