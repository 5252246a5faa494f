import type { ContainerRegistryMap } from "@aws-sdk/client-omics";
import { type ImageRef, parseImageRef } from "../../kit/image-ref.ts";
import { readReleaseVersion, type ReleaseVersion } from "../../kit/version.ts";
import { ReleaseError } from "../errors.ts";
import { publishExactly, versionTags } from "../publish/create-version.ts";
import { type OpenBundle, openBundle, type ReleasedImages, type ReleaseRecord } from "./bundle.ts";
import { definitionFrom } from "./bundled-definition.ts";
import { copyToProduction } from "./own-images.ts";
import { mappedByUser, REGISTRY_MAP_FILE } from "./own-mappings.ts";
import type { ProductionEnvironment } from "./production-environment.ts";
import { promoteReferrers, summarizeReferrers } from "./referrers.ts";
import { type BundlePlace, type ReleaseResult, writeResult } from "./result.ts";
import { runSmoke } from "./smoke.ts";
import { verifyApproval, verifyImages } from "./verify.ts";
import { wayInto } from "./way.ts";

/**
 * Releases a verified bundle: the same number, the same bytes, images by digest.
 * @throws ReleaseError; the result is written beside the bundle either way
 */
export async function releaseBundle(env: ProductionEnvironment, at: BundlePlace): Promise<ReleaseResult> {
  const { s3 } = env.clients;
  const bundle = await openBundle(s3, at.bucket, at.prefix);
  try {
    await verifyApproval(env, bundle);
    const released = await release(env, at, bundle);
    return await writeResult(s3, at, { ...answer(env, bundle.record), status: "ACTIVE", ...released });
  } catch (error) {
    await writeResult(s3, at, { ...answer(env, bundle.record), status: "FAILED", message: (error as Error).message });
    throw error;
  }
}

const answer = ({ place, clock }: ProductionEnvironment, { handedOverAt }: ReleaseRecord) => ({
  ...place,
  handedOverAt,
  at: clock.now().toISOString(),
});

type Released = Pick<ReleaseResult, "message" | "referrers" | "workflowId" | "versionArn">;

/** Makes the version, once production has its images, and tries it by the smoke run where there is one. */
async function release(env: ProductionEnvironment, at: BundlePlace, bundle: OpenBundle): Promise<Released> {
  const { record } = bundle;
  const images = await imagesHere(env, bundle);
  const referrers = await promoteReferrers(env, record, images);
  const version = versionOf(record);
  const published = await publishExactly(
    { omics: env.clients.omics, account: env.place.account, clock: env.clock, emit: env.emit },
    await definitionFrom(bundle, { ...at, place: env.place, images }),
    { version, tags: tagsOf(record) },
  );
  const smokeRun = record.smoke && (await runSmoke(env, { ...record, smoke: record.smoke }, published));
  return {
    message: `version ${record.version} is ACTIVE${smokeRun ? `, its smoke run ${smokeRun} is COMPLETED` : ""}${summarizeReferrers(referrers)}`,
    ...(referrers.length > 0 && { referrers }),
    workflowId: published.workflowId,
    versionArn: published.arn,
  };
}

/** The release's images as production reads them: copies of its own, or the cicd account's. */
async function imagesHere(env: ProductionEnvironment, bundle: OpenBundle): Promise<ReleasedImages> {
  const { record } = bundle;
  const images = wayInto(env.place, record) === "copy" ? await copyToProduction(env, record) : record.images;
  const released = images.map(({ target, digest }) => ({ ...parseImageRef(target), digest }));
  await verifyImages(env, [...released, ...(await mappedHere(env, bundle))]);
  return images;
}

/** Images of this account's ECR and the cicd account's to which the user maps. */
async function mappedHere({ cicd, place }: ProductionEnvironment, { record, file }: OpenBundle): Promise<readonly ImageRef[]> {
  const registryMap = JSON.parse((await file(REGISTRY_MAP_FILE)).toString("utf8")) as ContainerRegistryMap;
  return [cicd, place].flatMap((each) => mappedByUser(registryMap, record.images, each));
}

function versionOf(record: ReleaseRecord): ReleaseVersion {
  const version = readReleaseVersion(record.version);
  if (version) return version;
  throw new ReleaseError("BundleIncomplete", {
    says: `${record.version} is not a version of omx`,
    fix: "promote the release again",
    blame: "us",
  });
}

const tagsOf = ({ tags, commit, branch, pipelineExecutionId: build, startedBy, approval }: ReleaseRecord) => ({
  ...versionTags(tags, { commit, branch, build, startedBy }),
  "omx:approved-by": approval.by,
});
