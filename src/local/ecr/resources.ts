import type { DescribeRepositoryCreationTemplatesResponse, GetRegistryPolicyResponse } from "@aws-sdk/client-ecr";
import type { Properties, ResourceProvider, ResourceRequest, ResourceState, UpdateRequest } from "../cloudformation/resource-provider.ts";
import { tagsOf } from "../cloudformation/resource-provider.ts";
import { AwsError } from "../gateway/aws-error.ts";

const repository: ResourceProvider = {
  type: "AWS::ECR::Repository",
  properties: {
    RepositoryName: "string",
    ImageTagMutability: "string",
    ImageTagMutabilityExclusionFilters: "json",
    ImageScanningConfiguration: { ScanOnPush: "boolean" },
    EncryptionConfiguration: "json",
    RepositoryPolicyText: "json",
    LifecyclePolicy: { LifecyclePolicyText: "string", RegistryId: "string" },
    EmptyOnDelete: "boolean",
    Tags: [{ Key: "string", Value: "string" }],
  },
  replaceOn: ["RepositoryName", "EncryptionConfiguration"],
  attributes: ["Arn", "RepositoryUri"],
  async create(request) {
    const name = (request.properties["RepositoryName"] as string | undefined) ?? request.suggestedName(256, { lowerCase: true });
    const encryption = request.properties["EncryptionConfiguration"] as { EncryptionType?: string; KmsKey?: string } | undefined;
    await request
      .call("ecr", "CreateRepository", {
        repositoryName: name,
        ...mutability(request),
        imageScanningConfiguration: scanning(request),
        tags: tagsOf(request),
        ...(encryption && { encryptionConfiguration: { encryptionType: encryption.EncryptionType, kmsKey: encryption.KmsKey } }),
      })
      .catch((error: { code?: string }) => {
        if (!request.resumed || error.code !== "RepositoryAlreadyExistsException") throw error;
      });
    request.announce(name);
    await policies(request, name);
    return state(request, name);
  },
  async update(request) {
    const repositoryName = request.physicalId;
    await request.call("ecr", "PutImageTagMutability", { repositoryName, ...mutability(request) });
    await request.call("ecr", "PutImageScanningConfiguration", { repositoryName, imageScanningConfiguration: scanning(request) });
    await policies(request, repositoryName);
    await dropPolicies(request, repositoryName);
    await retag(request, repositoryName);
    return state(request, repositoryName);
  },
  delete: (request) =>
    request
      .call("ecr", "DeleteRepository", { repositoryName: request.physicalId, force: request.properties["EmptyOnDelete"] === true })
      .then(
        () => undefined,
        (error: { code?: string }) => {
          if (error.code !== "RepositoryNotFoundException") throw error;
        },
      ),
};

const cacheRule: ResourceProvider = {
  type: "AWS::ECR::PullThroughCacheRule",
  properties: {
    EcrRepositoryPrefix: "string",
    UpstreamRegistryUrl: "string",
    UpstreamRegistry: "string",
    UpstreamRepositoryPrefix: "string",
    CredentialArn: "string",
    CustomRoleArn: "string",
  },
  replaceOn: ["EcrRepositoryPrefix", "UpstreamRegistryUrl", "UpstreamRegistry", "UpstreamRepositoryPrefix"],
  attributes: [],
  async create(request) {
    const { EcrRepositoryPrefix: prefix = "" } = request.properties;
    await request
      .call("ecr", "CreatePullThroughCacheRule", { upstreamRegistryUrl: upstreamUrlOf(request), ...inCamelCase(request.properties) })
      .catch(adopt(request, "PullThroughCacheRuleAlreadyExistsException"));
    return { physicalId: String(prefix), attributes: {} };
  },
  async update(request) {
    const { CredentialArn: credentialArn, CustomRoleArn: customRoleArn } = request.properties;
    // Credentials are taken away by a new rule alone.
    if (credentialArn === undefined && customRoleArn === undefined) return "REPLACE";
    await request.call("ecr", "UpdatePullThroughCacheRule", { ecrRepositoryPrefix: request.physicalId, credentialArn, customRoleArn });
    return { physicalId: request.physicalId, attributes: {} };
  },
  delete: (request) =>
    request
      .call("ecr", "DeletePullThroughCacheRule", { ecrRepositoryPrefix: request.physicalId })
      .then(() => undefined, unlessGone("PullThroughCacheRuleNotFoundException")),
};

