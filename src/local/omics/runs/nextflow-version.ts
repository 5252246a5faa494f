import { satisfies, validRange } from "semver";
import { RunFailure } from "./run-failure.ts";

/** Versions that HealthOmics has, in the order in which it tries them for a range (guide, "Workflow engine versions"). */
const PREFERRED = ["23.10.0", "22.04.0", "24.10.8", "25.10.0", "26.04.0"] as const;
const DEFAULT = "23.10.0";
const DSL1 = "22.04.0";

export interface VersionQuestion {
  /** `manifest.nextflowVersion` as it is written. */
  readonly required?: string | undefined;
  readonly isDsl1: boolean;
  /** engineSettings.engineVersion, which wins over the definition. */
  readonly asked?: string | undefined;
}

/**
 * The version of Nextflow that HealthOmics would run.
 * @throws RunFailure WORKFLOW_VER_VALIDATION_FAILED for a version that it does not have and that the definition insists on
 */
export function nextflowVersion({ required, isDsl1, asked }: VersionQuestion): string {
  if (asked !== undefined) return askedVersion(asked);
  if (isDsl1) return DSL1;
  const text = (required ?? "").trim();
  const isPinned = text.startsWith("!");
  const wanted = text.replace(/^!/, "").trim();
  if (wanted === "") return DEFAULT;
  const found = PREFERRED.find((version) => version === wanted) ?? matching(wanted);
  if (found === undefined && isPinned) throw noVersion(`manifest.nextflowVersion is '${text}'`);
  return found ?? DEFAULT;
}

/** Nextflow separates the parts of a range with commas, semver with blanks. */
function matching(wanted: string): string | undefined {
  const range = wanted.replaceAll(",", " ").replaceAll(/\b0+(?=\d)/g, "");
  if (validRange(range) === null) return undefined;
  return PREFERRED.find((version) => satisfies(version.replaceAll(/\.0(?=\d)/g, "."), range));
}

/** `24.10` and `24.10.8` both name a version. */
function askedVersion(asked: string): string {
  const found = PREFERRED.find((version) => version === asked || version.startsWith(`${asked}.`));
  if (found === undefined) throw noVersion(`engineSettings.engineVersion is '${asked}'`);
  return found;
}

const noVersion = (what: string): RunFailure =>
  new RunFailure("WORKFLOW_VER_VALIDATION_FAILED", `${what}; HealthOmics has ${[...PREFERRED].sort().join(", ")}`);
