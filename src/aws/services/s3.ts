import { S3Client } from "@aws-sdk/client-s3";
import { configOf, isLocal, type Target } from "../target.ts";

/** How long a connection may say nothing, also amid an object: what the AWS CLI and boto3 wait. */
const SILENCE_MS = 60_000;

/** @param silenceMs after it a request fails with a TimeoutError, and so does the body of an answer */
export const s3 = (target: Target, silenceMs = SILENCE_MS): S3Client => {
  const { requestHandler, ...config } = configOf(target);
  return new S3Client({ ...config, forcePathStyle: isLocal(target), requestHandler: { ...requestHandler, socketTimeout: silenceMs } });
};
