import { ECRClient, GetAuthorizationTokenCommand } from "@aws-sdk/client-ecr";
import { CICD, startAccounts, type TestAccounts } from "../../local/testing/accounts.ts";
import { ecrCredentials } from "../../oci/client/credentials.ts";
import { registryClient, type Repository } from "../../oci/client/registry-client.ts";
import { transportFor } from "../../oci/client/transport.ts";
import { type DockerRegistry, startDockerRegistry } from "../../oci/testing/docker-registry.ts";
import { hostOf } from "../../local/ecr/testing/registry.ts";
import type { InProcess } from "./in-process.ts";

/** What `omx images build --json` prints. */
export interface Built {
  readonly status: string;
  readonly digest: string;
  readonly reason: string;
  readonly bytes?: number;
  readonly bytesMoved?: number;
  readonly bytesSaved?: number;
  readonly engine?: string;
}

/** Local accounts to build into, and a registry that stands for quay.io. */
export interface BuildLab extends AsyncDisposable {
  readonly accounts: TestAccounts;
  readonly upstream: DockerRegistry;
  /** A repository upstream. */
  quay(repository: string): Repository;
  /** A repository of the cicd account's ECR. */
  inEcr(repository: string): Repository;
  /** Runs `omx images build`. */
  build(cli: InProcess, folder: string, image: string, ...flags: readonly string[]): Promise<Built>;
}

export async function openBuildLab(): Promise<BuildLab> {
  await using stack = new AsyncDisposableStack();
  const accounts = stack.use(await startAccounts());
  const upstream = stack.use(await startDockerRegistry());
  const clients = stack.use(registryClient());
  const token = async () =>
    (await new ECRClient(accounts.config()).send(new GetAuthorizationTokenCommand({}))).authorizationData![0]!.authorizationToken!;
  const ecr = stack.use(registryClient({ transport: transportFor({ ecrEndpoint: accounts.url }), credentials: ecrCredentials(token) }));
  const held = stack.move();
  return {
    accounts,
    upstream,
    quay: (repository) => clients.repository({ registry: upstream.host, repository }),
    inEcr: (repository) => ecr.repository({ registry: hostOf(CICD), repository }),
    build: async (cli, folder, image, ...flags) =>
      (
        await cli.run("images", "build", folder, image, "--profile", "cicd", "--upstream", `quay.io=${upstream.url}`, "--json", ...flags)
      ).json<Built>(),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
