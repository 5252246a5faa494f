import type { ResourceProvider, ResourceRequest } from "../cloudformation/resource-provider.ts";
import { tagsOf } from "../cloudformation/resource-provider.ts";

const repository: ResourceProvider = {
  type: "AWS::CodeCommit::Repository",
  properties: { RepositoryName: "string", RepositoryDescription: "string", Tags: [{ Key: "string", Value: "string" }], KmsKeyId: "string" },
  required: ["RepositoryName"],
  replaceOn: ["RepositoryName"],
  attributes: ["Arn", "Name", "CloneUrlHttp", "CloneUrlSsh"],
  async create(request) {
    const repositoryName = request.properties["RepositoryName"] as string;
    const tags = Object.fromEntries(tagsOf(request).map(({ Key, Value }) => [Key, Value]));
    await request.call("codecommit", "CreateRepository", { repositoryName, repositoryDescription: request.properties["RepositoryDescription"], tags }).catch((error: { code?: string }) => {
      if (!request.resumed || error.code !== "RepositoryNameExistsException") throw error;
    });
    return state(request, repositoryName);
  },
  async update(request) {
    const repositoryName = request.properties["RepositoryName"] as string;
    await request.call("codecommit", "UpdateRepositoryDescription", { repositoryName, repositoryDescription: request.properties["RepositoryDescription"] });
    return state(request, repositoryName);
  },
  delete: (request) => request.call("codecommit", "DeleteRepository", { repositoryName: request.properties["RepositoryName"] }).then(() => undefined),
};

export const codecommitResources: readonly ResourceProvider[] = [repository];

async function state(request: ResourceRequest, repositoryName: string) {
  const { repositoryMetadata: found } = await request.call<{ repositoryMetadata: { repositoryId: string; Arn: string; cloneUrlHttp: string } }>("codecommit", "GetRepository", { repositoryName });
  return { physicalId: found.repositoryId, attributes: { Arn: found.Arn, Name: repositoryName, CloneUrlHttp: found.cloneUrlHttp, CloneUrlSsh: found.cloneUrlHttp.replace(/^http/, "ssh") } };
}
