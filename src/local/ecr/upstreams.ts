import { DOCKER_HUB } from "../../kit/image-ref.ts";
import { registryClient, type RegistryClient, type Repository } from "../../oci/client/registry-client.ts";
import { transportFor } from "../../oci/client/transport.ts";
import { RegistryError } from "../../oci/errors.ts";
import type { Core } from "../gateway/service.ts";
import { upstreamFailed } from "./errors.ts";
import type { CacheRule } from "./store.ts";
import { upstreamSecrets } from "./upstream-secrets.ts";

/** Upstream registries as rules name them, at the addresses that the settings of the local accounts give. */
export interface Upstreams {
  now(): Date;
  /** A repository there. What is asked of it throws AwsError as `checkCredentials` does. */
  repository(rule: CacheRule, name: string, signal?: AbortSignal): Repository;
  /**
   * Whether the rule's credentials can be had.
   * @throws AwsError SecretNotFoundException, UnableToAccessSecretException, UnableToDecryptSecretValueException
   */
  checkCredentials(rule: CacheRule): Promise<void>;
  /** Why the registry does not answer; undefined where it does. */
  failure(rule: CacheRule): Promise<string | undefined>;
  close(): Promise<void>;
}

/** A puller waits meanwhile: three tries, not the seven of a copy. */
const ATTEMPTS = 3;

export function createUpstreams(core: Core): Upstreams {
  const { clock, random, settings } = core;
  const secrets = upstreamSecrets(core);
  const clients = new Map<string, RegistryClient>();
  const open = (rule: CacheRule): RegistryClient => {
    // Who signs in differently has other connections and tokens.
    const key = `${rule.registryId} ${rule.upstreamRegistryUrl} ${rule.credentialArn ?? ""}`;
    const client = clients.get(key) ?? registryClient({ transport: transportFor({ upstreams: mirrors(settings.upstreams) }), credentials: () => secrets.read(rule), clock, random, retries: { attempts: ATTEMPTS } });
    clients.set(key, client);
    return client;
  };
  return {
    now: () => clock.now(),
    checkCredentials: (rule) => secrets.check(rule),
    repository: (rule, repository, signal) => open(rule).repository({ registry: registryAt(rule.upstreamRegistryUrl), repository }, signal ? { signal } : {}),
    async failure(rule) {
      try {
        await this.repository(rule, "library/validate").headManifest("latest");
        return undefined;
      } catch (error) {
        // A registry that knows no such image, or shows it to nobody, has answered.
        const answered = error instanceof RegistryError && (error.kind === "denied" || error.kind === "missing");
        return answered ? undefined : (error as Error).message;
      }
    },
    close: async () => void (await Promise.all([...clients.values()].map((client) => client.close()))),
  };
}

/** The name of the registry at a host, as images are called: `docker.io` for `registry-1.docker.io`. */
const registryAt = (host: string): string => (host === "registry-1.docker.io" ? DOCKER_HUB : host);
const mirrors = (upstreams: Readonly<Record<string, string>>): Record<string, string> => Object.fromEntries(Object.entries(upstreams).map(([host, url]) => [registryAt(host), url]));

/** Does something upstream; what goes wrong there is told in ECR's words. @throws AwsError UpstreamAccessDenied, UpstreamTooManyRequests, UpstreamUnavailable */
export const askUpstream = <T>(work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    if (!(error instanceof RegistryError)) throw error;
    if (error.kind === "denied") throw upstreamFailed("UpstreamAccessDenied", error.message);
    throw upstreamFailed(error.kind === "throttled" ? "UpstreamTooManyRequests" : "UpstreamUnavailable", error.message);
  });
