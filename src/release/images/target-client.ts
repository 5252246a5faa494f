import type { ECRClient } from "@aws-sdk/client-ecr";
import { isPassing } from "../../aws/passing.ts";
import { digestOf } from "../../oci/digest.ts";
import type { RegistryClient, Repository } from "../../oci/client/registry-client.ts";
import { RegistryError, type RegistryFailure } from "../../oci/errors.ts";
import { privateEcrHost } from "../../kit/image-ref-ecr.ts";
import { ReleaseError } from "../errors.ts";
import { SOURCE_TAG } from "../names.ts";
import { imageThere, SOURCE_HASH_LABEL } from "./build/labels.ts";
import { checkRepository, ensureRepository, isOurs, type RepositoryMaker, sourceTag, tagsOfRepository } from "./repositories/repository.ts";
import { awaitLayers } from "./pull/prime.ts";
import { type CacheRule, isFilled } from "./pull/cache-rules.ts";
import { presentDigest } from "./present.ts";
import { registryOf } from "./registry-of.ts";
import type { ImageWorkshop } from "./workshop.ts";
import { overRepositories } from "./repositories/over-repositories.ts";

type Place = Pick<Repository, "registry" | "repository">;

export interface TargetOptions extends RepositoryMaker {
  /** Which registry and repository the images of a repository here come from now. */
  readonly sourceOf: (repository: string) => string | undefined;
  /** Whether ECR's pull-through cache fills a repository: to ask for a manifest there has the cache bring the image. @default - none */
  readonly isCached?: (repository: string) => boolean;
}

/**
 * A client to write images with. It makes a repository when something is written there, so that a name that does not
 * exist upstream leaves nothing behind, it writes nothing where HealthOmics could not read it, and it moves no tag from
 * one source to another: `us.gcr.io/p/tool:1` and `eu.gcr.io/p/tool:1` have one place in ECR, and who staged one some day
 * must not find the other there.
 */
export function targetClient(
  client: RegistryClient,
  { ecr, place, repositories, sourceOf, isCached = () => false }: TargetOptions,
): RegistryClient {
  const made = new Map<string, Promise<void>>();
  const makeNew = async (name: string): Promise<void> => {
    // A repository that the cache has made may have no tags yet.
    if (!(await ensureRepository({ ecr, place, repositories }, name, sourceOf(name))) && !isCached(name))
      await checkRepository(ecr, name, place).catch(withFix);
  };
  const make = (name: string): Promise<void> => {
    const making =
      made.get(name) ??
      makeNew(name).catch((error: unknown) =>
        unavailable(error, { registry: privateEcrHost(registryOf(place)), doing: `make the repository ${name}` }),
      );
    made.set(name, making);
    making.catch(() => made.delete(name));
    return making;
  };
  const changed = (repository: Repository, at: Place): Repository => ({
    ...repository,
    async beginUpload(mount) {
      await make(at.repository);
      return repository.beginUpload(mount);
    },
    async uploadBlob(source, session) {
      await make(at.repository);
      return repository.uploadBlob(source, session);
    },
    async putManifest(reference, manifest) {
      await make(at.repository);
      const source = sourceOf(at.repository);
      const present = reference.includes(":") || source === undefined ? undefined : await repository.headManifest(reference);
      if (present && source !== undefined && present.digest !== digestOf(manifest.bytes))
        await check({ ecr, place }, { there: repository, tag: reference, source });
      return repository.putManifest(reference, manifest);
    },
  });
  return overRepositories(client, (plain, at) => changed(isCached(at.repository) ? { ...plain, ...pastCache(ecr, plain) } : plain, at));
}

/** What passes is the registry's, for whoever copies: it is tried again later. */
function unavailable(error: unknown, at: Pick<RegistryFailure, "registry" | "doing">): never {
  throw isPassing(error) ? new RegistryError({ ...at, kind: "unavailable", says: (error as Error).message, cause: error }) : error;
}

/** A copy's result says no more of an error than its message. */
function withFix(error: unknown): never {
  throw error instanceof ReleaseError ? new Error(`${error.message}; ${error.fix}`, { cause: error }) : error;
}

/**
 * A client to look at the account's ECR with: to ask for a manifest in a repository that a rule of the pull-through cache fills
 * has ECR bring the image, and make the repository, so that it is asked for only where it is there.
 */
export const lookingClient = (
  client: RegistryClient,
  { ecr, place }: Pick<ImageWorkshop, "ecr" | "place">,
  rules: readonly CacheRule[],
): RegistryClient => {
  const home = privateEcrHost(registryOf(place));
  return overRepositories(client, (plain, at) => (at.registry === home && isFilled(rules, at.repository) ? inEcr(ecr, plain) : {}));
};

/** Manifests that ECR has already, with all their layers; what it lacks is not asked for, lest its cache brings it. */
const pastCache = (ecr: ECRClient, repository: Repository): Pick<Repository, "headManifest" | "getManifest"> => {
  const { headManifest, getManifest } = inEcr(ecr, repository);
  return {
    headManifest,
    async getManifest(reference) {
      const found = await getManifest(reference);
      if (found) await awaitLayers(repository, found);
      return found;
    },
  };
};

const inEcr = (ecr: ECRClient, repository: Repository): Pick<Repository, "headManifest" | "getManifest"> => ({
  headManifest: async (reference) =>
    (await isThere(ecr, repository.repository, reference)) ? repository.headManifest(reference) : undefined,
  getManifest: async (reference) =>
    (await isThere(ecr, repository.repository, reference)) ? repository.getManifest(reference) : undefined,
});

const isThere = async (ecr: ECRClient, repository: string, reference: string): Promise<boolean> =>
  (await presentDigest(ecr, repository, reference)) !== undefined;

interface Move {
  readonly there: Repository;
  readonly tag: string;
  readonly source: string;
}

async function check({ ecr, place }: Pick<TargetOptions, "ecr" | "place">, { there, tag, source }: Move): Promise<void> {
  const { registry, repository } = there;
  const tags = await tagsOfRepository(ecr, repository, place);
  const before = tags[SOURCE_TAG];
  if (!isOurs(tags) || before === sourceTag(source)) return;
  const refused = { kind: "refused", registry, doing: `store ${repository}:${tag}` } as const;
  if (before === undefined) {
    // Tools before omx noted no source either.
    if (!(SOURCE_HASH_LABEL in ((await imageThere(there, tag))?.labels ?? {}))) return;
    throw new RegistryError({
      ...refused,
      says: `it holds an image that omx built, and this one is of ${source}; build that under another name, and delete it here`,
    });
  }
  const [host = ""] = source.split("/");
  throw new RegistryError({
    ...refused,
    says: `it holds another image, of ${before}, and this one is of ${source}; give ${host} a namespace of its own with containers.namespaces in omx.deploy.yaml, or bring one of them in under another tag`,
  });
}
