import type { ContainerRegistryMap } from "@aws-sdk/client-omics";
import { DOCKER_HUB, parseImageRef } from "../../kit/image-ref.ts";
import { ReleaseError } from "../errors.ts";
import type { OmxYaml } from "../project/omx-yaml.ts";
import type { ContainersLock, LockedImage } from "./lock/lock.ts";

type Own = NonNullable<OmxYaml["registryMap"]>;
type RegistryMapping = Own["registryMappings"][number];

// The console's limits (guide, "Container registry mappings"); the API names none.
const IMAGE_MAPPINGS_LIMIT = 100;
const REGISTRY_MAPPINGS_LIMIT = 20;

/**
 * The container registry map of a release: each image to its digest in ECR. The user's own mappings come first, and
 * stand alone for an image that they name. Where there are too many images, those that a registry mapping of the user's
 * leads to the same repository are left to it: they keep their tags.
 * @returns undefined when there is nothing to map
 * @throws ReleaseError TooLarge for more mappings than HealthOmics takes
 */
export function registryMapOf(lock: ContainersLock, own: Own | undefined): ContainerRegistryMap | undefined {
  const { imageMappings: ownImages = [], registryMappings: ownRegistries = [] } = own ?? {};
  const isOwn = new Set(ownImages.map(({ sourceImage }) => sourceImage));
  const needed = lock.images.filter(({ image, target }) => image !== target && !isOwn.has(image));
  const isTooMany = ownImages.length + needed.length > IMAGE_MAPPINGS_LIMIT;
  const mapped = needed
    .filter((image) => !(isTooMany && ownRegistries.some((mapping) => leadsTo(mapping, image))))
    .map(({ image, target }) => ({ sourceImage: image, destinationImage: target }));
  const imageMappings = [...ownImages, ...mapped];
  check("images", imageMappings.length, IMAGE_MAPPINGS_LIMIT);
  check("registries", ownRegistries.length, REGISTRY_MAPPINGS_LIMIT);
  const registryMappings = ownRegistries.map((mapping) => ({
    upstreamRegistryUrl: mapping.upstreamRegistryUrl,
    ecrRepositoryPrefix: mapping.ecrRepositoryPrefix,
    ...(mapping.upstreamRepositoryPrefix && { upstreamRepositoryPrefix: mapping.upstreamRepositoryPrefix }),
    ...(mapping.ecrAccountId && { ecrAccountId: mapping.ecrAccountId }),
    ...(mapping.credentialArn && { credentialArn: mapping.credentialArn }),
  }));
  if (imageMappings.length === 0 && registryMappings.length === 0) return undefined;
  return { ...(registryMappings.length > 0 && { registryMappings }), ...(imageMappings.length > 0 && { imageMappings }) };
}

/**
 * Whether HealthOmics would find the image's own repository by this mapping: the registry has to be the host with which
 * the image is written (Docker Hub's is `registry-1.docker.io`), the path follows the prefix. A mapping with a prefix of
 * the upstream path is never relied on: how it is stripped is not documented.
 */
function leadsTo(
  { upstreamRegistryUrl, ecrRepositoryPrefix, upstreamRepositoryPrefix }: RegistryMapping,
  { image, target }: LockedImage,
): boolean {
  const source = parseImageRef(image);
  const host = upstreamRegistryUrl.replace(/^https?:\/\//, "").replace(/\/+$/, "");
  const registry = host === "registry-1.docker.io" ? DOCKER_HUB : host;
  return (
    upstreamRepositoryPrefix === undefined &&
    source.registry === registry &&
    parseImageRef(target).repository === `${ecrRepositoryPrefix}/${source.repository}`
  );
}

function check(what: "images" | "registries", count: number, limit: number): void {
  if (count <= limit) return;
  const fix =
    what === "images"
      ? "write ECR addresses for some of them in the definition, or cover a registry by registryMap.registryMappings in omx.yaml"
      : "take some out of registryMap.registryMappings in omx.yaml: images need none, omx maps each by itself";
  throw new ReleaseError("TooLarge", {
    says: `the workflow uses ${count} ${what} that need a mapping; HealthOmics takes ${limit}`,
    fix,
    blame: "user",
  });
}
