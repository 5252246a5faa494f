import { ListTagsForResourceCommand, DescribeRepositoriesCommand } from "@aws-sdk/client-ecr";
import { ensureRepositoryPolicy, stagingStatements } from "../../release/images/repository-policy.ts";
import { CREATED_BY } from "../../release/names.ts";
import { environmentSettings } from "../settings.ts";

const { clients, deployment } = environmentSettings();

interface RepositoryCreated {
  readonly detail: { readonly requestParameters?: { readonly repositoryName?: string } };
}

/** A repository was created: opens it to HealthOmics when it is one of ours, leaves every other alone. */
export const handler = async (event: RepositoryCreated): Promise<{ readonly repository: string; readonly changed: boolean }> => {
  const repository = event.detail.requestParameters?.repositoryName ?? "";
  const { repositories } = await clients.ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [repository] }));
  const { tags = [] } = await clients.ecr.send(new ListTagsForResourceCommand({ resourceArn: repositories?.[0]?.repositoryArn ?? "" }));
  const isOurs = tags.some(({ Key, Value }) => Key === CREATED_BY.key && Value === CREATED_BY.value);
  return { repository, changed: isOurs && (await ensureRepositoryPolicy(clients.ecr, repository, stagingStatements(deployment.cicd))) };
};
