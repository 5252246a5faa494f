import { awsClients } from "../../aws/clients.ts";
import { formatImageRef, type ImageRef, parseImageRef } from "../../kit/image-ref.ts";
import { privateEcrHost, privateEcrOf } from "../../kit/image-ref-ecr.ts";
import { ReleaseError } from "../errors.ts";
import { lockedImage } from "../images/lock.ts";
import { pullImage } from "../images/pull.ts";
import { registryOf } from "../images/registry-of.ts";
import type { Place } from "../project/deploy-config.ts";
import type { ReleasedImages, ReleaseRecord } from "./bundle.ts";
import type { ProductionEnvironment } from "./receive.ts";

/**
 * Copies a release's images from the cicd account's ECR into production's own: the same digests under the same names.
 * @returns the images with production's addresses
 * @throws ReleaseError ImagesFailed naming every image that could not be copied, or arrived as other bytes
 */
export async function copyToProduction(env: ProductionEnvironment, record: ReleaseRecord): Promise<ReleasedImages> {
  const { clients, place, clock, target, emit } = env;
  const workshop = {
    ecr: clients.ecr, logs: clients.logs, place, clock, upstreams: {},
    ecrIn: (region: string) => awsClients({ ...target, region }).ecr, ...(target.endpoint && { endpoint: target.endpoint }),
  };
  const failed: string[] = [];
  const copied: ReleasedImages[number][] = [];
  for (const image of record.images) {
    const own = formatImageRef({ ...inRegistryOf(place, parseImageRef(image.target)), tag: `${record.workflow}-${record.version}` });
    const { status, digest, reason, bytes_moved: moved = 0 } = await pullImage(workshop, { source_uri: image.target, source: image.target, target_image: own });
    emit({ type: "image.staged", image: image.target, target: own, status, ...(digest && { digest }), ...(reason && { reason }) });
    if (digest === image.digest) copied.push(lockedImage({ ...image, target: own }));
    else failed.push(`${image.target}: ${digest ? `arrived as ${digest}` : (reason ?? status)} (${moved} bytes moved)`);
  }
  if (failed.length > 0)
    throw new ReleaseError("ImagesFailed", { says: `${failed.length} of ${record.images.length} images could not be copied into account ${place.account}`, fix: "retry the Promote stage: what is there is not moved again", blame: "aws", details: failed });
  return copied;
}

/** The image's name in a place's ECR: registry replaced, nothing pinned yet. */
function inRegistryOf(place: Place, ref: ImageRef): ImageRef {
  const { digest: _digest, tag: _tag, ...named } = ref;
  return privateEcrOf(ref) ? { ...named, registry: privateEcrHost(registryOf(place)) } : named;
}
