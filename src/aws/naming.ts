import { formatS3Uri, type S3Uri } from "../kit/s3-uri.ts";

/** What an error of the SDK has of S3's answer. */
export interface Answered extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

/** Where S3 says that a bucket is, to whoever asks elsewhere: also to who may not see it. */
export const regionTold = ({ $response }: Answered): string | undefined => $response?.headers?.["x-amz-bucket-region"];

/** Throws the error with its object named. To HEAD in another region S3 answers with nothing that the SDK has a sentence for. */
export const naming =
  (at: S3Uri) =>
  (error: Answered): never => {
    const elsewhere = error.$metadata?.httpStatusCode === 301 ? regionTold(error) : undefined;
    error.message = `${formatS3Uri(at)}: ${elsewhere === undefined ? error.message : `the bucket is in ${elsewhere}, and was asked for in another region`}`;
    throw error;
  };
