import type { ContainerRegistryMap } from "@aws-sdk/client-omics";
import { type ImageRef, parseImageRef } from "../../kit/image-ref.ts";
import { privateEcrOf } from "../../kit/image-ref-ecr.ts";
import type { Place } from "../project/deploy-config.ts";
import type { ReleasedImages } from "./bundle.ts";

/** The file of a bundle that holds the map. */
export const REGISTRY_MAP_FILE = "container-registry-map.json";

/**
 * Images in an account's ECR to which the user's own mappings lead: they are none of the release's, which are locked, and
 * a run reads them where they are, whether the release's images are shared or copied.
 */
export function mappedByUser(
  { imageMappings = [] }: ContainerRegistryMap,
  images: ReleasedImages,
  { account, region }: Place,
): readonly ImageRef[] {
  const released = new Set(images.map(({ target }) => target));
  return imageMappings.flatMap(({ destinationImage: image = "" }) => {
    const ref = released.has(image) ? undefined : parseImageRef(image);
    const ecr = ref && privateEcrOf(ref);
    return ref && ecr?.account === account && ecr.region === region ? [ref] : [];
  });
}
