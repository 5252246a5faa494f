import { DOCKER_HUB } from "../../kit/image-ref.ts";
import { registryClient, type RegistryClient, type Repository } from "../../oci/client/registry-client.ts";
import { transportFor } from "../../oci/client/transport.ts";
import { RegistryError } from "../../oci/errors.ts";
import type { Core } from "../gateway/service.ts";
import { secretInaccessible, upstreamFailed } from "./errors.ts";
import type { CacheRule } from "./store.ts";

/** Upstream registries as rules name them, at the addresses that the settings of the local accounts give. */
export interface Upstreams {
  now(): Date;
  /** A repository there. @throws AwsError as `credentials` does */
  repository(rule: CacheRule, name: string, signal?: AbortSignal): Repository;
  /**
   * Whether the rule's credentials can be had. A mirror of the settings is asked without: they are not its own.
   * @throws AwsError UnableToAccessSecretException
   */
  checkCredentials(rule: CacheRule): void;
  /** Why the registry does not answer; undefined where it does. */
  failure(rule: CacheRule): Promise<string | undefined>;
  close(): Promise<void>;
}

/** A puller waits meanwhile: three tries, not the seven of a copy. */
const ATTEMPTS = 3;

export function createUpstreams({ clock, random, settings }: Core): Upstreams {
  let client: RegistryClient | undefined;
  const open = () => (client ??= registryClient({ transport: transportFor({ upstreams: mirrors(settings.upstreams) }), clock, random, retries: { attempts: ATTEMPTS } }));
  const checkCredentials = ({ credentialArn, upstreamRegistryUrl }: CacheRule): void => {
    if (credentialArn !== undefined && mirrors(settings.upstreams)[registryAt(upstreamRegistryUrl)] === undefined) throw secretInaccessible(credentialArn, upstreamRegistryUrl);
  };
  return {
    now: () => clock.now(),
    checkCredentials,
    repository(rule, repository, signal) {
      checkCredentials(rule);
      return open().repository({ registry: registryAt(rule.upstreamRegistryUrl), repository }, signal ? { signal } : {});
    },
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
    close: () => client?.close() ?? Promise.resolve(),
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
