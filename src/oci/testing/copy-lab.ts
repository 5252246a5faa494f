import { parseImageRef } from "../../kit/image-ref.ts";
import { registryClient, type Repository } from "../client/registry-client.ts";
import { transportFor } from "../client/transport.ts";
import { copyImages, type CopyOptions, type CopyResult } from "../copy.ts";
import { fastClock } from "./behind-faults.ts";
import { type DockerRegistry, startDockerRegistry } from "./docker-registry.ts";
import { type Fault, type FaultProxy, faultProxy, type SeenRequest } from "./fault-proxy.ts";

/** What goes wrong with a request, of which so many like it came before. */
export type Decide = (seen: SeenRequest, before: number) => Fault | undefined;

interface Copied {
  readonly results: readonly CopyResult[];
  /** What quay.io was asked. */
  readonly source: FaultProxy;
  /** What the private registry was asked. */
  readonly target: FaultProxy;
}

type Copying = Partial<CopyOptions> & { readonly up?: Decide; readonly down?: Decide; readonly targets?: readonly string[] };

/** Two registries to copy between. */
export interface CopyLab extends AsyncDisposable {
  readonly upstream: DockerRegistry;
  readonly ecr: DockerRegistry;
  /** A repository of one of them, asked past the proxies. */
  at(registry: DockerRegistry, repository: string): Repository;
  /** Copies from quay.io, which is `upstream` behind a proxy, to the private registry, `ecr` behind another one. */
  copy(images: readonly string[], options?: Copying): Promise<Copied>;
}

export async function startCopyLab(): Promise<CopyLab> {
  const [upstream, ecr] = await Promise.all([startDockerRegistry(), startDockerRegistry()]);
  const direct = registryClient();
  return {
    upstream,
    ecr,
    at: (registry, repository) => direct.repository({ registry: registry.host, repository }),
    async copy(images, { up = () => undefined, down = () => undefined, targets, ...options } = {}) {
      await using source = await faultProxy(upstream.url, up);
      await using target = await faultProxy(ecr.url, down);
      await using client = registryClient({
        transport: transportFor({ upstreams: { "quay.io": source.url, "private.example": target.url } }),
        clock: fastClock(),
      });
      const plan = images.map((image, index) => ({
        source: parseImageRef(image),
        target: { ...parseImageRef(targets?.[index] ?? image), registry: "private.example" },
      }));
      return {
        results: await copyImages(plan, { sourceClient: client, targetClient: client, clock: fastClock(), ...options }),
        source,
        target,
      };
    },
    async [Symbol.asyncDispose]() {
      await direct.close();
      await Promise.all([upstream[Symbol.asyncDispose](), ecr[Symbol.asyncDispose]()]);
    },
  };
}
