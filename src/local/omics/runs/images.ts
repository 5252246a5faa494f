import { formatImageRef, type ImageRef } from "../../../kit/image-ref.ts";
import { privateEcrOf, type PrivateEcr } from "../../../kit/image-ref-ecr.ts";
import type { Principal } from "../../authorization/principal.ts";
import { parseAccountId } from "../../../kit/account-id.ts";
import { AwsError } from "../../gateway/aws-error.ts";
import { workflowArn } from "../arns.ts";
import type { Omics } from "../omics.ts";
import { mapImage } from "../registry-map.ts";
import type { Run, RunImage } from "../store.ts";
import { OMICS } from "./role.ts";
import { RunFailure } from "./run-failure.ts";

/** An image in ECR that the run may read. */
export interface ReadableImage extends Omit<RunImage, "reference"> {
  /** Bytes of its layers; 0 for an index of several platforms. */
  readonly bytes: number;
  readonly ref: ImageRef;
  readonly ecr: PrivateEcr;
}

/**
 * Reads a task's image from ECR as HealthOmics does: with the run's role, and as omics.amazonaws.com, whom the
 * repository's policy must let in.
 * @throws RunFailure INVALID_ECR_IMAGE_URI, ECR_PERMISSION_ERROR, IMAGE_VERIFICATION_FAILURE
 */
export async function readImage(
  omics: Omics,
  run: Run,
  { source, role }: { readonly source: string; readonly role: Principal },
): Promise<ReadableImage> {
  const mapped = mapImage(source, run.containerRegistryMap, run.place);
  if ("why" in mapped) throw new RunFailure("INVALID_ECR_IMAGE_URI", `The image URI isn't a valid ECR image URI structure: ${mapped.why}`);
  const { image: ref, sourceImage } = mapped;
  const ecr = privateEcrOf(ref);
  const image = formatImageRef(ref);
  if (ecr === undefined) throw new RunFailure("INVALID_ECR_IMAGE_URI", `${image} isn't a valid ECR image URI structure`);
  if (ecr.region !== run.place.region)
    throw new RunFailure("INVALID_ECR_IMAGE_URI", `${image} is in ${ecr.region}; images must be in the run's region ${run.place.region}`);
  const { digest, bytes } = await readManifest(omics, { ref, ecr, as: role });
  await readManifest(omics, { ref, ecr, as: serviceFor(run) });
  return { ref, ecr, image, digest, bytes, ...(sourceImage !== undefined && { sourceImage }) };
}

/** HealthOmics itself, on behalf of the run's workflow. */
const serviceFor = ({ place, workflowId }: Run): Principal => ({
  kind: "service",
  service: OMICS,
  sourceAccount: parseAccountId(place.account),
  sourceArn: workflowArn(place, workflowId),
});

interface Reading {
  readonly ref: ImageRef;
  readonly ecr: PrivateEcr;
  readonly as: Principal;
}

interface BatchGetImageAnswer {
  readonly images?: readonly { readonly imageId?: { readonly imageDigest?: string }; readonly imageManifest?: string }[];
  readonly failures?: readonly { readonly failureCode?: string; readonly failureReason?: string }[];
}

const MEDIA_TYPES = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];

async function readManifest(omics: Omics, { ref, ecr, as }: Reading): Promise<Pick<ReadableImage, "digest" | "bytes">> {
  const image = formatImageRef(ref);
  const imageIds = [ref.digest === undefined ? { imageTag: ref.tag } : { imageDigest: ref.digest }];
  const input = { registryId: ecr.account, repositoryName: ref.repository, imageIds, acceptedMediaTypes: MEDIA_TYPES };
  const answer = await omics.core.dispatcher
    .call<BatchGetImageAnswer>({ service: "ecr", operation: "BatchGetImage", input, as, account: ecr.account, region: ecr.region })
    .catch((error: unknown) => {
      throw asFailure(image, error, as);
    });
  const found = answer.images?.[0];
  if (found?.imageId?.imageDigest !== undefined) return { digest: found.imageId.imageDigest, bytes: bytesOf(found.imageManifest) };
  const failure = answer.failures?.[0];
  throw new RunFailure(
    "IMAGE_VERIFICATION_FAILURE",
    `${image} can't be found in ECR: ${failure?.failureReason ?? failure?.failureCode ?? "no image"}`,
  );
}

function bytesOf(manifest = "{}"): number {
  const { layers = [] } = JSON.parse(manifest) as { readonly layers?: readonly { readonly size?: number }[] };
  return layers.reduce((total, { size = 0 }) => total + size, 0);
}

function asFailure(image: string, error: unknown, as: Principal): unknown {
  if (!(error instanceof AwsError)) return error;
  if (error.code === "RepositoryNotFoundException")
    return new RunFailure("IMAGE_VERIFICATION_FAILURE", `${image} can't be found in ECR: ${error.message}`);
  const who = as.kind === "service" ? `${OMICS} may not read it (set a repository policy)` : "the run's role may not read it";
  return new RunFailure("ECR_PERMISSION_ERROR", `HealthOmics can't access the image ${image}: ${who}. ${error.message}`);
}
