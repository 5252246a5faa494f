import { DOCKER_HUB } from "../../kit/image-ref.ts";
import { readPrivateEcrHost } from "../../kit/image-ref-ecr.ts";
import { InvalidValue } from "../../kit/invalid-value.ts";

/** Where the requests for a registry go. */
export interface Endpoint {
  /** Scheme, host and port: `https://quay.io`. */
  readonly origin: string;
  /** What stands before each repository's name there: empty, or a path that ends in a slash. */
  readonly prefix: string;
  /** The address as somebody gave it, where it is not the registry's own. */
  readonly elsewhere?: string;
}

/** The end of what errors say was done: a mirror is at fault for what it sends, or lacks, in a registry's place. */
export const whereRead = (elsewhere: string | undefined): string => (elsewhere === undefined ? "" : ` at ${elsewhere}`);

/** Finds the address of a registry. The registry's name stays what images are called; only requests move. */
export type Transport = (registry: string) => Endpoint;

export interface TransportOptions {
  /** Registries that are read somewhere else: `{"quay.io": "http://127.0.0.1:5001"}`; a path goes before the repository. */
  readonly upstreams?: Readonly<Record<string, string>>;
  /** Where private ECR answers, for every account and region: `http://127.0.0.1:4577`. @default - ECR's own hosts */
  readonly ecrEndpoint?: string;
}

/**
 * Registries by their own name over HTTPS, loopback ones over HTTP as in Docker, and the exceptions given.
 * @throws InvalidValue for an upstream that is not an http or https address
 */
export function transportFor({ upstreams = {}, ecrEndpoint }: TransportOptions = {}): Transport {
  const moved = new Map(Object.entries(upstreams).map(([registry, url]) => [registry, { ...endpointOf(url), elsewhere: url }]));
  const ecr = ecrEndpoint === undefined ? undefined : endpointOf(ecrEndpoint);
  return (registry) => moved.get(registry) ?? (ecr && localEcr(registry, ecr)) ?? ownEndpoint(registry);
}

function localEcr(registry: string, { origin, prefix }: Endpoint): Endpoint | undefined {
  const ecr = readPrivateEcrHost(registry);
  return ecr && { origin, prefix: `${prefix}${ecr.account}/${ecr.region}/` };
}

function ownEndpoint(registry: string): Endpoint {
  if (registry === DOCKER_HUB) return { origin: "https://registry-1.docker.io", prefix: "" };
  return { origin: `${isLoopback(registry) ? "http" : "https"}://${registry}`, prefix: "" };
}

const isLoopback = (registry: string): boolean => /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/.test(registry);

function endpointOf(text: string): Endpoint {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "" || url.search !== "")
    throw new InvalidValue(
      "registry address",
      text.replace(/\/\/[^/]*@/, "//***@"),
      "write http:// or https://, a host and perhaps a path, without a password",
    );
  const path = url.pathname.replace(/^\/+|\/+$/g, "");
  return { origin: url.origin, prefix: path === "" ? "" : `${path}/` };
}
