import {
  compareReleaseVersions,
  type DeclaredVersion,
  formatReleaseVersion,
  readReleaseVersion,
  type ReleaseVersion,
} from "../../kit/version.ts";

/** The next version of a declared major.minor: one above the highest patch there is. Names that are not ours don't count. */
export function nextVersion(declared: DeclaredVersion, existing: readonly string[]): ReleaseVersion {
  const patches = existing
    .flatMap((name) => readReleaseVersion(name) ?? [])
    .filter((version) => version.major === declared.major && version.minor === declared.minor);
  return { ...declared, patch: patches.reduce((highest, version) => Math.max(highest, version.patch), -1) + 1 };
}

/** Versions of ours, latest first. */
export const releasesAmong = (names: readonly string[]): readonly string[] =>
  names
    .flatMap((name) => readReleaseVersion(name) ?? [])
    .sort((a, b) => compareReleaseVersions(b, a))
    .map(formatReleaseVersion);
