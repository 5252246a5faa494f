import type { ContainerRegistryMap } from "@aws-sdk/client-omics";
import { StartBuildCommand } from "@aws-sdk/client-codebuild";
import { BatchGetImageCommand } from "@aws-sdk/client-ecr";
import { type AwsClients, awsClients, type Target } from "../../aws/clients.ts";
import { assumeRole } from "../../aws/roles.ts";
import { writeObject } from "../../aws/objects.ts";
import { formatImageRef, type ImageRef, parseImageRef } from "../../kit/image-ref.ts";
import { privateEcrOf } from "../../kit/image-ref-ecr.ts";
import { readReleaseVersion } from "../../kit/version.ts";
import { findApproval } from "../approval/approval.ts";
import type { ReleaseEnvironment } from "../environment.ts";
import { ReleaseError } from "../errors.ts";
import type { RepositorySettings } from "../images/repositories/repository-settings.ts";
import { NAMES, roleName } from "../names.ts";
import type { Place } from "../project/deploy-config.ts";
import { publishExactly, versionTags } from "../publish/create-version.ts";
import { copyToProduction } from "./own-images.ts";
import { promoteReferrers, summarizeReferrers } from "./referrers.ts";
import { runSmoke } from "./smoke.ts";
import { type OpenBundle, openBundle, RECORD_FILE, type ReleasedImages, type ReleaseRecord } from "./bundle.ts";
import { mappedByUser, REGISTRY_MAP_FILE } from "./own-mappings.ts";
import { definitionFrom } from "./bundled-definition.ts";
import { wayInto } from "./way.ts";
import { BUNDLE_VARIABLE, HANDED_OVER_VARIABLE, RESULT_FILE, type ReleaseResult } from "./result.ts";

/** Production's view: its own place, and how to ask the cicd account. */
export interface ProductionEnvironment extends ReleaseEnvironment {
  readonly place: Place;
  readonly target: Target;
  /** How repositories of images that are copied here are made. @default DEFAULT_REPOSITORIES */
  readonly repositories?: RepositorySettings | undefined;
}

/**
 * A bundle arrived: verifies it and its approval, then starts the build that releases it. What is not whole or not
 * approved is refused, and the refusal is written beside it.
 * @returns the build that was started, or undefined
 */
export async function receiveBundle(
  env: ProductionEnvironment,
  { bucket, key }: { readonly bucket: string; readonly key: string },
): Promise<string | undefined> {
  const prefix = key.slice(0, -`/${RECORD_FILE}`.length);
  const bundle = await openBundle(env.clients.s3, bucket, prefix).catch((error: unknown) => refuse(env, { bucket, prefix, error }));
  if (!bundle) return undefined;
  const approved = await verifyApproval(env, bundle).catch((error: unknown) =>
    refuse(env, { bucket, prefix, error, record: bundle.record }),
  );
  if (!approved) return undefined;
  const started = await env.clients.codebuild.send(
    new StartBuildCommand({
      projectName: NAMES.releaseProject,
      // Events arrive at least once; the token makes two of them one build.
      idempotencyToken: `${bundle.record.pipelineExecutionId}-${Date.parse(bundle.record.handedOverAt)}`.slice(-64),
      environmentVariablesOverride: [
        { name: BUNDLE_VARIABLE, value: `s3://${bucket}/${prefix}`, type: "PLAINTEXT" },
        { name: HANDED_OVER_VARIABLE, value: bundle.record.handedOverAt, type: "PLAINTEXT" },
      ],
    }),
  );
  return started.build?.id;
}

/**
 * Releases a verified bundle: the same number, the same bytes, images by digest.
 * @throws ReleaseError; the result is written beside the bundle either way
 */
export async function releaseBundle(
  env: ProductionEnvironment,
  { bucket, prefix }: { readonly bucket: string; readonly prefix: string },
): Promise<ReleaseResult> {
  const bundle = await openBundle(env.clients.s3, bucket, prefix);
  const { record } = bundle;
  try {
    await verifyApproval(env, bundle);
    const images: ReleasedImages = wayInto(env.place, record) === "copy" ? await copyToProduction(env, record) : record.images;
    await verifyImages(env, [
      ...images.map(({ target, digest }) => ({ ...parseImageRef(target), digest })),
      ...(await mappedHere(env, bundle)),
    ]);
    const referrers = await promoteReferrers(env, record, images);
    const version = readReleaseVersion(record.version);
    if (!version)
      throw new ReleaseError("BundleIncomplete", {
        says: `${record.version} is not a version of omx`,
        fix: "promote the release again",
        blame: "us",
      });
    const { commit, branch, pipelineExecutionId, startedBy, tags } = record;
    const definition = await definitionFrom(bundle, { bucket, prefix, place: env.place, images });
    const published = await publishExactly(
      { omics: env.clients.omics, account: env.place.account, clock: env.clock, emit: env.emit },
      definition,
      {
        version,
        tags: { ...versionTags(tags, { commit, branch, build: pipelineExecutionId, startedBy }), "omx:approved-by": record.approval.by },
      },
    );
    const smokeRun = record.smoke && (await runSmoke(env, { ...record, smoke: record.smoke }, published));
    return await write(
      env,
      { bucket, prefix },
      {
        ...answer(env, record),
        status: "ACTIVE",
        message: `version ${record.version} is ACTIVE${smokeRun ? `, its smoke run ${smokeRun} is COMPLETED` : ""}${summarizeReferrers(referrers)}`,
        ...(referrers.length > 0 && { referrers }),
        workflowId: published.workflowId,
        versionArn: published.arn,
      },
    );
  } catch (error) {
    await write(env, { bucket, prefix }, { ...answer(env, record), status: "FAILED", message: (error as Error).message });
    throw error;
  }
}

