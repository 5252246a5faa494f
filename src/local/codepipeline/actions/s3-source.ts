import type { Readable } from "node:stream";
import { readBody } from "../../gateway/read-body.ts";
import type { ActionContext, ActionOutcome } from "../action.ts";
import { storeOutput } from "./artifacts.ts";

const LIMIT_BYTES = 2 * 1024 ** 3;

/** An object of a bucket, copied into the artifact store. */
export async function s3Source(context: ActionContext): Promise<ActionOutcome> {
  const { core, execution, configuration, as } = context;
  const { account, region } = execution;
  const { S3Bucket: bucket = "", S3ObjectKey: key = "" } = configuration;
  const object = await core.dispatcher.call<{ Body: Readable; ETag?: string; VersionId?: string }>({
    service: "s3",
    operation: "GetObject",
    input: { Bucket: bucket, Key: key },
    as,
    account,
    region,
  });
  await storeOutput(context, await readBody(object.Body, LIMIT_BYTES));
  const revision = object.VersionId ?? object.ETag?.replaceAll('"', "") ?? "";
  return {
    variables: { BucketName: bucket, ObjectKey: key, ETag: object.ETag?.replaceAll('"', "") ?? "", VersionId: object.VersionId ?? "null" },
    revision: { id: revision, summary: `Amazon S3 version id: ${revision}`, url: `s3://${bucket}/${key}` },
  };
}
