import type { S3Client } from "@aws-sdk/client-s3";
import { writeObject } from "../../aws/objects.ts";
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

/** Where a bundle lies. */
export interface BundlePlace {
  readonly bucket: string;
  readonly prefix: string;
}

/** Answers a bundle, beside it. @returns the result */
export async function writeResult(s3: S3Client, { bucket, prefix }: BundlePlace, result: ReleaseResult): Promise<ReleaseResult> {
  await writeObject(s3, { bucket, key: `${prefix}/${RESULT_FILE}` }, `${JSON.stringify(result, null, 2)}\n`, "application/json");
  return result;
}

/** What a build that releases a bundle is told: `s3://bucket/prefix` of it. */
export const BUNDLE_VARIABLE = "OMX_BUNDLE";
/** And which hand-over it is. */
export const HANDED_OVER_VARIABLE = "OMX_HANDED_OVER";
