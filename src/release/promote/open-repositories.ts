import type { ContainerRegistryMap } from "@aws-sdk/client-omics";
import { parseImageRef } from "../../kit/image-ref.ts";
import type { ReleaseEnvironment } from "../environment.ts";
import { ReleaseError } from "../errors.ts";
import { ensureRepositoryPolicies, readPolicy } from "../images/repositories/ensure-policies.ts";
import {
  letsAccountRead,
  letsHealthOmicsRead,
  mergePolicy,
  productionStatements,
  type Statement,
} from "../images/repositories/repository-policy.ts";
import { isOurs, tagsOfRepository } from "../images/repositories/repository.ts";
import { CREATED_BY } from "../names.ts";
import type { Place } from "../project/deploy-config.ts";
import type { ReleaseRecord } from "./bundle.ts";
import { mappedByUser } from "./own-mappings.ts";
import { wayInto } from "./way.ts";

/** What of a release says whose repositories are read by whom. */
interface Released extends Pick<ReleaseRecord, "images" | "promote"> {
  readonly registryMap: ContainerRegistryMap;
}

/**
 * Lets every production account read the repositories of the release's images, and of those to which the user maps.
 * Statements merge, nothing is dropped; a repository that is not omx's is left alone.
 * @throws ReleaseError ImageNotReadable naming every repository that is gone, or is somebody else's and not open
 */
export async function openRepositories(env: PolicyEnvironment, release: Released, production: readonly Place[]): Promise<void> {
  const { judged, opened } = await ensureOpen(env, release, production);
  for (const [repository, { closed: isClosed, says = opened.has(repository) ? "opened to" : "is open to" }] of judged)
    if (!isClosed) env.emit({ type: "note", text: `${repository}: ${says} ${accountsOf(production)}` });
  throwIfClosed(env, judged);
}

/**
 * Looks at the end of a promotion whether its repositories are still open, and opens again those that are not: a write that
 * somebody began before ours may have ended after the last look of `openRepositories`, with the policy as it was before.
 * Of images that production has copies of nothing is read any more.
 * @throws ReleaseError ImageNotReadable as `openRepositories`
 */
export async function keepOpen(env: PolicyEnvironment, release: Released, production: readonly Place[]): Promise<void> {
  const isRead = production.some((place) => wayInto(place, { promote: release.promote, cicd: env.cicd }) === "share");
  const { judged, opened } = await ensureOpen(env, release, production, isRead ? release.images : []);
  for (const repository of opened)
    env.emit({
      type: "note",
      text: `${repository}: opened to ${accountsOf(production)} once more: what lets production read was taken out meanwhile; CloudTrail tells who called SetRepositoryPolicy`,
    });
  throwIfClosed(env, judged);
}

const accountsOf = (production: readonly Place[]): string => [...new Set(production.map(({ account }) => account))].join(", ");

type Judged = readonly (readonly [string, Judgement])[];

interface Ensured {
  readonly judged: Judged;
  /** Those whose policy had to be changed. */
  readonly opened: ReadonlySet<string>;
}

async function ensureOpen(
  env: PolicyEnvironment,
  release: Released,
  production: readonly Place[],
  images = release.images,
): Promise<Ensured> {
  const shared = mappedByUser(release.registryMap, release.images, env.cicd).map(({ repository }) => [repository, "share"] as const);
  const repositories = new Map([...images.map(({ target }) => [parseImageRef(target).repository, release.promote] as const), ...shared]);
  const judged: (readonly [string, Judgement])[] = [];
  for (const [repository, promote] of repositories)
    judged.push([repository, await judge(env, { repository, promote }, production).catch(gone)]);
  const opened = await ensureRepositoryPolicies(
    env.clients.ecr,
    new Map(judged.flatMap(([repository, { statements }]) => (statements ? [[repository, statements] as const] : []))),
    env,
  );
  return { judged, opened };
}

function throwIfClosed({ cicd }: PolicyEnvironment, judged: Judged): void {
  const closed = judged.flatMap(([repository, judgement]) => (judgement.closed ? [`${repository}: ${judgement.closed}`] : []));
  if (closed.length === 0) return;
  throw new ReleaseError("ImageNotReadable", {
    says: `production can't be given ${closed.length} of the release's repositories in account ${cicd.account}`,
    blame: "user",
    details: closed,
    fix: "see each; then `omx release retry` tries the Promote stage again",
  });
}

type PolicyEnvironment = Pick<ReleaseEnvironment, "clients" | "cicd" | "emit" | "clock">;

/** What is to become of a repository. */
interface Judgement {
  /** To be in the policy of one that is omx's. */
  readonly statements?: readonly Statement[];
  /** Why production can't be given it. */
  readonly closed?: string;
  /** What there is to say of one that is left as it is. */
  readonly says?: string;
}

interface Wanted extends Pick<Released, "promote"> {
  readonly repository: string;
}

async function judge(
  { clients: { ecr }, cicd }: PolicyEnvironment,
  { repository, promote }: Wanted,
  production: readonly Place[],
): Promise<Judgement> {
  const readers = production.map((place) => ({ place, way: wayInto(place, { promote, cicd }) }));
  // Two regions of one account have one statement for its roles.
  const statements = [
    ...new Map(readers.flatMap(({ place, way }) => productionStatements(place, way)).map((one) => [one.Sid, one])).values(),
  ];
  const present = await readPolicy(ecr, repository);
  if (mergePolicy(present, statements) === undefined) return { says: "is open to" };
  if (isOurs(await tagsOfRepository(ecr, repository, cicd))) return { statements };
  const lacking = new Set(
    readers.flatMap(({ place: { account }, way }) => [
      ...(letsAccountRead(present, account) ? [] : [`arn:aws:iam::${account}:root`]),
      ...(way === "copy" || letsHealthOmicsRead(present, account) ? [] : [`omics.amazonaws.com with aws:SourceAccount ${account}`]),
    ]),
  );
  if (lacking.size === 0) return { says: "is not omx's, and its owner has opened it to" };
  return {
    closed: `it is not omx's (it has no tag ${CREATED_BY.key}=${CREATED_BY.value}) and is left alone: let ${[...lacking].join(" and ")} read it by statements of its policy that no other denies, or tag it so`,
  };
}

function gone(error: Error): Judgement {
  if (error.name !== "RepositoryNotFoundException") throw error;
  return { closed: "it is not there any more: start the release again, which brings its images in" };
}
