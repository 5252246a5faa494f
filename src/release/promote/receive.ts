import { StartBuildCommand } from "@aws-sdk/client-codebuild";
import { ReleaseError } from "../errors.ts";
import { NAMES } from "../names.ts";
import { openBundle, RECORD_FILE, type ReleaseRecord } from "./bundle.ts";
import type { ProductionEnvironment } from "./production-environment.ts";
import { BUNDLE_VARIABLE, type BundlePlace, HANDED_OVER_VARIABLE, writeResult } from "./result.ts";
import { verifyApproval } from "./verify.ts";

/**
 * A bundle arrived: verifies it and its approval, then starts the build that releases it. What is not whole or not
 * approved is refused, and the refusal is written beside it.
 * @param key of the bundle's record, the last file that arrives
 * @returns the build that was started, or undefined
 */
export async function receiveBundle(
  env: ProductionEnvironment,
  { bucket, key }: { readonly bucket: string; readonly key: string },
): Promise<string | undefined> {
  const prefix = key.slice(0, -`/${RECORD_FILE}`.length);
  const record = await approvedRecord(env, { bucket, prefix });
  if (!record) return undefined;
  const started = await env.clients.codebuild.send(
    new StartBuildCommand({
      projectName: NAMES.releaseProject,
      // Events arrive at least once; the token makes two of them one build.
      idempotencyToken: `${record.pipelineExecutionId}-${Date.parse(record.handedOverAt)}`.slice(-64),
      environmentVariablesOverride: [
        { name: BUNDLE_VARIABLE, value: `s3://${bucket}/${prefix}`, type: "PLAINTEXT" },
        { name: HANDED_OVER_VARIABLE, value: record.handedOverAt, type: "PLAINTEXT" },
      ],
    }),
  );
  return started.build?.id;
}

/** What a bundle says of itself, where it is whole and approved; undefined where it was refused. */
async function approvedRecord(env: ProductionEnvironment, at: BundlePlace): Promise<ReleaseRecord | undefined> {
  let record: ReleaseRecord | undefined;
  try {
    const bundle = await openBundle(env.clients.s3, at.bucket, at.prefix);
    record = bundle.record;
    await verifyApproval(env, bundle);
    return record;
  } catch (error) {
    if (!(error instanceof ReleaseError)) throw error;
    await refuse(env, at, record, error.message);
    return undefined;
  }
}

/** @param record undefined where it can't be read */
async function refuse(env: ProductionEnvironment, at: BundlePlace, record: ReleaseRecord | undefined, message: string): Promise<void> {
  env.emit({ type: "note", text: `refused ${at.prefix}: ${message}` });
  await writeResult(env.clients.s3, at, {
    ...env.place,
    handedOverAt: record?.handedOverAt ?? "",
    status: "REFUSED",
    message,
    at: env.clock.now().toISOString(),
  });
}
