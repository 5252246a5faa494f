/** Everything that can keep a release from happening. */
export type ReleaseErrorCode =
  | "ProjectInvalid"
  | "VersionInvalid"
  | "WorkflowInvalid"
  | "TestDataMissing"
  | "TooLarge"
  | "ImageUnresolved"
  | "ImageCollision"
  | "ImagesFailed"
  | "ImageNotReadable"
  | "WorkflowFailed"
  | "WorkflowNotActive"
  | "VersionTaken"
  | "TestsFailed"
  | "NotApproved"
  | "BundleIncomplete"
  | "ReleaseFailed"
  | "AccessDenied";

export interface Explanation {
  /** What is wrong, with the wrong value and where it stands. */
  readonly says: string;
  /** What to do. */
  readonly fix: string;
  /** Whose turn it is. */
  readonly blame: "user" | "aws" | "us";
  /** Further lines: every failed image, every missing file. */
  readonly details?: readonly string[];
}

/** A release that can't go on, and what to do about it. */
export class ReleaseError extends Error {
  override readonly name = "ReleaseError";
  readonly code: ReleaseErrorCode;
  readonly fix: string;
  readonly blame: Explanation["blame"];
  readonly details: readonly string[];

  constructor(code: ReleaseErrorCode, { says, fix, blame, details = [] }: Explanation) {
    super([says, ...details.map((line) => `  ${line}`)].join("\n"));
    this.code = code;
    this.fix = fix;
    this.blame = blame;
    this.details = details;
  }
}

/** Somebody said no: an answer, not a defect. */
export class Declined extends Error {
  override readonly name = "Declined";
}
