import { HeadBucketCommand, type S3Client } from "@aws-sdk/client-s3";
import type { ClientsOf } from "./chosen-clients.ts";
import { regionTold } from "./naming.ts";
import { s3 } from "./services/s3.ts";

/**
 * The client for a bucket that somebody names, in whatever region it is: S3 tells that in a header of its refusal. Omx's own
 * buckets are asked in their region from the start. (The SDK's `followRegionRedirects` is not used: two requests that are
 * redirected at once leave its client in the other region for good, and a body that is a stream can't be sent again.)
 */
export async function s3For(clients: ClientsOf<"s3">, bucket: string): Promise<S3Client> {
  const region = await clients.s3.send(new HeadBucketCommand({ Bucket: bucket })).then(() => undefined, regionTold);
  // Anything else is said by the request that follows.
  return region === undefined || region === clients.target.region ? clients.s3 : s3({ ...clients.target, region });
}
