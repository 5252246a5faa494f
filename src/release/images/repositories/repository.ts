import {
  CreateRepositoryCommand,
  DescribeRepositoriesCommand,
  type ECRClient,
  ListTagsForResourceCommand,
  TagResourceCommand,
} from "@aws-sdk/client-ecr";
import { formatArn, partitionOf } from "../../../kit/arn.ts";
import type { ImageRef } from "../../../kit/image-ref.ts";
import { ReleaseError } from "../../errors.ts";
import { CREATED_BY, SOURCE_TAG } from "../../names.ts";
import type { Place } from "../../project/deploy-config.ts";
import { ensureRepositoryPolicies, mergeOnce, type Pace, readPolicy } from "./ensure-policies.ts";
import { creationOf, DEFAULT_REPOSITORIES, type RepositorySettings } from "./repository-settings.ts";
import { letsHealthOmicsRead, mergePolicy, stagingStatements } from "./repository-policy.ts";

/** Whose repositories are made, and how. */
export interface RepositoryMaker {
  readonly ecr: ECRClient;
  readonly place: Place;
  /** @default DEFAULT_REPOSITORIES */
  readonly repositories?: RepositorySettings | undefined;
}

/**
 * Makes the repository, tagged as ours. Another image of the same repository may have made it just now.
 * @param source where its images come from: `quay.io/biocontainers/bwa`
 * @returns whether it was not there before
 */
export async function ensureRepository(
  { ecr, place, repositories = DEFAULT_REPOSITORIES }: RepositoryMaker,
  repositoryName: string,
  source?: string,
): Promise<boolean> {
  return ecr.send(new CreateRepositoryCommand({ repositoryName, tags: tagsOf(source), ...creationOf(repositories, place) })).then(
    () => true,
    (error: Error) => {
      if (error.name !== "RepositoryAlreadyExistsException") throw error;
      return false;
    },
  );
}

const tagsOf = (source: string | undefined) => [
  { Key: CREATED_BY.key, Value: CREATED_BY.value },
  ...(source ? [{ Key: SOURCE_TAG, Value: sourceTag(source) }] : []),
];

/** A source as the value of a tag, which takes fewer characters: an IPv6 address has brackets. */
export const sourceTag = (source: string): string => source.replaceAll(/[^\p{L}\p{N} _.:/=+\-@]/gu, "_").slice(0, 256);

/** The tags of a repository. @throws RepositoryNotFoundException */
export async function tagsOfRepository(
  ecr: ECRClient,
  repositoryName: string,
  { account, region }: Place,
): Promise<Readonly<Record<string, string>>> {
  // ECR would tell the ARN: one more question for each repository.
  const resourceArn = formatArn({
    partition: partitionOf(region),
    service: "ecr",
    region,
    account,
    resource: `repository/${repositoryName}`,
  });
  const { tags = [] } = await ecr.send(new ListTagsForResourceCommand({ resourceArn }));
  return Object.fromEntries(tags.map(({ Key = "", Value = "" }) => [Key, Value]));
}

/** Whether omx made the repository. */
export const isOurs = (tags: Readonly<Record<string, string>>): boolean => tags[CREATED_BY.key] === CREATED_BY.value;

/**
 * Leaves a repository readable for HealthOmics: the policy of one that omx made is put right, any other is left alone.
 * @returns whether the policy had to be changed
 * @throws ReleaseError ImageNotReadable for a repository of somebody else that HealthOmics may not read
 */
export async function openRepository(ecr: ECRClient, repositoryName: string, place: Place, pace: Pace = {}): Promise<boolean> {
  const present = await readPolicy(ecr, repositoryName);
  const statements = stagingStatements(place);
  if (mergePolicy(present, statements) === undefined) return false;
  if (isOurs(await tagsOfRepository(ecr, repositoryName, place))) {
    // A repository without a policy is new: who writes into it at the same time stages as well, and writes the same.
    return present === undefined
      ? mergeOnce(ecr, repositoryName, statements)
      : (await ensureRepositoryPolicies(ecr, new Map([[repositoryName, statements]]), pace)).size > 0;
  }
  if (letsHealthOmicsRead(present, place.account)) return false;
  throw notReadable(repositoryName);
}

