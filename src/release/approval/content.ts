import { createHash } from "node:crypto";

// What is added after the build, and what is shown to the approver and not released.
const BESIDE: ReadonlySet<string> = new Set(["approval", "handedOverAt", "tests", "differences", "evidence", "lastVersion"]);

/**
 * Names what a build made, by one digest: the files, images and settings that its record lists, whoever adds to the
 * record later. `build.json` and the `release.json` made of it have the same.
 * @param record either, as it was parsed from JSON
 * @returns `sha256:` and 64 hexadecimal digits
 */
export function contentDigest(record: object): string {
  const released = Object.entries(record)
    .filter(([key]) => !BESIDE.has(key))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `sha256:${createHash("sha256").update(JSON.stringify(released)).digest("hex")}`;
}
