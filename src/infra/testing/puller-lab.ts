import { SFNClient } from "@aws-sdk/client-sfn";
import type { AwsClients } from "../../aws/clients.ts";
import { systemClock } from "../../kit/clock.ts";
import { CICD, REGION } from "../../local/testing/accounts.ts";
import { registryClient, type Repository } from "../../oci/client/registry-client.ts";
import type { Descriptor } from "../../oci/manifest.ts";
import { type DockerRegistry, startDockerRegistry } from "../../oci/testing/docker-registry.ts";
import { type Fault, faultProxy, type SeenRequest } from "../../oci/testing/fault-proxy.ts";
import { pushSample } from "../../oci/testing/sample-images.ts";
import { stageImages } from "../../release/images/staging.ts";
import { type ContainerAccounts, startContainers } from "./containers.ts";

export const MIB = 1024 * 1024;

type Decide = (seen: SeenRequest, before: number) => Fault | undefined;

/** Accounts with the container stacks, whose functions copy images of up to 1 MiB, and a registry that stands for those of the world. */
export interface PullerLab extends AsyncDisposable {
  readonly stage: ContainerAccounts;
  readonly upstream: DockerRegistry;
  /** A repository of the registry upstream, which is quay.io's and docker.io's too. */
  at(repository: string): Repository;
  /** Pushes an image to it. */
  sample(repository: string, tag: string, ...layers: readonly Buffer[]): Promise<Descriptor>;
  /** From now on quay.io fails so. */
  fail(decide: Decide): void;
  /** Has images staged as a build does, and fails as that does. */
  staged(pulls: readonly string[], identity: string): Promise<unknown>;
}

export async function openPullerLab(): Promise<PullerLab> {
  let decide: Decide = () => undefined;
  const upstream = await startDockerRegistry();
  const proxy = await faultProxy(upstream.url, (seen, before) => decide(seen, before));
  const clients = registryClient();
  const stage = await startContainers(
    { functionLimitGiB: 1 / 1024 },
    { "quay.io": proxy.url, "docker.io": upstream.url, "us.gcr.io": upstream.url, "eu.gcr.io": upstream.url },
  );
  const at = (repository: string) => clients.repository({ registry: upstream.host, repository });
  return {
    stage,
    upstream,
    at,
    sample: (repository, tag, ...layers) => pushSample(at(repository), tag, { layers }),
    fail(how) {
      decide = how;
    },
    staged: (pulls, identity) =>
      stageImages(
        {
          clients: { states: new SFNClient(stage.accounts.config()) } as AwsClients,
          place: { account: CICD, region: REGION },
          clock: systemClock,
          emit: () => undefined,
          identity,
        },
        { pulls, builds: [] },
      ),
    async [Symbol.asyncDispose]() {
      await clients.close();
      await stage[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}
