import { S3Client } from "@aws-sdk/client-s3";
import { configOf, isLocal, type Target } from "../target.ts";

export const s3 = (target: Target): S3Client => new S3Client({ ...configOf(target), forcePathStyle: isLocal(target) });
