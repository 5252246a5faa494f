import type { RegistryClient, Repository } from "../../../oci/client/registry-client.ts";

type Place = Parameters<RegistryClient["repository"]>[0];

/** The client with some of what its repositories do replaced. */
export const overRepositories = (
  client: RegistryClient,
  change: (repository: Repository, at: Place) => Partial<Repository>,
): RegistryClient => ({
  ...client,
  repository(at, context) {
    const repository = client.repository(at, context);
    return { ...repository, ...change(repository, at) };
  },
});
