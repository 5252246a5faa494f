/**
 * What ECR calls a registry that its pull-through cache reads, where it reads it, and whether it wants credentials.
 * @see https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache.html
 */
export interface CachedUpstream {
  readonly registry: string;
  readonly url: string;
  readonly wantsCredentials: boolean;
}

const UPSTREAMS: ReadonlyMap<string, CachedUpstream> = new Map(
  Object.entries({
    "quay.io": { registry: "quay", url: "quay.io", wantsCredentials: false },
    "public.ecr.aws": { registry: "ecr-public", url: "public.ecr.aws", wantsCredentials: false },
    "registry.k8s.io": { registry: "k8s", url: "registry.k8s.io", wantsCredentials: false },
    "docker.io": { registry: "docker-hub", url: "registry-1.docker.io", wantsCredentials: true },
    "ghcr.io": { registry: "github-container-registry", url: "ghcr.io", wantsCredentials: true },
    "registry.gitlab.com": { registry: "gitlab-container-registry", url: "registry.gitlab.com", wantsCredentials: true },
    "cgr.dev": { registry: "chainguard", url: "cgr.dev", wantsCredentials: true },
  }),
);

/** How ECR's cache reads a registry; undefined for one that it does not know. */
export const cachedUpstream = (host: string): CachedUpstream | undefined =>
  UPSTREAMS.get(host) ??
  (/^[a-zA-Z0-9]+\.azurecr\.io$/.test(host) ? { registry: "azure-container-registry", url: host, wantsCredentials: true } : undefined);

/** The registries that ECR's cache can read, for messages. */
export const CACHED_HOSTS: readonly string[] = [...UPSTREAMS.keys(), "*.azurecr.io"];
