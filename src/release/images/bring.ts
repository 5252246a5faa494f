import { formatImageRef } from "../../kit/image-ref.ts";
import type { ReleaseEnvironment } from "../environment.ts";
import type { Project } from "../project/project.ts";
import { uploadBuildSources } from "./build/build-sources.ts";
import { lockImages, type ContainersLock } from "./lock/lock.ts";
import { lockedBuild, pinnedBy, readLock } from "./lock/lock-file.ts";
import { buildTarget, checkBuildTargets, planImages } from "./plan.ts";
import { stageImages } from "./staging.ts";

export interface Bringing {
  /** Whose sources these are: the folder of the builder's bucket. */
  readonly workflow: string;
  /** Names the executions: the same staging again finds its own. */
  readonly identity: string;
  /** The repository's commit, for the labels of built images. */
  readonly commit?: string;
}

/**
 * Brings every image of a repository into ECR, by the puller and the builder; those that its containers.lock.json knows
 * by the digests there.
 * @returns what each image is, by digest
 * @throws ReleaseError ImageCollision before anything moves; ImagesFailed, after all others are done; ProjectInvalid for a lock that can't be read
 */
export async function bringImages(
  env: ReleaseEnvironment,
  { root, inspection, config }: Project,
  { workflow, identity, commit }: Bringing,
): Promise<ContainersLock> {
  const lock = readLock(root);
  const plan = pinnedBy(planImages(inspection.images, config.images), lock);
  checkBuildTargets(plan, env.cicd);
  const builds = await uploadBuildSources(env, { workflow, root, builds: plan.builds });
  const outcomes = await stageImages(
    { ...env, place: env.cicd, identity },
    {
      pulls: plan.pulls,
      builds: builds.map(({ source_uri, build }) => {
        const digest = lockedBuild(lock, build.target);
        return {
          source_uri,
          target_image: formatImageRef(buildTarget(build.target, env.cicd)),
          dockerfile: build.dockerfile,
          build_args: build.args,
          source: `${workflow}/${build.source}`,
          ...(commit && { commit }),
          ...(digest && { locked_digest: digest }),
        };
      }),
    },
  );
  return lockImages(plan, outcomes, env.cicd);
}