const creationTemplate: ResourceProvider = {
  type: "AWS::ECR::RepositoryCreationTemplate",
  properties: {
    Prefix: "string",
    Description: "string",
    AppliedFor: ["string"],
    CustomRoleArn: "string",
    EncryptionConfiguration: { EncryptionType: "string", KmsKey: "string" },
    ImageTagMutability: "string",
    ImageTagMutabilityExclusionFilters: [
      { ImageTagMutabilityExclusionFilterType: "string", ImageTagMutabilityExclusionFilterValue: "string" },
    ],
    LifecyclePolicy: "string",
    RepositoryPolicy: "string",
    ResourceTags: [{ Key: "string", Value: "string" }],
  },
  required: ["Prefix", "AppliedFor"],
  replaceOn: ["Prefix"],
  attributes: ["CreatedAt", "UpdatedAt"],
  async create(request) {
    await request
      .call("ecr", "CreateRepositoryCreationTemplate", templateInput(request))
      .catch(adopt(request, "TemplateAlreadyExistsException"));
    return templateState(request);
  },
  async update(request) {
    await request.call("ecr", "UpdateRepositoryCreationTemplate", templateInput(request));
    return templateState(request);
  },
  delete: (request) =>
    request
      .call("ecr", "DeleteRepositoryCreationTemplate", { prefix: request.physicalId })
      .then(() => undefined, unlessGone("TemplateNotFoundException")),
};

const registryPolicy: ResourceProvider = {
  type: "AWS::ECR::RegistryPolicy",
  properties: { PolicyText: "json" },
  required: ["PolicyText"],
  replaceOn: [],
  attributes: ["RegistryId"],
  async create(request) {
    // A registry has one policy, and to put it overwrites: the provider on AWS looks first, and so leaves one of others alone.
    const present = await request
      .call<GetRegistryPolicyResponse>("ecr", "GetRegistryPolicy", {})
      .catch(unlessGone("RegistryPolicyNotFoundException"));
    if (present && !request.resumed)
      throw new AwsError(
        400,
        "AlreadyExists",
        `Resource of type 'AWS::ECR::RegistryPolicy' with identifier '${request.stack.account}' already exists.`,
      );
    return putRegistryPolicy(request);
  },
  update: putRegistryPolicy,
  delete: (request) => request.call("ecr", "DeleteRegistryPolicy", {}).then(() => undefined, unlessGone("RegistryPolicyNotFoundException")),
};

export const ecrResources: readonly ResourceProvider[] = [repository, cacheRule, creationTemplate, registryPolicy];

type Failure = { readonly code?: string };

/** What an interrupted attempt has made is one's own. */
const adopt =
  ({ resumed }: ResourceRequest, code: string) =>
  (error: Failure): void => {
    if (!resumed || error.code !== code) throw error;
  };

const unlessGone =
  (code: string) =>
  (error: Failure): void => {
    if (error.code !== code) throw error;
  };

/** Members as the API names them: `EcrRepositoryPrefix` is `ecrRepositoryPrefix`. */
const inCamelCase = (properties: Properties): Properties =>
  Object.fromEntries(Object.entries(properties).map(([name, value]) => [name.charAt(0).toLowerCase() + name.slice(1), value]));

/** A template may name the registry alone. */
const URL_OF: Readonly<Record<string, string>> = {
  "ecr-public": "public.ecr.aws",
  "docker-hub": "registry-1.docker.io",
  "github-container-registry": "ghcr.io",
  "gitlab-container-registry": "registry.gitlab.com",
  k8s: "registry.k8s.io",
  quay: "quay.io",
  chainguard: "cgr.dev",
};
const upstreamUrlOf = ({ properties }: ResourceRequest): string | undefined => URL_OF[String(properties["UpstreamRegistry"])];

interface ExclusionFilter {
  readonly ImageTagMutabilityExclusionFilterType: string;
  readonly ImageTagMutabilityExclusionFilterValue: string;
}

