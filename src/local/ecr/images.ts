import { Readable } from "node:stream";
import type {
  BatchCheckLayerAvailabilityRequest, BatchCheckLayerAvailabilityResponse, BatchDeleteImageRequest, BatchDeleteImageResponse, BatchGetImageRequest, BatchGetImageResponse, CompleteLayerUploadRequest, CompleteLayerUploadResponse,
  DescribeImagesRequest, DescribeImagesResponse, GetAuthorizationTokenRequest, GetAuthorizationTokenResponse, GetDownloadUrlForLayerRequest, GetDownloadUrlForLayerResponse, ImageFailure, ImageIdentifier, InitiateLayerUploadRequest, InitiateLayerUploadResponse,
  ListImagesRequest, ListImagesResponse, PutImageRequest, PutImageResponse, UploadLayerPartRequest, UploadLayerPartResponse,
} from "@aws-sdk/client-ecr";
import { AwsError } from "../gateway/aws-error.ts";
import { operation } from "../gateway/service.ts";
import { on, placeOf } from "./access.ts";
import type { Contents } from "./contents.ts";
import { imageNotFound, invalidPart, layersUnavailable } from "./errors.ts";
import { type Image, keyOf, type Place } from "./store.ts";
import type { Tokens } from "./token.ts";

const PART_BYTES = 20 * 1024 * 1024;

/** Images and layers by the API: what clients without the registry protocol use, and HealthOmics asks. */
export function imageOperations(contents: Contents, tokens: Tokens) {
  const { store } = contents;
  return {
    GetAuthorizationToken: operation<GetAuthorizationTokenRequest, GetAuthorizationTokenResponse>({
      // A service that acts for itself (HealthOmics) has no identity policies; what its token may read, repository policies say.
      access: (_input, call) => (call.caller.kind === "service" ? [] : [{ action: "ecr:GetAuthorizationToken", resource: "*" }]),
      run(_input, call) {
        const { password, expires } = tokens.issue(call.caller);
        return { authorizationData: [{ authorizationToken: Buffer.from(`AWS:${password}`).toString("base64"), expiresAt: expires, proxyEndpoint: call.endpoint }] };
      },
    }),
    DescribeImages: operation<DescribeImagesRequest, DescribeImagesResponse>({
      access: on(store, "DescribeImages"),
      run(input, call) {
        const place = placeOf(input, call);
        contents.repository(place);
        const wanted = input.imageIds?.map((id) => findImage(contents, place, id));
        const all = wanted ?? store.images.list(keyOf(place)).map((entry) => entry.value);
        const described = all.map((image) => describe(contents, place, image));
        const { tagStatus } = input.filter ?? {};
        const filtered = described.filter((image) => !tagStatus || tagStatus === "ANY" || (tagStatus === "TAGGED") === (image.imageTags !== undefined));
        const from = Number(input.nextToken ?? 0);
        const limit = input.maxResults ?? 100;
        return { imageDetails: wanted ? filtered : filtered.slice(from, from + limit), ...(!wanted && filtered.length > from + limit && { nextToken: String(from + limit) }) };
      },
    }),
    ListImages: operation<ListImagesRequest, ListImagesResponse>({
      access: on(store, "ListImages"),
      run(input, call) {
        const place = placeOf(input, call);
        contents.repository(place);
        const { tagStatus } = input.filter ?? {};
        const ids = store.images.list(keyOf(place)).flatMap(({ value }): ImageIdentifier[] => {
          const tags = contents.tagsOf(place, value.digest);
          return tags.length === 0 ? [{ imageDigest: value.digest }] : tags.map((imageTag) => ({ imageDigest: value.digest, imageTag }));
        });
        const filtered = ids.filter((id) => !tagStatus || tagStatus === "ANY" || (tagStatus === "TAGGED") === (id.imageTag !== undefined));
        const from = Number(input.nextToken ?? 0);
        const limit = input.maxResults ?? 100;
        return { imageIds: filtered.slice(from, from + limit), ...(filtered.length > from + limit && { nextToken: String(from + limit) }) };
      },
    }),
    BatchGetImage: operation<BatchGetImageRequest, BatchGetImageResponse>({
      access: on(store, "BatchGetImage"),
      async run(input, call) {
        const place = placeOf(input, call);
        contents.repository(place);
        const images: NonNullable<BatchGetImageResponse["images"]> = [];
        const failures: ImageFailure[] = [];
        for (const imageId of input.imageIds ?? []) {
          const bad = badId(contents, place, imageId);
          const image = contents.image(place, imageId.imageDigest ?? imageId.imageTag ?? "");
          if (bad) failures.push(bad);
          else if (!image) failures.push({ imageId, failureCode: "ImageNotFound", failureReason: "Requested image not found" });
          else
            images.push({
              registryId: place.account, repositoryName: place.name, imageId: { imageDigest: image.digest, ...(imageId.imageTag && { imageTag: imageId.imageTag }) },
              imageManifest: (await contents.manifestBytes(image)).toString("utf8"), imageManifestMediaType: image.mediaType,
            });
        }
        return { images, failures };
      },
    }),
    BatchDeleteImage: operation<BatchDeleteImageRequest, BatchDeleteImageResponse>({
      access: on(store, "BatchDeleteImage"),
      run(input, call) {
        const place = placeOf(input, call);
        contents.repository(place);
        const imageIds: ImageIdentifier[] = [];
        const failures: ImageFailure[] = [];
        for (const imageId of input.imageIds ?? []) {
          const outcome = tryToDelete(contents, place, imageId);
          if ("digest" in outcome) imageIds.push({ ...imageId, imageDigest: outcome.digest });
          else failures.push(outcome);
        }
        return { imageIds, failures };
      },
    }),
    PutImage: operation<PutImageRequest, PutImageResponse>({
      access: on(store, "PutImage"),
      async run(input, call) {
        const place = placeOf(input, call);
        const image = await contents.putImage(place, Buffer.from(input.imageManifest ?? ""), {
          refuseSame: true, ...(input.imageManifestMediaType && { mediaType: input.imageManifestMediaType }), ...(input.imageTag && { tag: input.imageTag }), ...(input.imageDigest && { digest: input.imageDigest }),
        });
        const imageId = { imageDigest: image.digest, ...(input.imageTag && { imageTag: input.imageTag }) };
        return { image: { registryId: place.account, repositoryName: place.name, imageId, imageManifest: input.imageManifest, imageManifestMediaType: image.mediaType } };
      },
    }),
    BatchCheckLayerAvailability: operation<BatchCheckLayerAvailabilityRequest, BatchCheckLayerAvailabilityResponse>({
      access: on(store, "BatchCheckLayerAvailability"),
      run(input, call) {
        const place = placeOf(input, call);
        contents.repository(place);
        return {
          layers: (input.layerDigests ?? []).map((layerDigest) => {
            const layer = contents.layer(place, layerDigest);
            return layer ? { layerDigest, layerAvailability: "AVAILABLE" as const, layerSize: layer.size } : { layerDigest, layerAvailability: "UNAVAILABLE" as const };
          }),
          failures: [],
        };
      },
    }),
    GetDownloadUrlForLayer: operation<GetDownloadUrlForLayerRequest, GetDownloadUrlForLayerResponse>({
      access: on(store, "GetDownloadUrlForLayer"),
      run(input, call) {
        const place = placeOf(input, call);
        contents.repository(place);
        const layer = contents.layer(place, input.layerDigest ?? "");
        if (!layer) throw layersUnavailable(input.layerDigest ?? "");
        return { layerDigest: layer.digest, downloadUrl: `${call.endpoint}/ecr-layers/${tokens.link(layer.sha256)}` };
      },
    }),
    InitiateLayerUpload: operation<InitiateLayerUploadRequest, InitiateLayerUploadResponse>({
      access: on(store, "InitiateLayerUpload"),
      run(input, call) {
        const place = placeOf(input, call);
        contents.repository(place);
        return { uploadId: contents.beginUpload(place).id, partSize: PART_BYTES };
      },
    }),
    UploadLayerPart: operation<UploadLayerPartRequest, UploadLayerPartResponse>({
      access: on(store, "UploadLayerPart"),
      async run(input, call) {
        const place = placeOf(input, call);
        const upload = contents.upload(place, input.uploadId ?? "");
        const received = contents.uploadedBytes(upload);
        if (input.partFirstByte !== received) throw invalidPart(received - 1);
        const bytes = input.layerPartBlob?.byteLength ?? 0;
        if (input.partLastByte !== undefined && input.partLastByte !== received + bytes - 1) throw invalidPart(received - 1);
        const size = await contents.append(upload, Readable.from([Buffer.from(input.layerPartBlob ?? [])]));
        return { registryId: place.account, repositoryName: place.name, uploadId: upload.id, lastByteReceived: size - 1 };
      },
    }),
    CompleteLayerUpload: operation<CompleteLayerUploadRequest, CompleteLayerUploadResponse>({
      access: on(store, "CompleteLayerUpload"),
      async run(input, call) {
        const place = placeOf(input, call);
        const layer = await contents.complete(contents.upload(place, input.uploadId ?? ""), input.layerDigests?.[0] ?? "", { refuseEmpty: true });
        return { registryId: place.account, repositoryName: place.name, uploadId: input.uploadId, layerDigest: layer.digest };
      },
    }),
  };
}

