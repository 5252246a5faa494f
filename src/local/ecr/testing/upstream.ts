import {
  BatchGetImageCommand,
  CreatePullThroughCacheRuleCommand,
  type CreateRepositoryCreationTemplateCommandInput,
  CreateRepositoryCreationTemplateCommand,
} from "@aws-sdk/client-ecr";
import { CloudWatchLogsClient, CreateLogGroupCommand, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from "@aws-sdk/client-eventbridge";
import { type Clock, systemClock } from "../../../kit/clock.ts";
import { registryClient, type RegistryClient } from "../../../oci/client/registry-client.ts";
import { type DockerRegistry, startDockerRegistry } from "../../../oci/testing/docker-registry.ts";
import { type Fault, type FaultProxy, faultProxy, type SeenRequest } from "../../../oci/testing/fault-proxy.ts";
import { noise } from "../../../oci/testing/sample-images.ts";
import { CICD, REGION, startAccounts, type TestAccounts } from "../../testing/accounts.ts";
import { type RegistryUser, signIn } from "./registry.ts";

/** A clock that can be put forward: what sleeps for an hour or longer wakes up then. */
export interface ShiftingClock extends Clock {
  forward(ms: number): void;
}

const HOUR_MS = 3_600_000;

export function shiftingClock(): ShiftingClock {
  let ahead = 0;
  const sleepers = new Set<() => void>();
  const now = () => new Date(systemClock.now().getTime() + ahead);
  const sleepLong = (ms: number, signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const due = now().getTime() + ms;
      const look = () => {
        if (now().getTime() < due) return;
        sleepers.delete(look);
        resolve();
      };
      sleepers.add(look);
      signal?.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    });
  return {
    now,
    sleep: (ms, signal) => (ms < HOUR_MS ? systemClock.sleep(ms, signal) : sleepLong(ms, signal)),
    forward(ms) {
      ahead += ms;
      for (const look of new Set(sleepers)) look();
    },
  };
}

/** Local accounts for which quay.io is a real registry of our own, with a rule `quay` for it. */
export interface CachedAccounts extends AsyncDisposable {
  readonly accounts: TestAccounts;
  readonly user: RegistryUser;
  readonly clock: ShiftingClock;
  readonly registry: DockerRegistry;
  /** Writes to the upstream registry. */
  readonly upstream: RegistryClient;
  /** What the accounts asked the upstream registry. */
  readonly asked: FaultProxy;
  /** What the upstream registry does wrong from now on. */
  fail(decide: ((seen: SeenRequest) => Fault | undefined) | undefined): void;
  /** An upstream repository. */
  at(repository: string): ReturnType<RegistryClient["repository"]>;
  /** Asks ECR for a path under `/v2/<account>/<region>/`. */
  manifest(path: string, method?: string): Promise<Response>;
  /** What BatchGetImage says of a tag: the image's digest, or the code of its failure. */
  image(repositoryName: string, imageTag: string): Promise<{ readonly digest: string | undefined; readonly failure: string | undefined }>;
}

export async function startCached(): Promise<CachedAccounts> {
  const registry = await startDockerRegistry();
  let decide: ((seen: SeenRequest) => Fault | undefined) | undefined;
  const asked = await faultProxy(registry.url, (seen) => decide?.(seen));
  const clock = shiftingClock();
  const accounts = await startAccounts({ upstreams: { "quay.io": asked.url } }, clock);
  const user = await signIn(accounts);
  const upstream = registryClient();
  await user.ecr.send(new CreatePullThroughCacheRuleCommand({ ecrRepositoryPrefix: "quay", upstreamRegistryUrl: "quay.io" }));
  return {
    accounts,
    user,
    clock,
    registry,
    upstream,
    asked,
    fail(by) {
      decide = by;
    },
    at: (repository) => upstream.repository({ registry: registry.host, repository }),
    manifest: (path, method = "GET") => user.http(method, path),
    async image(repositoryName, imageTag) {
      const { images = [], failures = [] } = await user.ecr.send(new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag }] }));
      return { digest: images[0]?.imageId?.imageDigest, failure: failures[0]?.failureCode };
    },
    async [Symbol.asyncDispose]() {
      await user[Symbol.asyncDispose]();
      await accounts[Symbol.asyncDispose]();
      await upstream.close();
      await asked[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

/** An image of two layers, the same for the same seed. */
export const sample = (seed: string) => ({ layers: [noise(`${seed}-1`, 20_000), noise(`${seed}-2`, 30_000)] });

export const template = (user: RegistryUser, input: Partial<CreateRepositoryCreationTemplateCommandInput>) =>
  user.ecr.send(new CreateRepositoryCreationTemplateCommand({ prefix: "quay", appliedFor: ["PULL_THROUGH_CACHE"], ...input }));

type Detail = Readonly<Record<string, unknown>> & { readonly eventName?: string };

/** Events of ECR from now on, as EventBridge delivers them to a log group. */
export async function collectEvents({ accounts }: Pick<CachedAccounts, "accounts">) {
  const logs = new CloudWatchLogsClient(accounts.config());
  const events = new EventBridgeClient(accounts.config());
  const logGroupName = "/aws/events/ecr";
  await logs.send(new CreateLogGroupCommand({ logGroupName }));
  await events.send(new PutRuleCommand({ Name: "ecr", EventPattern: JSON.stringify({ source: ["aws.ecr"] }) }));
  await events.send(
    new PutTargetsCommand({ Rule: "ecr", Targets: [{ Id: "logs", Arn: `arn:aws:logs:${REGION}:${CICD}:log-group:${logGroupName}` }] }),
  );
  const all = async () => {
    const { events: found = [] } = await logs.send(new FilterLogEventsCommand({ logGroupName }));
    return found.map(
      ({ message }) =>
        JSON.parse(message!) as { readonly "detail-type": string; readonly resources: readonly string[]; readonly detail: Detail },
    );
  };
  /** The first event that fits, once it is there. */
  const first = (fits: (event: Awaited<ReturnType<typeof all>>[number]) => boolean) => until(async () => (await all()).find(fits));
  /** What became of bringing an image of a repository here. */
  const synced = (repository: string) =>
    first(({ "detail-type": type, detail }) => type === "ECR Pull Through Cache Action" && detail["repository-name"] === repository);
  return { all, first, synced };
}

/** Asks until there is an answer. */
export async function until<T>(ask: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  for (;;) {
    const found = await ask();
    if (found !== undefined && found !== false) return found;
    await systemClock.sleep(20);
  }
}
