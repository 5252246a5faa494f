import type { Tag } from "@aws-sdk/client-ecr";
import type { Core } from "../gateway/service.ts";
import { globalContext } from "../gateway/dispatcher.ts";
import { accessTo, tagContext } from "./access.ts";
import { emitCreateRepository } from "./events.ts";
import { templateOf } from "./prefixes.ts";
import { asRecord, checkName } from "./repositories.ts";
import { keyOf, type Place, type Repository, type Store, type Template } from "./store.ts";
import { mutabilityOf } from "./tag-mutability.ts";

/**
 * The repository that ECR makes on behalf of a puller, by the template for it or with the defaults
 * (userguide/repository-creation-templates.html). It is not stored yet.
 * @throws AwsError AccessDenied where the template's role may not create it, InvalidParameterException for a bad name
 */
export function repositoryToCreate(core: Core, store: Store, place: Place): Repository {
  checkName(place.name);
  const template = templateOf(store, place, "PULL_THROUGH_CACHE");
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
