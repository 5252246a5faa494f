import {
  BatchCheckLayerAvailabilityCommand,
  CompleteLayerUploadCommand,
  type ECRClient,
  InitiateLayerUploadCommand,
  PutImageCommand,
  UploadLayerPartCommand,
} from "@aws-sdk/client-ecr";
import { digestOf } from "../../../oci/digest.ts";
import { noise } from "../../../oci/testing/sample-images.ts";

export const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** Sends a layer through ECR's API, in parts of so many bytes; gives its digest. */
export async function uploadLayer(ecr: ECRClient, repositoryName: string, bytes: Buffer, partBytes = bytes.byteLength): Promise<string> {
  const { uploadId } = await ecr.send(new InitiateLayerUploadCommand({ repositoryName }));
  for (let at = 0; at < bytes.byteLength; at += partBytes) {
    const layerPartBlob = bytes.subarray(at, at + partBytes);
    const partLastByte = at + layerPartBlob.byteLength - 1;
    await ecr.send(new UploadLayerPartCommand({ repositoryName, uploadId, partFirstByte: at, partLastByte, layerPartBlob }));
  }
  const { layerDigest } = await ecr.send(new CompleteLayerUploadCommand({ repositoryName, uploadId, layerDigests: [digestOf(bytes)] }));
  return layerDigest!;
}

/** Pushes an image of one layer through ECR's API alone; gives its digest. Another seed is another image. */
export async function putImage(ecr: ECRClient, repositoryName: string, tag: string, seed = tag): Promise<string> {
  const [config, layer] = [Buffer.from(JSON.stringify({ os: "linux", architecture: "amd64", seed })), noise(seed, 1000)];
  const descriptors = await Promise.all(
    [config, layer].map(async (bytes) => ({ digest: await ensureLayer(ecr, repositoryName, bytes), size: bytes.byteLength })),
  );
  const imageManifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: "application/vnd.oci.image.config.v1+json", ...descriptors[0] },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", ...descriptors[1] }],
  });
  const { image } = await ecr.send(new PutImageCommand({ repositoryName, imageManifest, imageTag: tag }));
  return image!.imageId!.imageDigest!;
}

/** As docker does: only what is not there is sent. */
async function ensureLayer(ecr: ECRClient, repositoryName: string, bytes: Buffer): Promise<string> {
  const { layers } = await ecr.send(new BatchCheckLayerAvailabilityCommand({ repositoryName, layerDigests: [digestOf(bytes)] }));
  return layers![0]!.layerAvailability === "AVAILABLE" ? digestOf(bytes) : uploadLayer(ecr, repositoryName, bytes);
}
