import type { UpstreamRegistry } from "@aws-sdk/client-ecr";
import { invalidParameter, unsupportedUpstream } from "../errors.ts";

/** The registries that a rule may name (AmazonECR/latest/userguide/pull-through-cache.html), by their host. */
const BY_HOST: Readonly<Record<string, UpstreamRegistry>> = {
  "public.ecr.aws": "ecr-public",
  "registry-1.docker.io": "docker-hub",
  "ghcr.io": "github-container-registry",
  "registry.gitlab.com": "gitlab-container-registry",
  "registry.k8s.io": "k8s",
  "quay.io": "quay",
  "cgr.dev": "chainguard",
};

/**
 * What AWS calls the upstream registry at a host.
 * @param given what the caller calls it
 * @throws AwsError UnsupportedUpstreamRegistryException, InvalidParameterException where host and name differ
 */
export function upstreamRegistryOf(url: string, given: UpstreamRegistry | undefined): UpstreamRegistry {
  const registry = BY_HOST[url] ?? (/^[a-zA-Z0-9]+\.azurecr\.io$/.test(url) ? "azure-container-registry" : undefined);
  if (!registry) throw unsupportedUpstream(url);
  if (given !== undefined && given !== registry) throw invalidParameter(`'upstreamRegistry': ${url} is ${registry}, not ${given}`);
  return registry;
}
