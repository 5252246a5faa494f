import { awsClients } from "../../aws/clients.ts";
import { formatImageRef, parseImageRef } from "../../kit/image-ref.ts";
import { ReleaseError } from "../errors.ts";
import { lockedImage } from "../images/lock/lock.ts";
import type { ImagePull } from "../images/plan.ts";
import { pullImage, type PullItem, pullTogether, type PullWorkshop, RegistryBusy } from "../images/pull/pull.ts";
import { inRegistryOf } from "../images/registry-of.ts";
import type { ImageOutcome } from "../images/staging.ts";
import type { Place } from "../project/deploy-config.ts";
import type { ReleasedImages, ReleaseRecord } from "./bundle.ts";
import type { ProductionEnvironment } from "./production-environment.ts";

/** Other productions and builds share the limit of 10 manifests a second; object stores are far away. */
const TUNING = { rangesPerBlob: 8, manifestPutsPerSecond: 5 } as const;
/** Before images whose registry was busy are tried again. */
const BUSY_WAITS_MS = [20_000, 40_000];

/**
 * Copies a release's images from the cicd account's ECR into production's own: the same digests under the same names.
 * @returns the images with production's addresses
 * @throws ReleaseError ImagesFailed naming every image that could not be copied, or arrived as other bytes
 */
export async function copyToProduction(env: ProductionEnvironment, record: ReleaseRecord): Promise<ReleasedImages> {
  const { place, emit } = env;
  const pulls = pullsOf(place, record);
  const outcomes = await bring(env, [...new Map(pulls.map((pull) => [pull.target_image, pull])).values()]);
  const byTarget = new Map(outcomes.map((outcome) => [outcome.target_image, outcome]));
  const copied = record.images.map((image, index) => ({
    image,
    own: pulls[index]?.target_image ?? "",
    outcome: byTarget.get(pulls[index]?.target_image ?? ""),
  }));
  const failed = copied.flatMap(({ image: { target, digest }, outcome }) =>
    outcome?.digest === digest
      ? []
      : [`${target}: ${outcome?.digest ? `arrived as ${outcome.digest}` : (outcome?.reason ?? "no reason given")}`],
  );
  if (failed.length > 0)
    throw new ReleaseError("ImagesFailed", {
      says: `${failed.length} of ${record.images.length} images could not be copied into account ${place.account}`,
      fix: "correct what is named, then try the Promote stage again by `omx release retry`: what is there is not moved again",
      blame: "aws",
      details: [...new Set(failed)],
    });
  for (const { target_image: image, reason = "" } of outcomes)
    if (/tag is immutable/.test(reason))
      emit({
        type: "note",
        text: `${image} is another image, whose tag is immutable: the release's is there by its digest alone, and a rule that deletes what has no tag would delete it`,
      });
  const moved = outcomes.reduce((sum, { bytes_moved: bytes = 0 }) => sum + bytes, 0);
  emit({
    type: "note",
    text: `${outcomes.length === 1 ? "1 image is" : `${outcomes.length} images are`} in account ${place.account}: ${moved} bytes moved`,
  });
  return copied.map(({ image, own }) => lockedImage({ ...image, target: own }));
}

/**
 * What to copy where. Each image has a tag of its own, for as long as one wants the release: registries' rules and people
 * delete what has none.
 */
function pullsOf(place: Place, { workflow, version, images }: ReleaseRecord): readonly ImagePull[] {
  const inRepository = Map.groupBy(images, ({ target }) => parseImageRef(target).repository);
  return images.map(({ target, digest }) => {
    const ref = parseImageRef(target);
    const isOnlyOne = new Set(inRepository.get(ref.repository)?.map((image) => image.digest)).size === 1;
    const tag = `${workflow}-${version}${isOnlyOne ? "" : `-${digest.replace(/^.*:/, "").slice(0, 12)}`}`;
    return { source_uri: target, source: target, target_image: formatImageRef({ ...inRegistryOf(place, ref), tag }) };
  });
}

/** What production reads and copies images with. */
export const workshopIn = ({ clients, place, clock, target, repositories, emit }: ProductionEnvironment): PullWorkshop => ({
  ecr: clients.ecr,
  logs: clients.logs,
  place,
  repositories,
  clock,
  upstreams: {},
  proxy: target.proxy,
  tuning: TUNING,
  say: (line) => emit({ type: "note", text: line.trim() }),
  ecrIn: (region) => awsClients({ ...target, region }).ecr,
  ...(target.endpoint && { endpoint: target.endpoint }),
  foreignAdvice: ({ account }) =>
    account === place.account
      ? undefined
      : `the policy of that repository has to let account ${place.account} read: the Promote stage sees to that for omx's own, and \`omx release retry\` tries it again`,
});

/** All images together, each blob once; those whose registry was busy again after a while. */
async function bring(env: ProductionEnvironment, pulls: readonly ImagePull[]): Promise<readonly ImageOutcome[]> {
  const { clock, emit } = env;
  const workshop = workshopIn(env);
  const outcomes: ImageOutcome[] = [];
  let left: readonly PullItem[] = pulls;
  for (const wait of BUSY_WAITS_MS) {
    const tried = await pullTogether(workshop, left);
    outcomes.push(...tried.filter((one): one is ImageOutcome => !isLeft(one)));
    left = tried.filter(isLeft);
    if (left.length === 0) return outcomes;
    emit({ type: "note", text: `the registry was too busy for ${left.length} images; trying again in ${wait / 1000} s` });
    await clock.sleep(wait);
  }
  for (const pull of left) outcomes.push(await alone(workshop, pull));
  return outcomes;
}

const isLeft = (item: PullItem | ImageOutcome): item is PullItem => item.status === undefined;

/** The last try, whose reason counts. */
const alone = (workshop: PullWorkshop, pull: PullItem): Promise<ImageOutcome> =>
  pullImage(workshop, pull).catch((error: unknown) => {
    if (error instanceof RegistryBusy) return { ...pull, status: "FAILED", reason: error.message };
    throw error;
  });
