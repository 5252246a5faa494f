import { BatchGetImageCommand } from "@aws-sdk/client-ecr";
import { awsClients } from "../../aws/clients.ts";
import { assumeRole } from "../../aws/roles.ts";
import { formatImageRef, type ImageRef } from "../../kit/image-ref.ts";
import { type PrivateEcr, privateEcrOf } from "../../kit/image-ref-ecr.ts";
import { findApproval } from "../approval/approval.ts";
import { ReleaseError } from "../errors.ts";
import { NAMES, roleName } from "../names.ts";
import type { OpenBundle } from "./bundle.ts";
import type { ProductionEnvironment } from "./production-environment.ts";

/**
 * Asks the cicd account: what a bundle says of its own approval proves nothing.
 * @throws ReleaseError NotApproved
 */
export async function verifyApproval(env: ProductionEnvironment, { record, content }: OpenBundle): Promise<void> {
  const roleArn = `arn:aws:iam::${env.cicd.account}:role/${roleName(NAMES.approvalReaderRole, env.cicd.region)}`;
  const credentials = await assumeRole(env.clients.sts, roleArn, "omx-verify-bundle");
  const cicd = awsClients({ ...env.target, region: env.cicd.region, credentials });
  const { workflow, pipelineExecutionId, approval } = record;
  await findApproval(cicd.codepipeline, { workflow, pipelineExecutionId, content, approvedBy: approval.by });
}

/**
 * Production can read each image: the release's by their digests, the user's as they are mapped.
 * @throws ReleaseError ImageNotReadable naming every image that can't be read, and why
 */
export async function verifyImages(env: ProductionEnvironment, images: readonly ImageRef[]): Promise<void> {
  const unreadable: string[] = [];
  for (const ref of images) {
    const ecr = privateEcrOf(ref);
    if (!ecr) continue;
    const image = formatImageRef(ref);
    const problem = await problemWith(env, ref, ecr);
    if (problem) unreadable.push(`${image}: ${problem}`);
    else env.emit({ type: "note", text: `${image} is readable` });
  }
  if (unreadable.length > 0)
    throw new ReleaseError("ImageNotReadable", {
      says: `production cannot read ${unreadable.length} of ${images.length} images`,
      fix: "try the Promote stage again by `omx release retry`: it puts the repositories' policies right",
      blame: "aws",
      details: unreadable,
    });
}

/** Why an image can't be read from here; undefined where it can. */
async function problemWith({ target, place }: ProductionEnvironment, ref: ImageRef, home: PrivateEcr): Promise<string | undefined> {
  if (home.region !== place.region)
    return `it is in ${home.region}, and HealthOmics in ${place.region} reads images of its own region alone`;
  const { ecr } = awsClients({ ...target, region: home.region });
  const id = ref.digest ? { imageDigest: ref.digest } : { imageTag: ref.tag ?? "latest" };
  try {
    const { images, failures } = await ecr.send(
      new BatchGetImageCommand({ registryId: home.account, repositoryName: ref.repository, imageIds: [id] }),
    );
    return images?.length === 1 ? undefined : (failures?.[0]?.failureReason ?? "it is not there");
  } catch (error) {
    return (error as Error).message;
  }
}
