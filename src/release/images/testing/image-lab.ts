import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { ECRClient } from "@aws-sdk/client-ecr";
import { type Clock, systemClock } from "../../../kit/clock.ts";
import { CICD, REGION, startAccounts, type TestAccounts } from "../../../local/testing/accounts.ts";
import type { Descriptor } from "../../../oci/manifest.ts";
import { registryClient } from "../../../oci/client/registry-client.ts";
import { type DockerRegistry, startDockerRegistry } from "../../../oci/testing/docker-registry.ts";
import { type Fault, type FaultProxy, faultProxy, type SeenRequest } from "../../../oci/testing/fault-proxy.ts";
import { pushSample } from "../../../oci/testing/sample-images.ts";
import type { PullWorkshop } from "../pull/pull.ts";

export const PLACE = { account: CICD, region: REGION };

/** Waits are over at once: what is tried again is, without the time in between. */
export const hasty: Clock = { now: () => systemClock.now(), sleep: () => Promise.resolve() };

/** Local accounts, and a registry that stands for quay.io and fails as it is told. */
export interface ImageLab extends AsyncDisposable {
  readonly accounts: TestAccounts;
  readonly upstream: DockerRegistry;
  /** What was asked of quay.io. */
  readonly asked: FaultProxy["seen"];
  /** From now on requests to quay.io fail so; undefined: none does. */
  fail(decide: ((seen: SeenRequest) => Fault | undefined) | undefined): void;
  /** Pushes an image with the tag `1` to quay.io. */
  push(name: string, ...layers: readonly Buffer[]): Promise<Descriptor>;
  workshop(more?: Partial<PullWorkshop>): PullWorkshop;
}

export async function openImageLab(): Promise<ImageLab> {
  let decide: ((seen: SeenRequest) => Fault | undefined) | undefined;
  const [accounts, upstream, clients] = [await startAccounts(), await startDockerRegistry(), registryClient()];
  const proxy = await faultProxy(upstream.url, (seen) => decide?.(seen));
  return {
    accounts,
    upstream,
    asked: proxy.seen,
    fail: (how) => void (decide = how),
    push: (repository, ...layers) => pushSample(clients.repository({ registry: upstream.host, repository }), "1", { layers }),
    workshop: (more = {}) => ({
      ecr: new ECRClient(accounts.config()),
      logs: new CloudWatchLogsClient(accounts.config()),
      place: PLACE,
      clock: systemClock,
      endpoint: accounts.url,
      upstreams: { "quay.io": proxy.url },
      ...more,
    }),
    async [Symbol.asyncDispose]() {
      await clients.close();
      await proxy[Symbol.asyncDispose]();
      await accounts[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}
