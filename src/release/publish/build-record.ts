import type { BuildEnvironment, Identity } from "../environment.ts";
import type { ContainersLock } from "../images/lock/lock.ts";
import { PREFIXES } from "../names.ts";
import type { Project } from "../project/project.ts";
import type { ReleaseRecord } from "../promote/bundle.ts";
import type { TestRunInput } from "../testrun/state-machine.ts";
import type { PublishedVersion } from "./create-version.ts";
import type { Package } from "./package.ts";

/** build.json: what a build made, for everything that follows; a release record without its approval. */
export type BuildRecord = Omit<ReleaseRecord, "approval" | "handedOverAt" | "tests"> & {
  /** Set when no version of ours was there before. */
  readonly lastVersion?: string;
  readonly differences: Differences;
  readonly evidence: { readonly bucket: string; readonly prefix: string };
};

export const BUILD_FILE = "build.json";

export interface BuiltParts {
  readonly env: BuildEnvironment;
  readonly identity: Identity;
  readonly project: Project;
  readonly lock: ContainersLock;
  readonly packed: Package;
  readonly version: PublishedVersion;
  readonly tests: TestRunInput;
  readonly outputDir: string;
}

/** What changed since the last version that was released: what an approver should look at. */
export interface Differences {
  /** The version compared with; absent for a first release. */
  readonly since?: string;
  /** Set where no version was released yet: the one compared with was built alone. */
  readonly isSinceUnreleased?: boolean;
  readonly parameters: readonly Change[];
  readonly images: readonly (Change & { readonly bytesBefore?: number })[];
  /** Set where that version left no record of its images: `omx publish` makes such. */
  readonly areImagesUnknown?: boolean;
  readonly files: readonly string[];
  /** Set when a parameter was removed or is newly required: callers of the last version would break. */
  readonly breaking?: string;
}

export interface Change {
  readonly name: string;
  readonly change: "added" | "removed" | "changed";
  readonly before?: string;
  readonly after?: string;
}

/** Where the evidence of a release lies in the artifacts bucket. */
export const evidencePrefix = (workflow: string, version: string): string => `${PREFIXES.evidence}/${workflow}/${version}`;
