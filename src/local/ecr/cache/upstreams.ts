import { DOCKER_HUB } from "../../../kit/image-ref.ts";
import { registryClient, type RegistryClient, type Repository } from "../../../oci/client/registry-client.ts";
import { transportFor } from "../../../oci/client/transport.ts";
import { RegistryError } from "../../../oci/errors.ts";
import type { Core } from "../../gateway/service.ts";
import type { LayerSource } from "./arriving-layers.ts";
import { upstreamFailed } from "../errors.ts";
import { UPSTREAM_ATTEMPTS } from "./layer-orders.ts";
import { layerThreads } from "./layer-threads.ts";
import type { CacheRule } from "../store.ts";
import { type UpstreamSecrets, upstreamSecrets } from "./upstream-secrets.ts";

/** Upstream registries as rules name them, at the addresses that the settings of the local accounts give. */
export interface Upstreams {
  now(): Date;
  /** A repository there. What is asked of it throws AwsError as `checkCredentials` does. */
  repository(rule: CacheRule, name: string): Repository;
  /** A layer there. What its writing throws is for `askUpstream`. */
  layer(rule: CacheRule, wanted: UpstreamLayer, signal?: AbortSignal): LayerSource;
  /**
   * Whether the rule's credentials can be had.
   * @throws AwsError SecretNotFoundException, UnableToAccessSecretException, UnableToDecryptSecretValueException
   */
  checkCredentials(rule: CacheRule): Promise<void>;
  /**
   * Whether upstream can be asked with the rule's credentials. The client for it lives long, and remembers for a while
   * that there were none: a secret that is corrected counts at once.
   * @throws AwsError as `checkCredentials`, and UpstreamAccessDenied for a secret of another form
   */
  readCredentials(rule: CacheRule): Promise<void>;
  /** Why the registry does not answer; undefined where it does. */
  failure(rule: CacheRule): Promise<string | undefined>;
  close(): Promise<void>;
}

export interface UpstreamLayer {
  readonly repository: string;
  readonly digest: string;
  readonly size: number;
}

export function createUpstreams(core: Core): Upstreams {
  const by = core.settings.proxy && { proxy: core.settings.proxy };
  const secrets = upstreamSecrets(core);
  const threads = layerThreads();
  const upstreams = mirrors(core.settings.upstreams);
  const clients = openClients(core, { upstreams, secrets });
  const repository: Upstreams["repository"] = (rule, name) =>
    clients.of(rule).repository({ registry: registryAt(rule.upstreamRegistryUrl), repository: name });
  return {
    now: () => core.clock.now(),
    checkCredentials: (rule) => secrets.check(rule),
    async readCredentials(rule) {
      await secrets.read(rule);
    },
    repository,
    layer: (rule, { repository, digest, size }, signal) => ({
      digest,
      size,
      async writeTo(file, onWritten) {
        const credentials = await secrets.read(rule);
        const from = {
          client: keyOf(rule),
          upstreams,
          registry: registryAt(rule.upstreamRegistryUrl),
          repository,
          ...(credentials && { credentials }),
          ...by,
        };
        return threads.bring({ ...from, blob: { digest, size }, file }, onWritten, signal);
      },
    }),
    failure: (rule) => unanswered(() => repository(rule, "library/validate").headManifest("latest")),
    async close() {
      await Promise.all([threads.close(), clients.close()]);
    },
  };
}

/** Why a registry did not answer; undefined where it did. */
async function unanswered(ask: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await ask();
    return undefined;
  } catch (error) {
    // A registry that knows no such image, or shows it to nobody, has answered.
    const isAnswered = error instanceof RegistryError && (error.kind === "denied" || error.kind === "missing");
    return isAnswered ? undefined : (error as Error).message;
  }
}

/** Who signs in differently has other connections and tokens. */
const keyOf = (rule: CacheRule): string => `${rule.registryId} ${rule.upstreamRegistryUrl} ${rule.credentialArn ?? ""}`;

interface Asking {
  readonly upstreams: Readonly<Record<string, string>>;
  readonly secrets: UpstreamSecrets;
}

/** A client for each registry and login, kept until the accounts end. */
function openClients({ clock, random, settings: { proxy } }: Core, { upstreams, secrets }: Asking) {
  const clients = new Map<string, RegistryClient>();
  const open = (rule: CacheRule): RegistryClient =>
    registryClient({
      transport: transportFor({ upstreams }),
      credentials: () => secrets.read(rule),
      clock,
      random,
      retries: { attempts: UPSTREAM_ATTEMPTS },
      ...(proxy && { proxy }),
    });
  return {
    of(rule: CacheRule): RegistryClient {
      const client = clients.get(keyOf(rule)) ?? open(rule);
      clients.set(keyOf(rule), client);
      return client;
    },
    async close() {
      await Promise.all([...clients.values()].map((client) => client.close()));
    },
  };
}

/** The name of the registry at a host, as images are called: `docker.io` for `registry-1.docker.io`. */
const registryAt = (host: string): string => (host === "registry-1.docker.io" ? DOCKER_HUB : host);
const mirrors = (upstreams: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(upstreams).map(([host, url]) => [registryAt(host), url]));

/** Does something upstream; what goes wrong there is told in ECR's words. @throws AwsError UpstreamAccessDenied, UpstreamTooManyRequests, UpstreamUnavailable */
export const askUpstream = <T>(work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    if (!(error instanceof RegistryError)) throw error;
    if (error.kind === "denied") throw upstreamFailed("UpstreamAccessDenied", error.message);
    throw upstreamFailed(error.kind === "throttled" ? "UpstreamTooManyRequests" : "UpstreamUnavailable", error.message);
  });