/** Why an identifier can name no image here; undefined for one that may. */
function badId(contents: Contents, place: Place, imageId: ImageIdentifier): ImageFailure | undefined {
  const { imageDigest, imageTag } = imageId;
  if (!imageDigest && !imageTag) return { imageId, failureCode: "MissingDigestAndTag", failureReason: "Invalid request parameters: both tag and digest cannot be null" };
  const mismatch = imageDigest && imageTag && contents.image(place, imageTag)?.digest !== imageDigest;
  return mismatch ? { imageId, failureCode: "ImageTagDoesNotMatchDigest", failureReason: "The requested image tag does not match the digest" } : undefined;
}

function tryToDelete(contents: Contents, place: Place, imageId: ImageIdentifier): Image | ImageFailure {
  const bad = badId(contents, place, imageId);
  if (bad) return bad;
  try {
    return contents.deleteImage(place, imageId.imageTag ?? imageId.imageDigest ?? "") ?? { imageId, failureCode: "ImageNotFound", failureReason: "Requested image not found" };
  } catch (error) {
    if (!(error instanceof AwsError) || error.code !== "ImageReferencedByManifestList") throw error;
    return { imageId, failureCode: "ImageReferencedByManifestList", failureReason: error.message };
  }
}

function findImage(contents: Contents, place: Place, id: ImageIdentifier): Image {
  const image = contents.image(place, id.imageDigest ?? id.imageTag ?? "");
  if (!image) throw imageNotFound(`imageDigest:'${id.imageDigest ?? "null"}', imageTag:'${id.imageTag ?? "null"}'`, place.name, place.account);
  return image;
}

function describe(contents: Contents, place: Place, image: Image) {
  const imageTags = [...contents.tagsOf(place, image.digest)];
  return {
    registryId: place.account, repositoryName: place.name, imageDigest: image.digest, imageSizeInBytes: image.contentSize, imagePushedAt: new Date(image.pushedAt), imageManifestMediaType: image.mediaType,
    ...(imageTags.length > 0 && { imageTags }), ...(image.artifactType && { artifactMediaType: image.artifactType }),
  };
}
