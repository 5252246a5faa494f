import { Agent, type Dispatcher, EnvHttpProxyAgent } from "undici";
import type { ProxySettings } from "../../kit/proxy.ts";

/** A host that takes longer to answer a connection does not answer at all. */
export const CONNECT_TIMEOUT_MS = 15_000;

const CONNECT = { timeout: CONNECT_TIMEOUT_MS };

/** Connections to registries, kept for further requests: direct ones, or such as the network's proxy makes. */
export function connections(proxy: ProxySettings | undefined): Dispatcher {
  if (proxy === undefined) return new Agent({ connect: CONNECT });
  const { http, https, except } = proxy;
  // Empty texts keep the agent from reading the environment.
  return new EnvHttpProxyAgent({ httpProxy: http ?? "", httpsProxy: https ?? "", noProxy: except, connect: CONNECT });
}
