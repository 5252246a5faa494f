import type {
  BatchDeleteImageRequest,
  BatchDeleteImageResponse,
  BatchGetImageRequest,
  BatchGetImageResponse,
  DescribeImagesRequest,
  DescribeImagesResponse,
  GetAuthorizationTokenRequest,
  GetAuthorizationTokenResponse,
  ImageFailure,
  ImageFailureCode,
  ImageIdentifier,
  ListImagesRequest,
  ListImagesResponse,
  PutImageRequest,
  PutImageResponse,
} from "@aws-sdk/client-ecr";
import { AwsError } from "../../gateway/aws-error.ts";
import { operation } from "../../gateway/service.ts";
import { on, placeOf } from "../access.ts";
import type { Contents } from "../contents.ts";
import { createOnPush } from "../repositories/ecr-created.ts";
import { imageNotFound, isSecretFailure, unableToGetUpstream } from "../errors.ts";
import { pageOfIds, pageOfImages } from "./image-pages.ts";
import { isTag } from "./image-writes.ts";
import { inAcceptedForm } from "./manifest-formats.ts";
import type { Puller } from "../cache/pull-through.ts";
import type { Image, Place } from "../store.ts";
import type { Tokens } from "../token.ts";

/** Images by the API: what clients without the registry protocol use, and HealthOmics asks. */
export const imageOperations = (contents: Contents, tokens: Tokens) => ({
  GetAuthorizationToken: getAuthorizationToken(tokens),
  DescribeImages: describeImages(contents),
  ListImages: listImages(contents),
  BatchGetImage: batchGetImage(contents),
  BatchDeleteImage: batchDeleteImage(contents),
  PutImage: putImage(contents),
});

const getAuthorizationToken = (tokens: Tokens) =>
  operation<GetAuthorizationTokenRequest, GetAuthorizationTokenResponse>({
    // A service that acts for itself (HealthOmics) has no identity policies; what its token may read, repository policies say.
    access: (_input, call) => (call.caller.kind === "service" ? [] : [{ action: "ecr:GetAuthorizationToken", resource: "*" }]),
    run({ registryIds = [] }, call) {
      const { password, expires } = tokens.issue(call.caller);
      const data = {
        authorizationToken: Buffer.from(`AWS:${password}`).toString("base64"),
        expiresAt: expires,
        proxyEndpoint: call.endpoint,
      };
      return { authorizationData: registryIds.length > 0 ? registryIds.map(() => data) : [data] };
    },
  });

const describeImages = (contents: Contents) =>
  operation<DescribeImagesRequest, DescribeImagesResponse>({
    access: on(contents.store, "DescribeImages"),
    run(input, call) {
      const place = placeOf(input, call);
      contents.repository(place);
      const item = (image: Image, tags: readonly string[]) => describe(contents, place, { image, tags });
      if (hidesActive(input.filter)) return { imageDetails: [] };
      if (input.imageIds)
        return {
          imageDetails: input.imageIds
            .map((id) => findImage(contents, place, id))
            .map((image) => item(image, contents.tagsOf(place, image.digest))),
        };
      const { items, nextToken } = pageOfImages(contents, place, { ...input, tagStatus: input.filter?.tagStatus, item });
      return { imageDetails: [...items], ...(nextToken !== undefined && { nextToken }) };
    },
  });

const listImages = (contents: Contents) =>
  operation<ListImagesRequest, ListImagesResponse>({
    access: on(contents.store, "ListImages"),
    run(input, call) {
      const place = placeOf(input, call);
      contents.repository(place);
      if (hidesActive(input.filter)) return { imageIds: [] };
      const { items, nextToken } = pageOfIds(contents, place, { ...input, tagStatus: input.filter?.tagStatus });
      return { imageIds: [...items], ...(nextToken !== undefined && { nextToken }) };
    },
  });

/** No image here is ever archived: all are ACTIVE. */
const hidesActive = (filter: { readonly imageStatus?: string | undefined } | undefined): boolean =>
  filter?.imageStatus === "ARCHIVED" || filter?.imageStatus === "ACTIVATING";

