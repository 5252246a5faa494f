import { ecr } from "../../aws/services/ecr.ts";
import { formatImageRef, parseImageRef } from "../../kit/image-ref.ts";
import { sourceRepository } from "../../kit/registry-namespaces.ts";
import type { RegistryClient } from "../../oci/client/registry-client.ts";
import { copyImages, type CopyResult, type ImageCopy } from "../../oci/copy.ts";
import { ReleaseError } from "../../release/errors.ts";
import { isCached, isFilled, readCacheRules } from "../../release/images/pull/cache-rules.ts";
import { type ImagePull, planPulls } from "../../release/images/plan.ts";
import { presentBefore } from "../../release/images/present.ts";
import { platformRemark } from "../../release/images/platform-remark.ts";
import { primeImages } from "../../release/images/pull/prime-images.ts";
import { openCached, openRepository } from "../../release/images/repositories/repository.ts";
import type { RepositorySettings } from "../../release/images/repositories/repository-settings.ts";
import { targetClient } from "../../release/images/target-client.ts";
import { workshopClient } from "../../release/images/workshop.ts";
import type { Cli } from "../cli.ts";
import { type Choice, openSession, type Session } from "../aws/session.ts";
import { type RepositoryFlags, repositorySettings } from "./new-repositories.ts";
import { openSeenImages } from "./seen-images.ts";
import { openProgress, type Progress } from "./progress.ts";
import { workshopOf } from "./workshop.ts";

/** How one image fared. */
export interface PulledImage {
  readonly source: string;
  readonly target: string;
  readonly digest?: string;
  readonly status: CopyResult["status"];
  readonly bytesMoved: number;
  readonly bytesSaved: number;
  readonly requests: number;
  readonly seconds: number;
  readonly reason: string;
}

/** What `omx images pull --json` prints. */
export interface Pulling {
  readonly images: readonly PulledImage[];
  readonly bytesMoved: number;
  readonly requests: number;
  readonly seconds: number;
}

export interface PullRequest {
  readonly images: readonly string[];
  readonly upstreams: Readonly<Record<string, string>>;
  /** Over omx's own. */
  readonly namespaces?: Readonly<Record<string, string>>;
  /** `linux/amd64`, or `all`. */
  readonly platform: string;
  readonly concurrency?: number;
  /** Copies what ECR's pull-through cache could bring, too. @default false */
  readonly copy?: boolean;
  /** Asks upstream what the tags of cached images mean now, and looks at all their layers. @default false */
  readonly fresh?: boolean;
  /** Signatures, SBOMs and attestations, too: they are copied, as the cache knows nothing of them. @default false */
  readonly referrers?: boolean;
  /** How repositories are made. @default DEFAULT_REPOSITORIES */
  readonly repositories?: RepositoryFlags;
  /** Says on stderr of each image that it has ended. @default false: how many have */
  readonly isEachTold?: boolean;
}

/**
 * Brings images into the private ECR of an account, and lets HealthOmics read their repositories. Those that a rule of
 * ECR's pull-through cache covers ECR brings by itself; what it refuses, and all others, are copied.
 * @throws ReleaseError when two images would share a name there, or one has no valid name; UsageError for a key that can't be used there
 */
export async function pullImages(cli: Cli, choice: Choice, request: PullRequest): Promise<Pulling> {
  const session = await openSession(cli, choice, { ecr });
  const since = cli.clock.now();
  const pulls = planPulls(request.images, session.place, request.namespaces);
  const repositories = repositorySettings(request.repositories ?? {}, session.place);
  await using progress = openProgress(cli, pulls.length, request.isEachTold ?? false);
  await using client = workshopClient(workshopOf(cli, session, request.upstreams));
  const { results: brought, cached } = await bring({ cli, session, client, request, repositories, progress }, pulls);
  const closed = await openRepositories(
    session,
    pulls.filter((_pull, index) => brought[index]?.status !== "FAILED"),
    { since, cached },
  );
  const results = pulls.map((pull, index): PulledImage => outcome(pull, closed.get(repositoryOf(pull.target_image)) ?? brought[index]));
  return {
    images: results,
    bytesMoved: sum(results.map(({ bytesMoved }) => bytesMoved)),
    requests: sum(results.map(({ requests }) => requests)),
    seconds: (cli.clock.now().getTime() - since.getTime()) / 1000,
  };
}

interface Bringing {
  readonly cli: Cli;
  readonly session: Session<"ecr">;
  readonly client: RegistryClient;
  readonly repositories: RepositorySettings;
  readonly request: PullRequest;
  readonly progress: Progress;
}

interface Brought {
  readonly results: readonly CopyResult[];
  /** Repositories that ECR's cache was asked for, and may have made. */
  readonly cached: ReadonlySet<string>;
}

