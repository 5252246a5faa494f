import type { RCTAppliedFor } from "@aws-sdk/client-ecr";
import { parseAccountId } from "../../../kit/account-id.ts";
import { AwsError } from "../../gateway/aws-error.ts";
import type { Access, Call, Core } from "../../gateway/service.ts";
import { globalContext } from "../../gateway/dispatcher.ts";
import { accessTo, tagContext } from "../access.ts";
import { repositoryNotFound } from "../errors.ts";
import { emitCreateRepository } from "../events.ts";
import { templateOf } from "../prefixes.ts";
import { asRecord, checkName } from "./repositories.ts";
import { encryptionOf } from "./repository-keys.ts";
import { keyOf, type Place, type Repository, type Store, type Template } from "../store.ts";
import { mutabilityOf } from "./tag-mutability.ts";

/** Who makes ECR create a repository. */
export type Caller = Pick<Call, "caller" | "context">;

/**
 * A push to a repository that is not there makes it where a template says so (CREATE_ON_PUSH): without one, ECR has no
 * default for it.
 * @throws AwsError RepositoryNotFoundException with the reason where the caller may not create it
 */
export async function createOnPush(core: Core, store: Store, { place, by }: { readonly place: Place; readonly by: Caller }): Promise<void> {
  if (store.repositories.get(keyOf(place)) || !templateOf(store, place, "CREATE_ON_PUSH")) return;
  const why = whyNot(core, by, { access: accessTo(store, "CreateRepository", place), region: place.region });
  if (why !== undefined) throw repositoryNotFound(place.name, place.account, why);
  const repository = await newRepository(core, store, { place, applied: "CREATE_ON_PUSH" });
  store.transaction(() => keepCreated(core, store, repository));
}

/** IAM's reason against a request; undefined for one it allows. */
export function whyNot(
  { directory }: Core,
  { caller, context }: Caller,
  { access, region }: { readonly access: Access; readonly region: string },
): string | undefined {
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
export async function newRepository(core: Core, store: Store, creation: Creation): Promise<Repository> {
  try {
    return await repositoryToCreate(core, store, creation);
  } catch (error) {
    throw error instanceof AwsError ? repositoryNotFound(creation.place.name, creation.place.account, error.message) : error;
  }
}

async function repositoryToCreate(core: Core, store: Store, { place, applied }: Creation): Promise<Repository> {
  checkName(place.name);
  const template = templateOf(store, place, applied);
  const call = { region: place.region, context: globalContext(core.clock, place.region) };
  const role =
    template?.customRoleArn === undefined
      ? undefined
      : core.directory.assumeAsService({
          service: "ecr.amazonaws.com",
          roleArn: template.customRoleArn,
          sessionName: "ECRRepositoryCreation",
        });
  const tags = template?.resourceTags;
  if (role)
    for (const action of ["CreateRepository", ...(tags?.length ? ["TagResource"] : [])])
      core.directory.authorize(role, accessTo(store, action, place, tagContext(tags)), call);
  const as = role ?? { kind: "root" as const, account: parseAccountId(place.account) };
  const encryption = await encryptionOf(core, template?.encryptionConfiguration, { place, as, context: call.context });
  return { ...place, createdAt: core.clock.now().toISOString(), scanOnPush: false, ...settingsOf(template), encryption };
}

function settingsOf(template: Template | undefined): Pick<Repository, "tags" | "mutability" | "exclusions" | "policy" | "lifecyclePolicy"> {
  const { resourceTags, repositoryPolicy, lifecyclePolicy } = template ?? {};
  return {
    tags: asRecord(resourceTags),
    ...mutabilityOf(template ?? {}),
    ...(repositoryPolicy && { policy: repositoryPolicy }),
    ...(lifecyclePolicy && { lifecyclePolicy }),
  };
}

/** Stores it unless it is there by now; part of a transaction. */
export function keepCreated(core: Core, store: Store, repository: Repository): void {
  if (store.repositories.insert(keyOf(repository), repository)) emitCreateRepository(core, repository, "service");
}