const batchGetImage = (contents: Contents) =>
  operation<BatchGetImageRequest, BatchGetImageResponse>({
    access: on(contents.store, "BatchGetImage"),
    async run(input, call) {
      const place = placeOf(input, call);
      const found = await Promise.all(
        (input.imageIds ?? []).map((imageId) =>
          getImage(contents, place, { imageId, accepted: input.acceptedMediaTypes ?? [], puller: call }),
        ),
      );
      const failures = found.flatMap((one) => ("failureCode" in one ? [one] : []));
      // A pull-through cache that could not ask upstream made no repository: the reason says more than its lack.
      if (!failures.some(({ failureCode }) => isUpstreamFailure(failureCode))) contents.repository(place);
      return { images: found.flatMap((one) => ("failureCode" in one ? [] : [one])), failures };
    },
  });

interface Get {
  readonly imageId: ImageIdentifier;
  readonly accepted: readonly string[];
  readonly puller: Puller;
}

async function getImage(
  contents: Contents,
  place: Place,
  { imageId, accepted, puller }: Get,
): Promise<ImageFailure | Awaited<ReturnType<typeof read>>> {
  const { imageDigest, imageTag } = imageId;
  if (!imageDigest && !imageTag) return missingId(imageId);
  try {
    const malformed = malformedId(imageId);
    if (malformed) return malformed;
    const image = await contents.cache.image(place, imageDigest ?? imageTag ?? "", puller);
    return badId(contents, place, imageId) ?? (image ? await read(contents, place, { image, imageId, accepted }) : imageMissing(imageId));
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    if (isUpstreamFailure(error.code)) return { imageId, failureCode: error.code, failureReason: error.message };
    if (error.code === "ImageNotFoundException") return { imageId, failureCode: "ImageNotFound", failureReason: error.message };
    throw isSecretFailure(error) ? unableToGetUpstream(error.message) : error;
  }
}

const isUpstreamFailure = (code: string | undefined): code is ImageFailureCode =>
  ["UpstreamAccessDenied", "UpstreamTooManyRequests", "UpstreamUnavailable"].includes(code ?? "");
const imageMissing = (imageId: ImageIdentifier): ImageFailure => ({
  imageId,
  failureCode: "ImageNotFound",
  failureReason: "Requested image not found",
});
const missingId = (imageId: ImageIdentifier): ImageFailure => ({
  imageId,
  failureCode: "MissingDigestAndTag",
  failureReason: "Invalid request parameters: both tag and digest cannot be null",
});

