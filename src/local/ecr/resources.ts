import type { ResourceProvider, ResourceRequest } from "../cloudformation/resource-provider.ts";
import { tagsOf } from "../cloudformation/resource-provider.ts";

const repository: ResourceProvider = {
  type: "AWS::ECR::Repository",
  properties: {
    RepositoryName: "string", ImageTagMutability: "string", ImageScanningConfiguration: { ScanOnPush: "boolean" }, EncryptionConfiguration: "json", RepositoryPolicyText: "json", LifecyclePolicy: { LifecyclePolicyText: "string", RegistryId: "string" },
    EmptyOnDelete: "boolean", Tags: [{ Key: "string", Value: "string" }],
  },
  replaceOn: ["RepositoryName", "EncryptionConfiguration"],
  attributes: ["Arn", "RepositoryUri"],
  async create(request) {
    const name = (request.properties["RepositoryName"] as string | undefined) ?? request.suggestedName(256, { lowerCase: true });
    const encryption = request.properties["EncryptionConfiguration"] as { EncryptionType?: string; KmsKey?: string } | undefined;
    await request.call("ecr", "CreateRepository", {
      repositoryName: name, imageTagMutability: request.properties["ImageTagMutability"], imageScanningConfiguration: scanning(request), tags: tagsOf(request),
      ...(encryption && { encryptionConfiguration: { encryptionType: encryption.EncryptionType, kmsKey: encryption.KmsKey } }),
    }).catch((error: { code?: string }) => {
      if (!request.resumed || error.code !== "RepositoryAlreadyExistsException") throw error;
    });
    await policies(request, name);
    return state(request, name);
  },
  async update(request) {
    const repositoryName = request.physicalId;
    await request.call("ecr", "PutImageTagMutability", { repositoryName, imageTagMutability: request.properties["ImageTagMutability"] ?? "MUTABLE" });
    await request.call("ecr", "PutImageScanningConfiguration", { repositoryName, imageScanningConfiguration: scanning(request) });
    await policies(request, repositoryName);
    if (request.previousProperties["RepositoryPolicyText"] && !request.properties["RepositoryPolicyText"]) await request.call("ecr", "DeleteRepositoryPolicy", { repositoryName });
    return state(request, repositoryName);
  },
  delete: (request) =>
    request.call("ecr", "DeleteRepository", { repositoryName: request.physicalId, force: request.properties["EmptyOnDelete"] === true }).then(() => undefined, (error: { code?: string }) => {
      if (error.code !== "RepositoryNotFoundException") throw error;
    }),
};

export const ecrResources: readonly ResourceProvider[] = [repository];

const scanning = ({ properties }: ResourceRequest) => ({ scanOnPush: (properties["ImageScanningConfiguration"] as { ScanOnPush?: boolean } | undefined)?.ScanOnPush ?? false });

async function policies(request: ResourceRequest, repositoryName: string): Promise<void> {
  const { RepositoryPolicyText: policy, LifecyclePolicy: lifecycle } = request.properties;
  if (policy) await request.call("ecr", "SetRepositoryPolicy", { repositoryName, policyText: JSON.stringify(policy) });
  if (lifecycle) await request.call("ecr", "PutLifecyclePolicy", { repositoryName, lifecyclePolicyText: (lifecycle as { LifecyclePolicyText: string }).LifecyclePolicyText });
}

const state = ({ stack }: ResourceRequest, name: string) => ({
  physicalId: name, attributes: { Arn: `arn:aws:ecr:${stack.region}:${stack.account}:repository/${name}`, RepositoryUri: `${stack.account}.dkr.ecr.${stack.region}.amazonaws.com/${name}` },
});
