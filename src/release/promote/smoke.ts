import { createHash } from "node:crypto";
import { StartRunCommand } from "@aws-sdk/client-omics";
import { copyObject, listObjects, readObject, writeObject } from "../../aws/objects.ts";
import { endedRun } from "../../aws/runs.ts";
import { formatS3Uri, parseS3Uri, type S3Uri } from "../../kit/s3-uri.ts";
import type { PromotionEnvironment } from "../environment.ts";
import { ReleaseError } from "../errors.ts";
import { NAMES, releasesBucket, roleName } from "../names.ts";
import type { Place } from "../project/deploy-config.ts";
import type { PublishedVersion } from "../publish/create-version.ts";
import { isSheet } from "../testrun/test-data.ts";
import { bundlePrefix, type ReleaseRecord } from "./bundle.ts";
import type { ProductionEnvironment } from "./production-environment.ts";

/** A smoke run as the bundle carries it: a test of omx.yaml, whose data is handed over with it. */
export type Smoke = NonNullable<ReleaseRecord["smoke"]>;

/** Where the data of a release's smoke run lies in a production account. */
const smokeData = (record: Pick<ReleaseRecord, "workflow" | "version">, place: Place): S3Uri => ({
  bucket: releasesBucket(place.account, place.region),
  key: `${bundlePrefix(record)}/smoke`,
});

/** Copies the data of the smoke run to production; sample sheets name the new places. */
export async function handOverSmokeData(
  { clients, emit, s3In }: PromotionEnvironment,
  record: Pick<ReleaseRecord, "workflow" | "version"> & { readonly smoke: Smoke },
  place: Place,
): Promise<void> {
  const from = parseS3Uri(record.smoke.data);
  const to = smokeData(record, place);
  const there = s3In(place.region);
  for await (const { key, size } of listObjects(clients.s3, { ...from, key: `${from.key}/` })) {
    const target = { bucket: to.bucket, key: `${to.key}${key.slice(from.key.length)}` };
    if (isSheet(key, size))
      await writeObject(
        there,
        target,
        moved((await readObject(clients.s3, { bucket: from.bucket, key })).toString("utf8"), record.smoke, to),
        "text/plain",
      );
    else await copyObject({ s3: clients.s3, bucket: from.bucket, key }, { s3: there, ...target });
    emit({ type: "data.staged", path: key.slice(from.key.length + 1), uri: formatS3Uri(target), bytes: size, uploaded: true });
  }
}

const moved = (text: string, { data }: Smoke, to: S3Uri): string => text.replaceAll(`${data}/`, `${formatS3Uri(to)}/`);

/**
 * Runs the released version on the smoke test's data in production, and waits for its end.
 * @throws ReleaseError TestsFailed when the run does not end COMPLETED
 */
export async function runSmoke(
  env: ProductionEnvironment,
  record: ReleaseRecord & { readonly smoke: Smoke },
  { workflowId, versionName }: PublishedVersion,
): Promise<string> {
  const { clients, place, clock, emit } = env;
  const { smoke } = record;
  const to = smokeData(record, place);
  const { id = "" } = await clients.omics.send(
    new StartRunCommand({
      workflowId,
      workflowVersionName: versionName,
      name: `${record.workflow} ${versionName} smoke ${smoke.test}`,
      roleArn: `arn:aws:iam::${place.account}:role/${roleName(NAMES.runRole, place.region)}`,
      outputUri: formatS3Uri({ bucket: to.bucket, key: `runs/smoke/${bundlePrefix(record)}/` }),
      parameters: JSON.parse(moved(JSON.stringify(smoke.parameters), smoke, to)) as Record<string, never>,
      storageType: smoke.storageType,
      ...(smoke.storageCapacity !== undefined && { storageCapacity: smoke.storageCapacity }),
      // One attempt of the promotion is one run; the next attempt is another.
      requestId: createHash("sha256").update([record.workflow, versionName, record.handedOverAt].join("\n")).digest("hex"),
      tags: { "omx:workflow": record.workflow, "omx:version": versionName, "omx:test": smoke.test },
    }),
  );
  emit({ type: "note", text: `smoke run ${id} of test ${smoke.test}` });
  const { status, message } = await endedRun(clients.omics, id, { clock, seconds: smoke.timeoutSeconds });
  if (status === "COMPLETED") return id;
  throw new ReleaseError("TestsFailed", {
    says: `version ${versionName} is ACTIVE, but its smoke run ${id} in production ended ${status}${message ? `: ${message}` : ""}`,
    fix: "look at the run's log in the production account; then try the Promote stage again by `omx release retry`, or release a correction",
    blame: "user",
  });
}