/** A digest or tag that is none (API_ImageFailure.html). */
function malformedId(imageId: ImageIdentifier): ImageFailure | undefined {
  const { imageDigest, imageTag } = imageId;
  if (imageDigest && !/^[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+$/.test(imageDigest))
    return {
      imageId,
      failureCode: "InvalidImageDigest",
      failureReason: "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
    };
  if (imageTag && !isTag(imageTag))
    return { imageId, failureCode: "InvalidImageTag", failureReason: `Invalid request parameters: '${imageTag}' is not an image tag` };
  return undefined;
}

/** By tag in a form that is accepted; by digest as it is, whatever is accepted. */
async function read(contents: Contents, place: Place, { image, imageId, accepted }: Omit<Get, "puller"> & { readonly image: Image }) {
  const { mediaType, bytes } = inAcceptedForm(
    { mediaType: image.mediaType, bytes: await contents.manifestBytes(image) },
    imageId.imageDigest === undefined ? accepted : [],
  );
  return {
    registryId: place.account,
    repositoryName: place.name,
    imageId: { imageDigest: image.digest, ...(imageId.imageTag && { imageTag: imageId.imageTag }) },
    imageManifest: bytes.toString("utf8"),
    imageManifestMediaType: mediaType,
  };
}

const batchDeleteImage = (contents: Contents) =>
  operation<BatchDeleteImageRequest, BatchDeleteImageResponse>({
    access: on(contents.store, "BatchDeleteImage"),
    run(input, call) {
      const place = placeOf(input, call);
      contents.repository(place);
      const imageIds: ImageIdentifier[] = [];
      const failures: ImageFailure[] = [];
      for (const imageId of input.imageIds ?? []) {
        const tags = imageId.imageTag ? [imageId.imageTag] : contents.tagsOf(place, imageId.imageDigest ?? "");
        const outcome = tryToDelete(contents, place, imageId);
        // By its digest an image goes with all its tags, and each is told (as moto's tests have it from AWS; API_BatchDeleteImage.html is silent).
        if ("digest" in outcome)
          imageIds.push(
            ...(tags.length > 0 ? tags.map((imageTag) => ({ imageDigest: outcome.digest, imageTag })) : [{ imageDigest: outcome.digest }]),
          );
        else failures.push(outcome);
      }
      return { imageIds, failures };
    },
  });

const putImage = (contents: Contents) =>
  operation<PutImageRequest, PutImageResponse>({
    access: on(contents.store, "PutImage"),
    async run(input, call) {
      const place = placeOf(input, call);
      await createOnPush(contents.core, contents.store, { place, by: call });
      const image = await contents.putImage({
        place,
        manifest: Buffer.from(input.imageManifest ?? ""),
        refuseSame: true,
        ...(input.imageManifestMediaType && { mediaType: input.imageManifestMediaType }),
        ...(input.imageTag && { tag: input.imageTag }),
        ...(input.imageDigest && { digest: input.imageDigest }),
      });
      const imageId = { imageDigest: image.digest, ...(input.imageTag && { imageTag: input.imageTag }) };
      return {
        image: {
          registryId: place.account,
          repositoryName: place.name,
          imageId,
          imageManifest: input.imageManifest,
          imageManifestMediaType: image.mediaType,
        },
      };
    },
  });

/** Why an identifier can name no image here; undefined for one that may. */
function badId(contents: Contents, place: Place, imageId: ImageIdentifier): ImageFailure | undefined {
  const { imageDigest, imageTag } = imageId;
  if (!imageDigest && !imageTag) return missingId(imageId);
  const malformed = malformedId(imageId);
  if (malformed) return malformed;
  const mismatch = imageDigest && imageTag && contents.image(place, imageTag)?.digest !== imageDigest;
  return mismatch
    ? { imageId, failureCode: "ImageTagDoesNotMatchDigest", failureReason: "The requested image tag does not match the digest" }
    : undefined;
}

function tryToDelete(contents: Contents, place: Place, imageId: ImageIdentifier): Image | ImageFailure {
  const bad = badId(contents, place, imageId);
  if (bad) return bad;
  try {
    return contents.deleteImage(place, imageId.imageTag ?? imageId.imageDigest ?? "") ?? imageMissing(imageId);
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== "ImageReferencedByManifestList") throw error;
    return { imageId, failureCode: "ImageReferencedByManifestList", failureReason: error.message };
  }
}

function findImage(contents: Contents, place: Place, id: ImageIdentifier): Image {
  const image = contents.image(place, id.imageDigest ?? id.imageTag ?? "");
  if (!image)
    throw imageNotFound(`imageDigest:'${id.imageDigest ?? "null"}', imageTag:'${id.imageTag ?? "null"}'`, place.name, place.account);
  return image;
}

const describe = (contents: Contents, place: Place, { image, tags }: { readonly image: Image; readonly tags: readonly string[] }) => ({
  registryId: place.account,
  repositoryName: place.name,
  imageDigest: image.digest,
  imageSizeInBytes: sizeOf(contents, place, image),
  imagePushedAt: new Date(image.pushedAt),
  imageManifestMediaType: image.mediaType,
  imageStatus: "ACTIVE" as const,
  ...(tags.length > 0 && { imageTags: [...tags] }),
  ...(image.artifactType && { artifactMediaType: image.artifactType }),
  ...(image.subject && { subjectManifestDigest: image.subject }),
});

/** Bytes of an image's layers; of a list, those of its largest image (API_ImageDetail.html). */
function sizeOf(contents: Contents, place: Place, image: Image): number {
  if (image.contentSize > 0) return image.contentSize;
  const children = image.references.flatMap((digest) => contents.image(place, digest) ?? []);
  return Math.max(0, ...children.map((child) => sizeOf(contents, place, child)));
}
