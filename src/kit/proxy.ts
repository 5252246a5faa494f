import { InvalidValue } from "./invalid-value.ts";

/** The proxy through which a network lets its users out. */
export interface ProxySettings {
  /** For http: addresses: `http://user:password@proxy.example:3128`. */
  readonly http?: string;
  /** For https: addresses. */
  readonly https?: string;
  /** Hosts that are reached directly, between commas: `localhost,.example.org`. */
  readonly except: string;
}

/** The local accounts, and registries of this machine, are behind no proxy. */
const LOOPBACK = ["localhost", "127.0.0.1", "[::1]", "::1"];

/**
 * Reads HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY as curl does: the small spelling first, `http://` where no scheme is named.
 * A SOCKS proxy of ALL_PROXY is not used.
 * @returns undefined where none is named
 * @throws InvalidValue for one that is no address, or not of an HTTP proxy
 * @see https://everything.curl.dev/usingcurl/proxies/env.html
 */
export function readProxy(environment: Readonly<Record<string, string | undefined>>): ProxySettings | undefined {
  const value = (name: string): string | undefined => environment[name.toLowerCase()] || environment[name] || undefined;
  // One for all programs may be of a kind that only some of them know.
  const forAll = /^socks/i.test(value("ALL_PROXY") ?? "") ? undefined : value("ALL_PROXY");
  const named = (name: string): string | undefined => {
    const own = value(name);
    if (own !== undefined) return addressOf(name, own);
    return forAll === undefined ? undefined : addressOf("ALL_PROXY", forAll);
  };
  const [http, https] = [named("HTTP_PROXY"), named("HTTPS_PROXY")];
  if (http === undefined && https === undefined) return undefined;
  return { ...(http && { http }), ...(https && { https }), except: withLoopback(value("NO_PROXY")) };
}

/** A NO_PROXY that also names this machine. */
export const withLoopback = (hosts = ""): string => [...new Set([...hosts.split(/[\s,]+/).filter(Boolean), ...LOOPBACK])].join(",");

function addressOf(name: string, text: string): string {
  const address = /^[a-z][\w+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url && /^https?:$/.test(url.protocol) && url.hostname !== "") return url.href;
  // A password may stand in it.
  throw new InvalidValue(name, text.replace(/^(.*:\/\/)?.*@/s, "$1…@"), "write the address of an HTTP proxy, http://host:port");
}
