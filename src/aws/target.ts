import { Agent } from "node:https";
import type { ProxySettings } from "../kit/proxy.ts";

/** Where and as whom to call AWS. */
export interface Target {
  readonly region: string;
  /** The local accounts; absent: AWS. */
  readonly endpoint?: string;
  /** @default the SDK's own chain: environment, config file, the machine's role */
  readonly credentials?: Credentials;
  /** A profile of the config file, where `credentials` is absent. */
  readonly profile?: string;
  /** How the network lets its users out, to AWS; the SDK does not look for it. @default - directly */
  readonly proxy?: ProxySettings | undefined;
}

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Whether the local accounts are meant. */
export const isLocal = ({ endpoint }: Target): boolean => endpoint !== undefined;

/** What every client of the SDK is made with. */
export interface ClientConfig extends Omit<Target, "proxy"> {
  readonly requestHandler?: { readonly httpsAgent: Agent };
}

/** Configuration of a client whose service answers at its usual host. */
export const configOf = ({ region, endpoint, credentials, profile, proxy }: Target): ClientConfig => ({
  region,
  ...(endpoint ? { endpoint } : proxy && { requestHandler: { httpsAgent: through(proxy) } }),
  ...(credentials && { credentials }),
  ...(profile && { profile }),
});

/** As many connections as the SDK's own agent has. */
const MOST_SOCKETS = 50;

const through = ({ https = "", except }: ProxySettings): Agent =>
  new Agent({ keepAlive: true, maxSockets: MOST_SOCKETS, proxyEnv: { HTTPS_PROXY: https, NO_PROXY: except } });

/**
 * The same for a service that the SDK puts a prefix before the host of: HealthOmics "workflows-", synchronous
 * Step Functions "sync-". Nothing answers there locally.
 */
export const unprefixedConfigOf = (target: Target): ClientConfig & { readonly disableHostPrefix: boolean } => ({
  ...configOf(target),
  disableHostPrefix: isLocal(target),
});
