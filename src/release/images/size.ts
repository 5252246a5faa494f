import { DescribeImagesCommand, type ECRClient } from "@aws-sdk/client-ecr";
import type { ImageRef } from "../../kit/image-ref.ts";

/** What ECR says the image weighs. */
export async function sizeOf(ecr: ECRClient, { repository, tag, digest: pinned }: ImageRef, digest = pinned): Promise<number> {
  const imageIds = [digest ? { imageDigest: digest } : { imageTag: tag ?? "latest" }];
  const { imageDetails } = await ecr.send(new DescribeImagesCommand({ repositoryName: repository, imageIds }));
  return imageDetails?.[0]?.imageSizeInBytes ?? 0;
}
