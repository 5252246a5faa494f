import { InvalidValue } from "./invalid-value.ts";

/** The part of a release's number that people choose: `1.2`. */
export interface DeclaredVersion {
  readonly major: number;
  readonly minor: number;
}

/** The number of a release: the declared part and the counted patch. */
export interface ReleaseVersion extends DeclaredVersion {
  readonly patch: number;
}

const NUMBER = String.raw`(0|[1-9]\d{0,8})`;

/** @throws InvalidValue unless the text is `major.minor` */
export function parseDeclaredVersion(text: string): DeclaredVersion {
  const match = new RegExp(`^${NUMBER}\\.${NUMBER}$`).exec(text);
  if (!match) throw new InvalidValue("version", text, 'write major.minor, as in "1.2"; the patch is counted by omx');
  return { major: Number(match[1]), minor: Number(match[2]) };
}

/** The release version that `text` spells exactly, or undefined: other version names of a workflow are not ours. */
export function readReleaseVersion(text: string): ReleaseVersion | undefined {
  const match = new RegExp(`^${NUMBER}\\.${NUMBER}\\.${NUMBER}$`).exec(text);
  return match ? { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3]) } : undefined;
}

/** Prints `major.minor.patch`. */
export const formatReleaseVersion = (v: ReleaseVersion): string => `${v.major}.${v.minor}.${v.patch}`;

/** Prints `major.minor`. */
export const formatDeclaredVersion = (v: DeclaredVersion): string => `${v.major}.${v.minor}`;

/** Orders by precedence: negative when `a` comes before `b`. */
export const compareReleaseVersions = (a: ReleaseVersion, b: ReleaseVersion): number =>
  a.major - b.major || a.minor - b.minor || a.patch - b.patch;
