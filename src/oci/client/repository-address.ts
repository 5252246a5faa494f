import { whereRead } from "./transport.ts";
import type { Exchange, RequestContext } from "./exchange.ts";

/** One repository as requests see it: where it lies and for whose work they are sent. */
export interface RepositoryAddress {
  readonly exchange: Exchange;
  /** The registry's name, as in an image's address. */
  readonly registry: string;
  readonly repository: string;
  readonly context: RequestContext;
}

/** The address below the repository: `blobs/sha256:…`, `manifests/1.0`. */
export function urlIn(address: RepositoryAddress, path: string): URL {
  const { origin } = address.exchange.transport(address.registry);
  return new URL(`/v2/${nameAt(address, address.repository)}/${path}`, origin);
}

/** The name by which the registry's endpoint knows a repository. */
export function nameAt({ exchange, registry }: RepositoryAddress, repository: string): string {
  return `${exchange.transport(registry).prefix}${repository}`;
}

/** The scope of a token for the repository. */
export const scopeOf = (address: RepositoryAddress, actions: "pull" | "pull,push" | "delete", repository = address.repository): string =>
  `repository:${nameAt(address, repository)}:${actions}`;

/** Where an answer from `from` points to. A registry behind a proxy that ends TLS may call itself http. */
export function pointedTo(from: URL, location: string): URL {
  const to = new URL(location, from);
  if (to.host === from.host) to.protocol = from.protocol;
  return to;
}

/** The image or blob as errors name it. */
export const describe = (address: RepositoryAddress, reference: string): string =>
  `${address.registry}/${address.repository}${/^sha\d+:/.test(reference) ? "@" : ":"}${reference}${whereRead(address.exchange.transport(address.registry).elsewhere)}`;
