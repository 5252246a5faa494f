import { formatImageRef, parseImageRef } from "../../kit/image-ref.ts";
import { copyImages, type CopyResult } from "../../oci/copy.ts";
import { type ImagePull, planPulls } from "../../release/images/plan.ts";
import { ensureRepository, workshopClient } from "../../release/images/pull.ts";
import { ensureRepositoryPolicy, stagingStatements } from "../../release/images/repository-policy.ts";
import type { Cli } from "../cli.ts";
import { type Choice, openSession, type Session } from "../aws/session.ts";

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
  /** `linux/amd64`, or `all`. */
  readonly platform: string;
  readonly concurrency?: number;
}

/**
 * Copies images into the private ECR of an account, and lets HealthOmics read their repositories.
 * @throws ReleaseError when two images would share a name there, or one has no valid name
 */
export async function pullImages(cli: Cli, choice: Choice, { images, upstreams, platform, concurrency }: PullRequest): Promise<Pulling> {
  const session = await openSession(cli, choice);
  const { clients: { ecr }, place } = session;
  const started = cli.clock.now().getTime();
  const pulls = planPulls(images, place);
  const refused = await makeRepositories(session, pulls);
  const possible = pulls.filter((pull) => !refused.has(pull));
  await using client = workshopClient({ ecr, place, clock: cli.clock, upstreams, ...(session.local && { endpoint: session.local.endpoint }) });
  const copied = await copyImages(possible.map(({ source, target_image }) => ({ source: parseImageRef(source), target: parseImageRef(target_image) })), {
    sourceClient: client, targetClient: client, clock: cli.clock, platform, ...(concurrency && { concurrency: { images: concurrency } }),
  });
  for (const repository of new Set(possible.flatMap(({ target_image }, index) => (copied[index]?.status === "FAILED" ? [] : [repositoryOf(target_image)]))))
    await ensureRepositoryPolicy(ecr, repository, stagingStatements(place));
  const results = pulls.map((pull): PulledImage => outcome(pull, refused.get(pull) ?? copied[possible.indexOf(pull)]));
  return {
    images: results, bytesMoved: sum(results.map(({ bytesMoved }) => bytesMoved)), requests: sum(results.map(({ requests }) => requests)),
    seconds: (cli.clock.now().getTime() - started) / 1000,
  };
}

async function makeRepositories({ clients: { ecr } }: Session, pulls: readonly ImagePull[]): Promise<ReadonlyMap<ImagePull, Error>> {
  const refused = new Map<ImagePull, Error>();
  const made = new Map<string, Promise<void>>();
  await Promise.all(pulls.map(async (pull) => {
    const name = repositoryOf(pull.target_image);
    if (!made.has(name)) made.set(name, ensureRepository(ecr, name));
    await made.get(name)?.catch((error: Error) => refused.set(pull, error));
  }));
  return refused;
}

const repositoryOf = (image: string): string => parseImageRef(image).repository;

function outcome({ source_uri, target_image }: ImagePull, result: CopyResult | Error | undefined): PulledImage {
  if (!result || result instanceof Error)
    return { source: source_uri, target: target_image, status: "FAILED", bytesMoved: 0, bytesSaved: 0, requests: 0, seconds: 0, reason: result ? `its repository can't be made: ${result.message}` : "it was not copied" };
  const { digest, status, bytesMoved, bytesSaved, requests, seconds, reason } = result;
  return { source: source_uri, target: formatImageRef(parseImageRef(target_image)), ...(digest && { digest }), status, bytesMoved, bytesSaved, requests, seconds, reason };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
