import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Zippable, zipSync } from "fflate";
import picomatch from "picomatch";
import { ReleaseError } from "../errors.ts";
import { type Project, repositoryFiles } from "../project/project.ts";

/** A workflow definition as HealthOmics takes it. */
export interface Package {
  readonly zip: Uint8Array;
  /** SHA-256 of the ZIP in hex. The same files give the same bytes on every machine. */
  readonly sha256: string;
  readonly files: readonly string[];
}

/** What a request may carry, and what S3 may hold (HealthOmics guide, fixed quotas). */
export const REQUEST_LIMIT_BYTES = 4.4 * 1000 * 1000;
export const S3_LIMIT_BYTES = 100 * 1000 * 1000;

// fflate writes local time: local midnight of the first day that ZIP knows is the same bytes in every time zone.
const FIRST_DAY = new Date(1980, 0, 1);
const UNIX = 3;
const REGULAR_FILE = 0o100000;

/**
 * Packs the definition: everything of the repository but Git's folder, omx.yaml, what tests alone need and what
 * `exclude` names. Hidden files and folders of any name are kept.
 * @throws ReleaseError TooLarge over 100 MB
 */
export function packageDefinition(project: Project): Package {
  const files = definitionFiles(project);
  const contents: Zippable = {};
  for (const file of files) {
    const path = join(project.root, file);
    const executable = (statSync(path).mode & 0o111) !== 0;
    contents[file] = [
      readFileSync(path),
      { mtime: FIRST_DAY, os: UNIX, attrs: ((REGULAR_FILE | (executable ? 0o755 : 0o644)) << 16) >>> 0, level: 6 },
    ];
  }
  const zip = zipSync(contents);
  if (zip.byteLength > S3_LIMIT_BYTES)
    throw new ReleaseError("TooLarge", {
      says: `the packed definition has ${(zip.byteLength / 1e6).toFixed(1)} MB; HealthOmics takes 100 MB from S3`,
      fix: "leave large files out with `exclude` in omx.yaml; test data belongs in `tests[].data`",
      blame: "user",
      details: largest(project, files),
    });
  return { zip, sha256: createHash("sha256").update(zip).digest("hex"), files };
}

/** The definition's files in the order of the archive. */
export function definitionFiles(project: Project): readonly string[] {
  const onlyForTests = new Set(repositoryFiles(project));
  const excluded = picomatch([...project.config.exclude, ".git/**", ".omx-release/**"], { dot: true });
  return project.tree.files.filter((file) => file !== "omx.yaml" && !onlyForTests.has(file) && !excluded(file));
}

const largest = (project: Project, files: readonly string[]): readonly string[] =>
  files
    .map((file) => ({ file, size: project.tree.size(file) ?? 0 }))
    .sort((a, b) => b.size - a.size)
    .slice(0, 5)
    .map(({ file, size }) => `${(size / 1e6).toFixed(1)} MB ${file}`);