/** What the cache covers is asked for while the rest is copied; what it refuses is copied afterwards. */
async function bring(bringing: Bringing, pulls: readonly ImagePull[]): Promise<Brought> {
  const plan = pulls.map(({ source, target_image }): ImageCopy => ({ source: parseImageRef(source), target: parseImageRef(target_image) }));
  const { cached, isCached: isFilled } = await cachedAmong(bringing, plan);
  const others = plan.filter((image) => !cached.has(image));
  const [copied, primed] = await Promise.all([copy(bringing, others, isFilled), prime(bringing, [...cached])]);
  const refused = primed.filter(({ result }) => result === undefined);
  const instead = await copy(
    bringing,
    refused.map(({ image }) => image),
    isFilled,
  );
  const results = new Map<ImageCopy, CopyResult | undefined>([
    ...others.map((image, index) => [image, copied[index]] as const),
    ...primed.map(({ image, result }) => [image, result] as const),
  ]);
  for (const [index, { image, refusal }] of refused.entries()) {
    const result = instead[index];
    if (result) results.set(image, { ...result, reason: `${result.reason}; ECR's pull-through cache does not bring it: ${refusal}` });
  }
  return {
    results: plan.flatMap((image) => results.get(image) ?? []),
    cached: new Set([...cached].map(({ target }) => target.repository)),
  };
}

/** A registry that is read elsewhere, or of which one platform is wanted, is not what a rule would bring. */
async function cachedAmong({ session, request: { copy: isCopy, referrers, platform, upstreams } }: Bringing, plan: readonly ImageCopy[]) {
  const rules = await readCacheRules(session.clients.ecr);
  const isWanted = ({ source, target }: ImageCopy) =>
    !isCopy && !referrers && platform === "all" && !Object.hasOwn(upstreams, source.registry) && isCached(rules, source, target);
  return { cached: new Set(plan.filter(isWanted)), isCached: (repository: string) => isFilled(rules, repository) };
}

interface PrimedImage {
  readonly image: ImageCopy;
  readonly result?: CopyResult;
  readonly refusal?: string;
}

async function prime(
  { cli, session, client, progress, request: { fresh: isFresh = false, concurrency } }: Bringing,
  plan: readonly ImageCopy[],
): Promise<readonly PrimedImage[]> {
  if (plan.length === 0) return [];
  const seen = openSeenImages(cli, session);
  const primed = await primeImages(plan, {
    client,
    clock: cli.clock,
    isFresh,
    present: presentBefore(session.clients.ecr),
    ...(!isFresh && { isWhole: seen.isWhole, known: seen.upstream }),
    onDone: progress.onDone,
    ...(concurrency && { concurrency }),
  });
  for (const [index, one] of primed.entries()) {
    if ("result" in one && one.result.digest !== undefined) seen.add(one.result.target, one.result.digest);
    if ("result" in one && one.upstream !== undefined && plan[index]) seen.addUpstream(plan[index].source, one.upstream);
  }
  seen.save();
  return primed.flatMap((one, index) => (plan[index] ? [{ image: plan[index], ...one }] : []));
}

async function copy(
  { cli, session, client, progress, repositories, request: { platform, concurrency, referrers = false } }: Bringing,
  plan: readonly ImageCopy[],
  isCached: (repository: string) => boolean,
): Promise<readonly CopyResult[]> {
  const sources = sourcesOf(plan);
  return copyImages(plan, {
    sourceClient: client,
    targetClient: targetClient(client, {
      ecr: session.clients.ecr,
      place: session.place,
      repositories,
      sourceOf: (repository) => sources.get(repository),
      isCached,
    }),
    clock: cli.clock,
    platform,
    referrers,
    remark: platformRemark,
    ...(concurrency && { concurrency: { images: concurrency } }),
    onProgress: progress.onCopy,
  });
}

/** Lets HealthOmics read the repositories. @returns why where that can't be */
async function openRepositories(
  { clients, place }: Session<"ecr">,
  pulls: readonly ImagePull[],
  { since, cached }: Pick<Brought, "cached"> & { readonly since: Date },
): Promise<ReadonlyMap<string, Error>> {
  const closed = new Map<string, Error>();
  const sources = sourcesOf(
    pulls.map(({ source, target_image }) => ({ source: parseImageRef(source), target: parseImageRef(target_image) })),
  );
  const opened = (repository: string, source: string) =>
    cached.has(repository) ? openCached(clients.ecr, { repository, source, since }, place) : openRepository(clients.ecr, repository, place);
  await Promise.all(
    [...sources].map(([repository, source]) => opened(repository, source).catch((error: Error) => closed.set(repository, error))),
  );
  return closed;
}

/** Where the images of each target repository come from. */
const sourcesOf = (plan: readonly ImageCopy[]): ReadonlyMap<string, string> =>
  new Map(plan.map(({ source, target }) => [target.repository, sourceRepository(source)]));

const repositoryOf = (image: string): string => parseImageRef(image).repository;

function outcome({ source_uri, target_image }: ImagePull, result: CopyResult | Error | undefined): PulledImage {
  if (!result || result instanceof Error)
    return {
      source: source_uri,
      target: target_image,
      status: "FAILED",
      bytesMoved: 0,
      bytesSaved: 0,
      requests: 0,
      seconds: 0,
      reason: result ? `its repository: ${result.message}${result instanceof ReleaseError ? `; ${result.fix}` : ""}` : "it was not copied",
    };
  const { digest, status, bytesMoved, bytesSaved, requests, seconds, reason } = result;
  return {
    source: source_uri,
    target: formatImageRef(parseImageRef(target_image)),
    ...(digest && { digest }),
    status,
    bytesMoved,
    bytesSaved,
    requests,
    seconds,
    reason,
  };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