/** Asks the cicd account: what a bundle says of its own approval proves nothing. */
async function verifyApproval(env: ProductionEnvironment, { record, content }: OpenBundle): Promise<true> {
  const roleArn = `arn:aws:iam::${env.cicd.account}:role/${roleName(NAMES.approvalReaderRole, env.cicd.region)}`;
  const credentials = await assumeRole(env.clients.sts, roleArn, "omx-verify-bundle");
  const cicd = awsClients({ ...env.target, region: env.cicd.region, credentials });
  const { workflow, pipelineExecutionId, approval } = record;
  await findApproval(cicd.codepipeline, { workflow, pipelineExecutionId, content, approvedBy: approval.by });
  return true;
}

/** Images of this account's ECR and the cicd account's to which the user maps. */
async function mappedHere({ cicd, place }: ProductionEnvironment, { record, file }: OpenBundle): Promise<readonly ImageRef[]> {
  const registryMap = JSON.parse((await file(REGISTRY_MAP_FILE)).toString("utf8")) as ContainerRegistryMap;
  return [cicd, place].flatMap((each) => mappedByUser(registryMap, record.images, each));
}

/** Production can read each image: the release's by their digests, the user's as they are mapped. */
async function verifyImages({ target, place, emit }: ProductionEnvironment, images: readonly ImageRef[]): Promise<void> {
  const unreadable: string[] = [];
  for (const ref of images) {
    const ecr = privateEcrOf(ref);
    if (!ecr) continue;
    const image = formatImageRef(ref);
    const clients: AwsClients = awsClients({ ...target, region: ecr.region });
    const id = ref.digest ? { imageDigest: ref.digest } : { imageTag: ref.tag ?? "latest" };
    const problem =
      ecr.region === place.region
        ? await clients.ecr
            .send(new BatchGetImageCommand({ registryId: ecr.account, repositoryName: ref.repository, imageIds: [id] }))
            .then(
              (found) => (found.images?.length === 1 ? undefined : (found.failures?.[0]?.failureReason ?? "it is not there")),
              (error: Error) => error.message,
            )
        : `it is in ${ecr.region}, and HealthOmics in ${place.region} reads images of its own region alone`;
    if (problem) unreadable.push(`${image}: ${problem}`);
    else emit({ type: "note", text: `${image} is readable` });
  }
  if (unreadable.length > 0)
    throw new ReleaseError("ImageNotReadable", {
      says: `production cannot read ${unreadable.length} of ${images.length} images`,
      fix: "try the Promote stage again by `omx release retry`: it puts the repositories' policies right",
      blame: "aws",
      details: unreadable,
    });
}

const answer = ({ place, clock }: ProductionEnvironment, { handedOverAt }: ReleaseRecord) => ({
  ...place,
  handedOverAt,
  at: clock.now().toISOString(),
});

interface Refusal {
  readonly bucket: string;
  readonly prefix: string;
  readonly error: unknown;
  readonly record?: ReleaseRecord;
}

async function refuse(env: ProductionEnvironment, { bucket, prefix, error, record }: Refusal): Promise<undefined> {
  if (!(error instanceof ReleaseError)) throw error;
  env.emit({ type: "note", text: `refused ${prefix}: ${error.message}` });
  await write(
    env,
    { bucket, prefix },
    {
      ...env.place,
      handedOverAt: record?.handedOverAt ?? "",
      status: "REFUSED",
      message: error.message,
      at: env.clock.now().toISOString(),
    },
  );
  return undefined;
}

async function write(
  { clients }: ProductionEnvironment,
  { bucket, prefix }: { readonly bucket: string; readonly prefix: string },
  result: ReleaseResult,
): Promise<ReleaseResult> {
  await writeObject(clients.s3, { bucket, key: `${prefix}/${RESULT_FILE}` }, `${JSON.stringify(result, null, 2)}\n`, "application/json");
  return result;
}
