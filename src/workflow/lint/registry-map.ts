import { DOCKER_HUB, type ImageRef } from "../../kit/image-ref.ts";

/** The container registry map of CreateWorkflow, as far as it decides which images are covered. */
export interface RegistryMap {
  readonly registryMappings?: readonly { readonly upstreamRegistryUrl?: string | undefined }[] | undefined;
  readonly imageMappings?: readonly { readonly sourceImage?: string | undefined }[] | undefined;
}

/** Docker Hub's names in a map (user guide, containers-workflow-creation). */
const DOCKER_HUB_HOSTS: readonly string[] = [DOCKER_HUB, "registry-1.docker.io", "index.docker.io"];

/**
 * Whether a map leads an image to private ECR: by the image as it is written, with or without its tag, or by its
 * registry's host, which has to be equal.
 */
export function isMapped(written: string, image: ImageRef, map: RegistryMap | undefined): boolean {
  // The host as it is written counts: `k8s.gcr.io` is another name of registry.k8s.io, which HealthOmics need not know.
  const hosts = image.registry === DOCKER_HUB ? DOCKER_HUB_HOSTS : [image.registry, written.replace(/^docker:\/\//, "").split("/")[0]];
  const byHost = (map?.registryMappings ?? []).some(({ upstreamRegistryUrl = "" }) =>
    hosts.includes(upstreamRegistryUrl.replace(/^https?:\/\/|\/+$/g, "")),
  );
  const withoutTag = written.replace(/@.*$/, "").replace(/:[^/:]+$/, "");
  return byHost || (map?.imageMappings ?? []).some(({ sourceImage }) => sourceImage === written || sourceImage === withoutTag);
}
