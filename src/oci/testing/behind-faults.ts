import type { Clock } from "../../kit/clock.ts";
import { registryClient, type RegistryClientOptions, type Repository } from "../client/registry-client.ts";
import { type Fault, type FaultProxy, faultProxy, type SeenRequest } from "./fault-proxy.ts";

/** Waits are noted, not waited for. */
export function fastClock(): Clock & { readonly waits: number[] } {
  const waits: number[] = [];
  let ms = 0;
  return {
    waits,
    now: () => new Date(ms),
    async sleep(wait) {
      waits.push(wait);
      ms += wait;
    },
  };
}

export type Decide = (seen: SeenRequest, before: number) => Fault | undefined;

/** A repository that is asked through a proxy with faults. */
export interface BehindFaults extends AsyncDisposable {
  readonly proxy: FaultProxy;
  /** What was waited. */
  readonly clock: { readonly waits: readonly number[] };
  readonly repository: Repository;
}

/** Asks the repository `name` of the registry at `url` through a proxy that fails as `decide` says. */
export async function behindFaults(
  url: string,
  name: string,
  decide: Decide,
  options: Partial<RegistryClientOptions> = {},
): Promise<BehindFaults> {
  const proxy = await faultProxy(url, decide);
  const clock = fastClock();
  const client = registryClient({ clock, ...options });
  const stack = new AsyncDisposableStack();
  stack.use(proxy);
  stack.use(client);
  return {
    proxy,
    clock,
    repository: client.repository({ registry: proxy.host, repository: name }),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** All that a source gives. */
export async function readAll(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}