/**
 * Makes the repository, or looks at the one that is there: for images that are about to be written.
 * @throws ReleaseError ImageNotReadable as `openRepository` would
 */
export async function prepareRepository(maker: RepositoryMaker, repositoryName: string): Promise<void> {
  if (!(await ensureRepository(maker, repositoryName))) await checkRepository(maker.ecr, repositoryName, maker.place);
}

/**
 * Looks at a repository before something is written there: what HealthOmics could not read needs no bytes.
 * @throws ReleaseError ImageNotReadable as `openRepository` would
 */
export async function checkRepository(ecr: ECRClient, repositoryName: string, place: Place): Promise<void> {
  if (
    isOurs(await tagsOfRepository(ecr, repositoryName, place)) ||
    letsHealthOmicsRead(await readPolicy(ecr, repositoryName), place.account)
  )
    return;
  throw notReadable(repositoryName);
}

/**
 * Looks at the repository of an image that a build would take the tag from, and that no build of omx made.
 * @throws ReleaseError ImageCollision where omx brought that image in from a registry: who named it must not find another there
 */
export async function checkNotPulled(
  ecr: ECRClient,
  { repository, tag = "latest" }: Pick<ImageRef, "repository" | "tag">,
  place: Place,
): Promise<void> {
  const { [SOURCE_TAG]: source, ...tags } = await tagsOfRepository(ecr, repository, place);
  if (source === undefined || !isOurs(tags)) return;
  throw new ReleaseError("ImageCollision", {
    says: `${repository}:${tag} holds an image of ${source} that omx brought in`,
    fix: "give the build another target, one that does not begin with a registry's namespace",
    blame: "user",
  });
}

const notReadable = (repositoryName: string): ReleaseError =>
  new ReleaseError("ImageNotReadable", {
    says: `HealthOmics may not read the repository ${repositoryName}, and it is not omx's: it has no tag ${CREATED_BY.key}=${CREATED_BY.value}`,
    fix: `let omics.amazonaws.com read it by a statement of its policy that no other denies, or tag it ${CREATED_BY.key}=${CREATED_BY.value} so that omx may do that`,
    blame: "user",
  });

/** Clocks differ a little, and a repository of a minute ago is as new. */
const SKEW_MS = 60_000;

/**
 * As `openRepository`, where ECR's pull-through cache was asked for an image: a bare repository that it has made for that,
 * without a template of ours, is marked as ours first.
 * @throws ReleaseError ImageNotReadable as `openRepository`
 */
export async function openCached(
  ecr: ECRClient,
  { repository, source, since }: { readonly repository: string; readonly source: string; readonly since: Date },
  place: Place,
): Promise<boolean> {
  try {
    return await openRepository(ecr, repository, place);
  } catch (error) {
    if (!(error instanceof ReleaseError) || error.code !== "ImageNotReadable") throw error;
    const resourceArn = await bareSince(ecr, { repository, since: new Date(since.getTime() - SKEW_MS) }, place);
    if (resourceArn === undefined) throw error;
    await ecr.send(new TagResourceCommand({ resourceArn, tags: tagsOf(source) }));
    return openRepository(ecr, repository, place);
  }
}

/** The ARN of a repository as new as that, that has neither policy nor tags; undefined for any other. */
async function bareSince(
  ecr: ECRClient,
  { repository: repositoryName, since }: { readonly repository: string; readonly since: Date },
  place: Place,
): Promise<string | undefined> {
  const { repositories } = await ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [repositoryName] }));
  const { createdAt, repositoryArn } = repositories?.[0] ?? {};
  const isBare =
    (await readPolicy(ecr, repositoryName)) === undefined && Object.keys(await tagsOfRepository(ecr, repositoryName, place)).length === 0;
  return isBare && createdAt && createdAt >= since ? repositoryArn : undefined;
}
