import type { ImageReferrers } from "./referrers.ts";

/** result.json: what production made of a bundle, beside it. */
export interface ReleaseResult {
  readonly account: string;
  readonly region: string;
  readonly status: "ACTIVE" | "FAILED" | "REFUSED";
  /** Of the record this answers. */
  readonly handedOverAt: string;
  readonly message: string;
  readonly workflowId?: string;
  readonly versionArn?: string;
  readonly at?: string;
  /** What refers to its images; absent where nothing does. */
  readonly referrers?: readonly ImageReferrers[];
}

export const RESULT_FILE = "result.json";