function templateInput({ properties }: ResourceRequest): object {
  const { EncryptionConfiguration: encryption, ImageTagMutabilityExclusionFilters: filters, ...rest } = properties;
  return {
    ...inCamelCase(rest),
    ...(encryption && { encryptionConfiguration: inCamelCase(encryption as Properties) }),
    ...(filters && {
      imageTagMutabilityExclusionFilters: (filters as unknown as readonly ExclusionFilter[]).map((one) => ({
        filterType: one.ImageTagMutabilityExclusionFilterType,
        filter: one.ImageTagMutabilityExclusionFilterValue,
      })),
    }),
  };
}

async function templateState(request: ResourceRequest): Promise<ResourceState> {
  const physicalId = String(request.properties["Prefix"]);
  const answer = await request.call<DescribeRepositoryCreationTemplatesResponse>("ecr", "DescribeRepositoryCreationTemplates", {
    prefixes: [physicalId],
  });
  const { createdAt, updatedAt } = answer.repositoryCreationTemplates?.[0] ?? {};
  return { physicalId, attributes: { CreatedAt: createdAt?.toISOString() ?? "", UpdatedAt: updatedAt?.toISOString() ?? "" } };
}

async function putRegistryPolicy(request: ResourceRequest): Promise<ResourceState> {
  await request.call("ecr", "PutRegistryPolicy", { policyText: JSON.stringify(request.properties["PolicyText"]) });
  return { physicalId: request.stack.account, attributes: { RegistryId: request.stack.account } };
}

const scanning = ({ properties }: ResourceRequest) => ({
  scanOnPush: (properties["ImageScanningConfiguration"] as { ScanOnPush?: boolean } | undefined)?.ScanOnPush ?? false,
});

async function policies(request: ResourceRequest, repositoryName: string): Promise<void> {
  const { RepositoryPolicyText: policy, LifecyclePolicy: lifecycle } = request.properties;
  if (policy) await request.call("ecr", "SetRepositoryPolicy", { repositoryName, policyText: JSON.stringify(policy) });
  if (lifecycle)
    await request.call("ecr", "PutLifecyclePolicy", {
      repositoryName,
      lifecyclePolicyText: (lifecycle as { LifecyclePolicyText: string }).LifecyclePolicyText,
    });
}

/** Takes away what the template does not say, whoever put it there: so does the provider on AWS, at each update. */
async function dropPolicies({ properties, call }: UpdateRequest, repositoryName: string): Promise<void> {
  if (!properties["RepositoryPolicyText"])
    await call("ecr", "DeleteRepositoryPolicy", { repositoryName }).catch(unlessGone("RepositoryPolicyNotFoundException"));
  if (!properties["LifecyclePolicy"])
    await call("ecr", "DeleteLifecyclePolicy", { repositoryName }).catch(unlessGone("LifecyclePolicyNotFoundException"));
}

interface Filter {
  readonly ImageTagMutabilityExclusionFilterType?: string;
  readonly ImageTagMutabilityExclusionFilterValue?: string;
}

function mutability({ properties }: ResourceRequest): object {
  const filters = (properties["ImageTagMutabilityExclusionFilters"] ?? []) as readonly Filter[];
  return {
    imageTagMutability: properties["ImageTagMutability"] ?? "MUTABLE",
    ...(filters.length > 0 && {
      imageTagMutabilityExclusionFilters: filters.map((one) => ({
        filterType: one.ImageTagMutabilityExclusionFilterType,
        filter: one.ImageTagMutabilityExclusionFilterValue,
      })),
    }),
  };
}

/** Puts the tags of the template and the stack, and takes away those that were put before and are no longer there. */
async function retag(request: UpdateRequest, repositoryName: string): Promise<void> {
  const resourceArn = state(request, repositoryName).attributes.Arn;
  const tags = tagsOf(request);
  const before = tagsOf({ stack: request.stack, properties: request.previousProperties });
  const gone = before.flatMap(({ Key }) => (tags.some((tag) => tag.Key === Key) ? [] : [Key]));
  if (gone.length > 0) await request.call("ecr", "UntagResource", { resourceArn, tagKeys: gone });
  if (tags.length > 0) await request.call("ecr", "TagResource", { resourceArn, tags });
}

const state = ({ stack }: ResourceRequest, name: string) => ({
  physicalId: name,
  attributes: {
    Arn: `arn:aws:ecr:${stack.region}:${stack.account}:repository/${name}`,
    RepositoryUri: `${stack.account}.dkr.ecr.${stack.region}.amazonaws.com/${name}`,
  },
});
