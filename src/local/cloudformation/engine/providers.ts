import type { ResourceProvider } from "../resource-provider.ts";
import { formatError } from "./errors.ts";

/** The resource types that somebody provides. */
export interface Providers {
  /** @throws AwsError ValidationError naming the type when nobody provides it */
  of(type: string): ResourceProvider;
  /** Those of the given types that nobody provides, each once. */
  missing(types: readonly string[]): readonly string[];
}

/**
 * Collects providers by type.
 * @throws Error when two own the same type
 */
export function providersOf(list: readonly ResourceProvider[]): Providers {
  const exact = new Map<string, ResourceProvider>();
  for (const provider of list) {
    if (exact.has(provider.type)) throw new Error(`two services provide ${provider.type}`);
    exact.set(provider.type, provider);
  }
  const open = list.filter(({ type }) => type.endsWith("*"));
  const find = (type: string): ResourceProvider | undefined =>
    exact.get(type) ?? open.find((provider) => type.startsWith(provider.type.slice(0, -1)));
  return {
    of(type) {
      const provider = find(type);
      if (!provider) throw formatError(`Unrecognized resource types: [${type}]`);
      return provider;
    },
    missing: (types) => [...new Set(types)].filter((type) => !find(type)),
  };
}
