import { Agent, type Dispatcher, EnvHttpProxyAgent } from "undici";
import type { ProxySettings } from "../../kit/proxy.ts";

const CONNECT = { timeout: 15_000 };

/** Connections to registries, kept for further requests: direct ones, or such as the network's proxy makes. */
export function connections(proxy: ProxySettings | undefined): Dispatcher {
  if (proxy === undefined) return new Agent({ connect: CONNECT });
  const { http, https, except } = proxy;
  // Empty texts keep the agent from reading the environment.
  return new EnvHttpProxyAgent({ httpProxy: http ?? "", httpsProxy: https ?? "", noProxy: except, connect: CONNECT });
}
