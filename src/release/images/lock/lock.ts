import { parseImageRef, pinImageRef, formatImageRef } from "../../../kit/image-ref.ts";
import { ReleaseError } from "../../errors.ts";
import { buildTarget, type ImagePlan } from "../plan.ts";
import type { Place } from "../../project/deploy-config.ts";
import type { ImageOutcome } from "../staging.ts";

/** containers.lock.json: what each image of a release is, by digest. */
export interface ContainersLock {
  readonly version: 1;
  readonly images: readonly LockedImage[];
}

export interface LockedImage {
  /** As the definition writes it. */
  readonly image: string;
  /** Where it came from. */
  readonly source: string;
  /** In the cicd account's ECR, with its digest. */
  readonly target: string;
  readonly digest: string;
  /** Of an image that was built for one platform, or where one was taken out of several: `linux/amd64`. Without, all that it has. */
  readonly platform?: string | undefined;
}

/**
 * Locks every image of a plan to what staging found or made.
 * @throws ReleaseError ImagesFailed for an image without a digest: a release of which an image is not known by its bytes is none
 */
export function lockImages(plan: ImagePlan, outcomes: readonly ImageOutcome[], place: Place): ContainersLock {
  const bySource = new Map(outcomes.map((outcome) => [outcome.source_uri, outcome]));
  const byTarget = new Map(outcomes.map((outcome) => [outcome.target_image, outcome]));
  const unknown: string[] = [];
  const images = plan.uses.flatMap(({ image, from }): LockedImage[] => {
    const outcome = "pull" in from ? bySource.get(from.pull) : byTarget.get(formatImageRef(buildTarget(from.build, place)));
    if (outcome?.digest)
      return [
        lockedImage({
          image,
          source: outcome.source_uri,
          target: outcome.target_image,
          digest: outcome.digest,
          ...(outcome.platform && { platform: outcome.platform }),
        }),
      ];
    unknown.push(`${image}: ${outcome ? `${outcome.status} without a digest` : "staging says nothing of it"}`);
    return [];
  });
  if (unknown.length > 0)
    throw new ReleaseError("ImagesFailed", {
      says: `${unknown.length} of ${plan.uses.length} images are not known by digest`,
      fix: "start the release again; where it stays, look at the executions of omx-container-puller and omx-container-builder",
      blame: "us",
      details: unknown,
    });
  return { version: 1, images };
}

/** An entry of the lock: the target by digest alone, a tag may mean something else tomorrow. */
export function lockedImage({ target, digest, ...rest }: LockedImage): LockedImage {
  const { tag: _tag, ...ref } = pinImageRef(parseImageRef(target), digest);
  return { ...rest, target: formatImageRef(ref), digest };
}
