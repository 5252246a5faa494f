import { pinnedBy, readLock } from "../../release/images/lock/lock-file.ts";
import { type ImagePlan, planImages } from "../../release/images/plan.ts";
import { readProject } from "../../release/project/project.ts";

/**
 * The images of a workflow's repository as a release takes them: by the digests of the lock, where there is one.
 * @throws ReleaseError for a repository that can't be read, or its lock
 */
export function projectPlan(path: string): ImagePlan {
  const { inspection, config } = readProject(path);
  return pinnedBy(planImages(inspection.images, config.images), readLock(path));
}
