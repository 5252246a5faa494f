import type { RCTAppliedFor, Tag } from "@aws-sdk/client-ecr";
import { AwsError } from "../gateway/aws-error.ts";
import type { Access, Call, Core } from "../gateway/service.ts";
import { globalContext } from "../gateway/dispatcher.ts";
import { accessTo, tagContext } from "./access.ts";
import { repositoryNotFound } from "./errors.ts";
import { emitCreateRepository } from "./events.ts";
import { templateOf } from "./prefixes.ts";
import { asRecord, checkName } from "./repositories.ts";
import { keyOf, type Place, type Repository, type Store, type Template } from "./store.ts";
import { mutabilityOf } from "./tag-mutability.ts";

/** Who makes ECR create a repository. */
export type Caller = Pick<Call, "caller" | "context">;

/**
 * A push to a repository that is not there makes it where a template says so (CREATE_ON_PUSH): without one, ECR has no
 * default for it.
 * @throws AwsError RepositoryNotFoundException with the reason where the caller may not create it
 */
export function createOnPush(core: Core, store: Store, { place, by }: { readonly place: Place; readonly by: Caller }): void {
  if (store.repositories.get(keyOf(place)) || !templateOf(store, place, "CREATE_ON_PUSH")) return;
  const why = whyNot(core, by, { access: accessTo(store, "CreateRepository", place), region: place.region });
  if (why !== undefined) throw repositoryNotFound(place.name, place.account, why);
  const repository = newRepository(core, store, { place, applied: "CREATE_ON_PUSH" });
  store.transaction(() => keepCreated(core, store, repository));
}

/** IAM's reason against a request; undefined for one it allows. */
export function whyNot({ directory }: Core, { caller, context }: Caller, { access, region }: { readonly access: Access; readonly region: string }): string | undefined {
  try {
    directory.authorize(caller, access, { region, context });
    return undefined;
  } catch (error) {
    if (error instanceof AwsError) return error.message;
    throw error;
  }
}

interface Creation {
  readonly place: Place;
  readonly applied: RCTAppliedFor;
}

/**
 * The repository that ECR makes on somebody's behalf, by the template for it or with the defaults
 * (userguide/repository-creation-templates.html). It is not stored yet.
 * @throws AwsError RepositoryNotFoundException where it can't be made, as ECR says it, with the reason after it
 */
export function newRepository(core: Core, store: Store, creation: Creation): Repository {
  try {
    return repositoryToCreate(core, store, creation);
  } catch (error) {
    throw error instanceof AwsError ? repositoryNotFound(creation.place.name, creation.place.account, error.message) : error;
  }
}

function repositoryToCreate(core: Core, store: Store, { place, applied }: Creation): Repository {
  checkName(place.name);
  const template = templateOf(store, place, applied);
  if (template?.customRoleArn) checkRole(core, store, { place, tags: template.resourceTags, roleArn: template.customRoleArn });
  return { ...place, createdAt: core.clock.now().toISOString(), scanOnPush: false, ...settingsOf(template) };
}

function settingsOf(template: Template | undefined): Pick<Repository, "tags" | "mutability" | "exclusions" | "encryption" | "policy" | "lifecyclePolicy"> {
  const { resourceTags, encryptionConfiguration, repositoryPolicy, lifecyclePolicy } = template ?? {};
  return {
    tags: asRecord(resourceTags), ...mutabilityOf(template ?? {}), encryption: (encryptionConfiguration as unknown as Record<string, unknown>) ?? { encryptionType: "AES256" },
    ...(repositoryPolicy && { policy: repositoryPolicy }), ...(lifecyclePolicy && { lifecyclePolicy }),
  };
}

/** The role that the template names works in ECR's stead. */
function checkRole({ directory, clock }: Core, store: Store, { place, tags, roleArn }: { readonly place: Place; readonly tags: readonly Tag[] | undefined; readonly roleArn: string }): void {
  const role = directory.assumeAsService({ service: "ecr.amazonaws.com", roleArn, sessionName: "ECRRepositoryCreation" });
  const call = { region: place.region, context: globalContext(clock, place.region) };
  for (const action of ["CreateRepository", ...(tags?.length ? ["TagResource"] : [])]) directory.authorize(role, accessTo(store, action, place, tagContext(tags)), call);
}

/** Stores it unless it is there by now; part of a transaction. */
export function keepCreated(core: Core, store: Store, repository: Repository): void {
  if (store.repositories.insert(keyOf(repository), repository)) emitCreateRepository(core, repository, "service");
}
