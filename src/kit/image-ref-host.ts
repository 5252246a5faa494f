import { InvalidValue } from "./invalid-value.ts";

/** The name under which Docker Hub is known here, whatever spelling an image used. */
export const DOCKER_HUB = "docker.io";

/** Other names of the same registry. registry.hub.docker.com is in many Singularity recipes. */
const REGISTRY_ALIASES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "index.docker.io": DOCKER_HUB,
    "registry-1.docker.io": DOCKER_HUB,
    "registry.docker.io": DOCKER_HUB,
    "registry.hub.docker.com": DOCKER_HUB,
    "hub.docker.com": DOCKER_HUB,
    // The dual-stack address of ECR Public.
    "ecr-public.aws.com": "public.ecr.aws",
    // Frozen in 2023, and led to its successor: https://kubernetes.io/blog/2023/03/10/image-registry-redirect/
    "k8s.gcr.io": "registry.k8s.io",
  }),
);

/**
 * The one name of the registry at a host: aliases folded, HTTPS's own port left out, an IPv6 address in its short form.
 * @throws InvalidValue of the whole `text` (an image, say) for what is no host
 */
export function registryAt(host: string, { kind, text }: { readonly kind: string; readonly text: string }): string {
  const usual = withoutUsualPort(host);
  const problem = problemOf(usual);
  if (problem !== undefined) throw new InvalidValue(kind, text, problem);
  return REGISTRY_ALIASES.get(usual) ?? inShort(usual);
}

/**
 * Reads the host of a registry where one stands alone, as in a configuration.
 * @returns its one name: `docker.io` for `index.docker.io`
 * @throws InvalidValue with a sentence that says what to write instead
 */
export function parseRegistryHost(text: string): string {
  const refuse = (expected: string) => new InvalidValue("registry", text, expected);
  const bare = text.replace(/^[a-z]+:\/\//i, "");
  if (bare !== text) throw refuse(`write ${bare.split("/")[0]} alone`);
  if (text.includes("/")) throw refuse(`a registry is named by its host alone; write ${text.split("/")[0]}`);
  const registry = registryAt(text, { kind: "registry", text });
  if (!isHost(text)) throw refuse(`write the host as images do: ${KNOWN_WORDS.get(text) ?? `${text}.example.org`} or ${text}:5000`);
  return registry;
}

/** What people call registries, for messages. */
const KNOWN_WORDS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    quay: "quay.io",
    docker: DOCKER_HUB,
    dockerhub: DOCKER_HUB,
    ghcr: "ghcr.io",
    gcr: "gcr.io",
    mcr: "mcr.microsoft.com",
    nvcr: "nvcr.io",
    "ecr-public": "public.ecr.aws",
  }),
);

/** Whether the first word of an image's name is a host: as for Docker, it has a dot, a port or a capital, or is localhost. */
export const isHost = (word: string): boolean =>
  word.includes(".") || word.includes(":") || word === "localhost" || word !== word.toLowerCase();

/** HTTPS is asked at 443 anyway; a registry of this machine or of a bare address may be another one there. */
const withoutUsualPort = (host: string): string => (/^[^:]*\.[a-z][^:.]*:443$/.test(host) ? host.slice(0, -":443".length) : host);

const HOST_PART = "[a-z0-9](?:[a-z0-9-]*[a-z0-9])?";
const HOST = new RegExp(`^(?:${HOST_PART}(?:\\.${HOST_PART})*|(\\[[0-9a-f:]+\\]))(?::(\\d+))?$`);

function problemOf(host: string): string | undefined {
  if (host !== host.toLowerCase()) return `write ${host.toLowerCase()} in lower case`;
  const [whole, address, port] = HOST.exec(host) ?? [];
  if (whole === undefined) return `"${host}" is not a host name with or without a port`;
  if (address !== undefined && !URL.canParse(`http://${address}`)) return `${address} is not an IPv6 address`;
  if (port === undefined) return undefined;
  if (Number(port) === 0 || Number(port) > 65_535) return `${port} is not a port; ports are 1 to 65535`;
  return port.startsWith("0") ? `${port} is not a port; write ${Number(port)}` : undefined;
}

/** `[0:0:0:0:0:0:0:1]:5000` → `[::1]:5000`. */
const inShort = (host: string): string => host.replace(/^\[[^\]]*\]/, (address) => new URL(`http://${address}`).hostname);
