import { Readable } from "node:stream";
import type {
  BatchCheckLayerAvailabilityRequest,
  BatchCheckLayerAvailabilityResponse,
  CompleteLayerUploadRequest,
  CompleteLayerUploadResponse,
  GetDownloadUrlForLayerRequest,
  GetDownloadUrlForLayerResponse,
  InitiateLayerUploadRequest,
  InitiateLayerUploadResponse,
  UploadLayerPartRequest,
  UploadLayerPartResponse,
} from "@aws-sdk/client-ecr";
import { operation } from "../../gateway/service.ts";
import { on, placeOf } from "../access.ts";
import type { Contents } from "../contents.ts";
import { createOnPush } from "../repositories/ecr-created.ts";
import { invalidPart, layerExists, layersUnavailable, partTooSmall } from "../errors.ts";
import type { Upload } from "../store.ts";
import type { Tokens } from "../token.ts";

const PART_BYTES = 20 * 1024 * 1024;
const SMALLEST_PART_BYTES = 5 * 1024 * 1024;

/** A part that is too small is seen when another comes after it. */
const afterPart = ({ smallPart }: Upload, bytes: number): Pick<Upload, "smallPart"> => {
  if (smallPart) return { smallPart: { ...smallPart, isLast: false } };
  return bytes < SMALLEST_PART_BYTES ? { smallPart: { bytes, isLast: true } } : {};
};

/** Layers by the API: whether they are there, and where. */
export const layerOperations = (contents: Contents, tokens: Tokens) => ({
  BatchCheckLayerAvailability: operation<BatchCheckLayerAvailabilityRequest, BatchCheckLayerAvailabilityResponse>({
    access: on(contents.store, "BatchCheckLayerAvailability"),
    run(input, call) {
      const place = placeOf(input, call);
      contents.repository(place);
      return {
        layers: (input.layerDigests ?? []).map((layerDigest) => {
          const layerSize = contents.layerSize(place, layerDigest);
          return layerSize !== undefined
            ? { layerDigest, layerAvailability: "AVAILABLE" as const, layerSize }
            : { layerDigest, layerAvailability: "UNAVAILABLE" as const };
        }),
        failures: [],
      };
    },
  }),
  GetDownloadUrlForLayer: operation<GetDownloadUrlForLayerRequest, GetDownloadUrlForLayerResponse>({
    access: on(contents.store, "GetDownloadUrlForLayer"),
    async run(input, call) {
      const place = placeOf(input, call);
      contents.repository(place);
      const layer = await contents.broughtLayer(place, input.layerDigest ?? "");
      if (!layer) throw layersUnavailable(input.layerDigest ?? "");
      return { layerDigest: layer.digest, downloadUrl: `${call.endpoint}/ecr-layers/${tokens.link(layer.sha256)}` };
    },
  }),
});

/** Layers by the API: sent in parts. */
export const layerUploadOperations = (contents: Contents) => ({
  InitiateLayerUpload: operation<InitiateLayerUploadRequest, InitiateLayerUploadResponse>({
    access: on(contents.store, "InitiateLayerUpload"),
    async run(input, call) {
      const place = placeOf(input, call);
      await createOnPush(contents.core, contents.store, { place, by: call });
      contents.repository(place);
      return { uploadId: contents.uploads.begin(place).id, partSize: PART_BYTES };
    },
  }),
  UploadLayerPart: operation<UploadLayerPartRequest, UploadLayerPartResponse>({
    access: on(contents.store, "UploadLayerPart"),
    async run(input, call) {
      const place = placeOf(input, call);
      const upload = contents.uploads.find(place, input.uploadId ?? "");
      const received = contents.uploads.received(upload);
      const bytes = input.layerPartBlob?.byteLength ?? 0;
      if (input.partFirstByte !== received || (input.partLastByte !== undefined && input.partLastByte !== received + bytes - 1))
        throw invalidPart(upload, received - 1);
      const size = await contents.uploads.append(upload, Readable.from([Buffer.from(input.layerPartBlob ?? [])]));
      contents.store.uploads.put([upload.id], { ...upload, ...afterPart(upload, bytes) });
      return { registryId: place.account, repositoryName: place.name, uploadId: upload.id, lastByteReceived: size - 1 };
    },
  }),
  CompleteLayerUpload: operation<CompleteLayerUploadRequest, CompleteLayerUploadResponse>({
    access: on(contents.store, "CompleteLayerUpload"),
    async run(input, call) {
      const place = placeOf(input, call);
      const upload = contents.uploads.find(place, input.uploadId ?? "");
      const digest = input.layerDigests?.[0] ?? "";
      if (contents.layer(place, digest)) {
        contents.uploads.cancel(upload);
        throw layerExists(digest);
      }
      if (upload.smallPart?.isLast === false) throw partTooSmall(upload.smallPart.bytes);
      const layer = await contents.uploads.complete(upload, digest, { refuseEmpty: true });
      return { registryId: place.account, repositoryName: place.name, uploadId: input.uploadId, layerDigest: layer.digest };
    },
  }),
});
