import { isOurs, openRepository, tagsOfRepository } from "../../release/images/repositories/repository.ts";
import { environmentSettings } from "../settings.ts";

const { clients, deployment } = environmentSettings();

interface RepositoryCreated {
  readonly detail: { readonly requestParameters?: { readonly repositoryName?: string } };
}

/** A repository was created: opens it to HealthOmics when it is one of ours, leaves every other alone. */
export const handler = async (event: RepositoryCreated): Promise<{ readonly repository: string; readonly changed: boolean }> => {
  const repository = event.detail.requestParameters?.repositoryName ?? "";
  const changed =
    isOurs(await tagsOfRepository(clients.ecr, repository, deployment.cicd)) &&
    (await openRepository(clients.ecr, repository, deployment.cicd));
  return { repository, changed };
};
