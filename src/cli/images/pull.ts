import { formatImageRef, parseImageRef } from "../../kit/image-ref.ts";
import { type CopyEvent, copyImages, type CopyResult } from "../../oci/copy.ts";
import { type ImagePull, planPulls } from "../../release/images/plan.ts";
import { openRepository } from "../../release/images/repository.ts";
import { targetClient } from "../../release/images/target-client.ts";
import { workshopClient } from "../../release/images/workshop.ts";
import type { Cli } from "../cli.ts";
import { type Choice, openSession, type Session } from "../aws/session.ts";
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
}

/**
 * Copies images into the private ECR of an account, and lets HealthOmics read their repositories.
 * @throws ReleaseError when two images would share a name there, or one has no valid name
 */
export async function pullImages(cli: Cli, choice: Choice, { images, upstreams, namespaces, platform, concurrency }: PullRequest): Promise<Pulling> {
  const session = await openSession(cli, choice);
  const started = cli.clock.now().getTime();
  const pulls = planPulls(images, session.place, namespaces);
  const sources = new Map(pulls.map(({ source, target_image }) => [repositoryOf(target_image), sourceRepository(source)]));
  await using client = workshopClient(workshopOf(cli, session, upstreams));
  const copied = await copyImages(pulls.map(({ source, target_image }) => ({ source: parseImageRef(source), target: parseImageRef(target_image) })), {
    sourceClient: client, targetClient: targetClient(client, { ecr: session.clients.ecr, sourceOf: (repository) => sources.get(repository) }), clock: cli.clock, platform,
    ...(concurrency && { concurrency: { images: concurrency } }), onProgress: (event) => progress(cli, event),
  });
  const closed = await openRepositories(session, pulls.filter((_pull, index) => copied[index]?.status !== "FAILED"));
  const results = pulls.map((pull, index): PulledImage => outcome(pull, closed.get(repositoryOf(pull.target_image)) ?? copied[index]));
  return {
    images: results, bytesMoved: sum(results.map(({ bytesMoved }) => bytesMoved)), requests: sum(results.map(({ requests }) => requests)),
    seconds: (cli.clock.now().getTime() - started) / 1000,
  };
}

/** A line for each image as it ends: a large manifest takes a while. */
function progress(cli: Cli, event: CopyEvent): void {
  if (event.type === "done") cli.say(`  ${event.result.status.padEnd(8)} ${event.result.source} ${event.result.seconds.toFixed(1)} s`);
}

/** Lets HealthOmics read the repositories. @returns why where that can't be */
async function openRepositories({ clients: { ecr }, place }: Session, pulls: readonly ImagePull[]): Promise<ReadonlyMap<string, Error>> {
  const closed = new Map<string, Error>();
  const repositories = new Set(pulls.map(({ target_image }) => repositoryOf(target_image)));
  await Promise.all([...repositories].map((repository) => openRepository(ecr, repository, place).catch((error: Error) => closed.set(repository, error))));
  return closed;
}

function sourceRepository(image: string): string {
  const { registry, repository } = parseImageRef(image);
  return `${registry}/${repository}`;
}

const repositoryOf = (image: string): string => parseImageRef(image).repository;

function outcome({ source_uri, target_image }: ImagePull, result: CopyResult | Error | undefined): PulledImage {
  if (!result || result instanceof Error)
    return { source: source_uri, target: target_image, status: "FAILED", bytesMoved: 0, bytesSaved: 0, requests: 0, seconds: 0, reason: result ? `its repository: ${result.message}` : "it was not copied" };
  const { digest, status, bytesMoved, bytesSaved, requests, seconds, reason } = result;
  return { source: source_uri, target: formatImageRef(parseImageRef(target_image)), ...(digest && { digest }), status, bytesMoved, bytesSaved, requests, seconds, reason };
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, each) => total + each, 0);
