import { formatImageRef, type ImageRef } from "../../kit/image-ref.ts";
import type { RegistryClient } from "../../oci/client/registry-client.ts";
import { RegistryError } from "../../oci/errors.ts";
import { wantedDigest } from "./preview.ts";

/**
 * What ECR calls a registry that its pull-through cache reads, where it reads it, and whether it wants credentials.
 * @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html
 */
export interface CachedUpstream {
  readonly registry: string;
  readonly url: string;
  readonly wantsCredentials: boolean;
}

const UPSTREAMS: Readonly<Record<string, CachedUpstream>> = {
  "quay.io": { registry: "quay", url: "quay.io", wantsCredentials: false },
  "public.ecr.aws": { registry: "ecr-public", url: "public.ecr.aws", wantsCredentials: false },
  "registry.k8s.io": { registry: "k8s", url: "registry.k8s.io", wantsCredentials: false },
  "docker.io": { registry: "docker-hub", url: "registry-1.docker.io", wantsCredentials: true },
  "ghcr.io": { registry: "github-container-registry", url: "ghcr.io", wantsCredentials: true },
  "registry.gitlab.com": { registry: "gitlab-container-registry", url: "registry.gitlab.com", wantsCredentials: true },
  "cgr.dev": { registry: "chainguard", url: "cgr.dev", wantsCredentials: true },
};

/** How ECR's cache reads a registry; undefined for one that it does not know. */
export const cachedUpstream = (host: string): CachedUpstream | undefined =>
  UPSTREAMS[host] ?? (/^[a-zA-Z0-9]+\.azurecr\.io$/.test(host) ? { registry: "azure-container-registry", url: host, wantsCredentials: true } : undefined);

/** The registries that ECR's cache can read, for messages. */
export const CACHED_HOSTS: readonly string[] = [...Object.keys(UPSTREAMS), "*.azurecr.io"];

/** An image that ECR brings in by itself. */
export interface Primed {
  readonly digest: string;
  /** Whether the repository had it before it was asked. */
  readonly reason: string;
}

/**
 * Has ECR's pull-through cache bring an image: one request for its manifest. The cache looks at a tag again after a day;
 * where the tag has moved since, the image is asked for by what upstream says now.
 * @throws RegistryError where upstream or the cache does not have it, or the rule may not be used
 */
export async function primeImage({ source, target, client }: { readonly source: ImageRef; readonly target: ImageRef; readonly client: RegistryClient }): Promise<Primed> {
  const digest = await wantedDigest(client.repository(source), source);
  const repository = client.repository(target);
  const cached = target.tag === undefined ? undefined : await repository.getManifest(target.tag);
  if (cached?.digest === digest) return { digest, reason: "ECR's pull-through cache has it" };
  const asked = await repository.getManifest(digest);
  if (asked) return { digest, reason: cached ? `the cache's tag still means ${cached.digest}; upstream has moved it` : "ECR's pull-through cache has it" };
  throw new RegistryError({ kind: "missing", registry: target.registry, doing: `have ${formatImageRef(source)} cached`, says: "ECR's pull-through cache does not bring it; see the rule of its prefix, and who may use it" });
}
