import type {
  CreateRepositoryRequest, CreateRepositoryResponse, DeleteLifecyclePolicyRequest, DeleteRepositoryPolicyRequest, DeleteRepositoryPolicyResponse, DeleteRepositoryRequest, DeleteRepositoryResponse, DescribeRepositoriesRequest, DescribeRepositoriesResponse,
  GetLifecyclePolicyRequest, GetLifecyclePolicyResponse, GetRepositoryPolicyRequest, GetRepositoryPolicyResponse, ListTagsForResourceRequest, ListTagsForResourceResponse, PutImageScanningConfigurationRequest, PutImageTagMutabilityRequest,
  PutLifecyclePolicyRequest, Repository as SdkRepository, SetRepositoryPolicyRequest, SetRepositoryPolicyResponse, TagResourceRequest, UntagResourceRequest,
} from "@aws-sdk/client-ecr";
import { validatePolicyDocument } from "../authorization/validate-policy.ts";
import { operation } from "../gateway/service.ts";
import { accessTo, on, placeOf, tagContext } from "./access.ts";
import type { Contents } from "./contents.ts";
import { invalidParameter, lifecyclePolicyNotFound, policyNotFound, repositoryExists, repositoryNotEmpty } from "./errors.ts";
import { emitCreateRepository } from "./events.ts";
import { keyOf, type Place, type Repository, repositoryArn, repositoryHost } from "./store.ts";

/** Repositories, their policies and tags. */
export function repositoryOperations(contents: Contents) {
  const { core, store } = contents;
  const save = (repository: Repository) => store.repositories.put(keyOf(repository), repository);
  const byArn = (arn: string | undefined): Place => {
    const [, region = "", account = "", name = ""] = /^arn:aws[a-z-]*:ecr:([a-z0-9-]+):(\d{12}):repository\/(.+)$/.exec(arn ?? "") ?? [];
    if (!name) throw invalidParameter(`at 'resourceArn' failed to satisfy constraint: '${arn} is not the ARN of a repository'`);
    return { account, region, name };
  };
  const onArn = (action: string) => (input: { readonly resourceArn?: string | undefined }) => [accessTo(store, action, byArn(input.resourceArn))];
  return {
    CreateRepository: operation<CreateRepositoryRequest, CreateRepositoryResponse>({
      access: (input, call) => [
        accessTo(store, "CreateRepository", placeOf(input, call), tagContext(input.tags)),
        ...(input.tags?.length ? [accessTo(store, "TagResource", placeOf(input, call), tagContext(input.tags))] : []),
      ],
      run(input, call) {
        const place = placeOf(input, call);
        if (!/^(?:[a-z0-9]+(?:[._-][a-z0-9]+)*\/)*[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$/.test(place.name) || place.name.length < 2 || place.name.length > 256)
          throw invalidParameter(`at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*''`);
        const repository: Repository = {
          ...place, createdAt: core.clock.now().toISOString(), tags: Object.fromEntries((input.tags ?? []).map(({ Key = "", Value = "" }) => [Key, Value])),
          ...mutabilityOf(input), scanOnPush: input.imageScanningConfiguration?.scanOnPush ?? false,
          encryption: (input.encryptionConfiguration as unknown as Record<string, unknown>) ?? { encryptionType: "AES256" },
        };
        store.transaction(() => {
          if (!store.repositories.insert(keyOf(place), repository)) throw repositoryExists(place.name, place.account);
          emitCreateRepository(core, repository, call.caller);
        });
        return { repository: describe(repository) };
      },
    }),
    DescribeRepositories: operation<DescribeRepositoriesRequest, DescribeRepositoriesResponse>({
      access: (input, call) => (input.repositoryNames ?? ["*"]).map((name) => accessTo(store, "DescribeRepositories", placeOf({ ...input, repositoryName: name }, call))),
      run(input, call) {
        const account = input.registryId ?? call.account;
        if (input.repositoryNames) return { repositories: input.repositoryNames.map((name) => describe(contents.repository({ account, region: call.region, name }))) };
        const limit = input.maxResults ?? 100;
        const found = store.repositories.list([account, call.region], { limit: limit + 1, ...(input.nextToken && { after: [account, call.region, decode(input.nextToken)] }) });
        const page = found.slice(0, limit).map((entry) => entry.value);
        return { repositories: page.map(describe), ...(found.length > limit && { nextToken: encode(page.at(-1)?.name ?? "") }) };
      },
    }),
    DeleteRepository: operation<DeleteRepositoryRequest, DeleteRepositoryResponse>({
      access: on(store, "DeleteRepository"),
      run(input, call) {
        const place = placeOf(input, call);
        const repository = contents.repository(place);
        const images = store.images.list(keyOf(place));
        if (images.length > 0 && !input.force) throw repositoryNotEmpty(place.name, place.account);
        store.transaction(() => {
          for (const collection of [store.images, store.imageTags, store.layers]) for (const { key } of collection.list(keyOf(place) as never)) collection.delete(key);
          store.repositories.delete(keyOf(place));
        });
        return { repository: describe(repository) };
      },
    }),
    SetRepositoryPolicy: operation<SetRepositoryPolicyRequest, SetRepositoryPolicyResponse>({
      access: on(store, "SetRepositoryPolicy"),
      run(input, call) {
        const repository = contents.repository(placeOf(input, call));
        const policyText = checkedPolicy(input.policyText);
        save({ ...repository, policy: policyText });
        return { registryId: repository.account, repositoryName: repository.name, policyText };
      },
    }),
    GetRepositoryPolicy: operation<GetRepositoryPolicyRequest, GetRepositoryPolicyResponse>({
      access: on(store, "GetRepositoryPolicy"),
      run(input, call) {
        const { account, name, policy } = contents.repository(placeOf(input, call));
        if (policy === undefined) throw policyNotFound(name, account);
        return { registryId: account, repositoryName: name, policyText: policy };
      },
    }),
    DeleteRepositoryPolicy: operation<DeleteRepositoryPolicyRequest, DeleteRepositoryPolicyResponse>({
      access: on(store, "DeleteRepositoryPolicy"),
      run(input, call) {
        const { policy, ...repository } = contents.repository(placeOf(input, call));
        if (policy === undefined) throw policyNotFound(repository.name, repository.account);
        save(repository);
        return { registryId: repository.account, repositoryName: repository.name, policyText: policy };
      },
    }),
    PutImageTagMutability: operation<PutImageTagMutabilityRequest, object>({
      access: on(store, "PutImageTagMutability"),
      run(input, call) {
        const repository = contents.repository(placeOf(input, call));
        const { exclusions: _before, ...kept } = repository;
        save({ ...kept, ...mutabilityOf(input) });
        return { registryId: repository.account, repositoryName: repository.name, imageTagMutability: input.imageTagMutability, imageTagMutabilityExclusionFilters: input.imageTagMutabilityExclusionFilters };
      },
    }),
    PutImageScanningConfiguration: operation<PutImageScanningConfigurationRequest, object>({
      access: on(store, "PutImageScanningConfiguration"),
      run(input, call) {
        const repository = contents.repository(placeOf(input, call));
        save({ ...repository, scanOnPush: input.imageScanningConfiguration?.scanOnPush ?? false });
        return { registryId: repository.account, repositoryName: repository.name, imageScanningConfiguration: input.imageScanningConfiguration };
      },
    }),
    PutLifecyclePolicy: operation<PutLifecyclePolicyRequest, object>({
      access: on(store, "PutLifecyclePolicy"),
      run(input, call) {
        const repository = contents.repository(placeOf(input, call));
        save({ ...repository, lifecyclePolicy: input.lifecyclePolicyText ?? "" });
        return { registryId: repository.account, repositoryName: repository.name, lifecyclePolicyText: input.lifecyclePolicyText };
      },
    }),
    GetLifecyclePolicy: operation<GetLifecyclePolicyRequest, GetLifecyclePolicyResponse>({
      access: on(store, "GetLifecyclePolicy"),
      run(input, call) {
        const { account, name, lifecyclePolicy } = contents.repository(placeOf(input, call));
        if (lifecyclePolicy === undefined) throw lifecyclePolicyNotFound(name, account);
        return { registryId: account, repositoryName: name, lifecyclePolicyText: lifecyclePolicy };
      },
    }),
    DeleteLifecyclePolicy: operation<DeleteLifecyclePolicyRequest, object>({
      access: on(store, "DeleteLifecyclePolicy"),
      run(input, call) {
        const { lifecyclePolicy, ...repository } = contents.repository(placeOf(input, call));
        if (lifecyclePolicy === undefined) throw lifecyclePolicyNotFound(repository.name, repository.account);
        save(repository);
        return { registryId: repository.account, repositoryName: repository.name, lifecyclePolicyText: lifecyclePolicy };
      },
    }),
    ListTagsForResource: operation<ListTagsForResourceRequest, ListTagsForResourceResponse>({
      access: onArn("ListTagsForResource"),
      run: (input) => ({ tags: Object.entries(contents.repository(byArn(input.resourceArn)).tags).map(([Key, Value]) => ({ Key, Value })) }),
    }),
    TagResource: operation<TagResourceRequest, object>({
      access: (input) => [accessTo(store, "TagResource", byArn(input.resourceArn), tagContext(input.tags))],
      run(input) {
        const repository = contents.repository(byArn(input.resourceArn));
        save({ ...repository, tags: { ...repository.tags, ...Object.fromEntries((input.tags ?? []).map(({ Key = "", Value = "" }) => [Key, Value])) } });
        return {};
      },
    }),
    UntagResource: operation<UntagResourceRequest, object>({
      access: onArn("UntagResource"),
      run(input) {
        const repository = contents.repository(byArn(input.resourceArn));
        save({ ...repository, tags: Object.fromEntries(Object.entries(repository.tags).filter(([key]) => !input.tagKeys?.includes(key))) });
        return {};
      },
    }),
  };
}

function mutabilityOf({ imageTagMutability = "MUTABLE", imageTagMutabilityExclusionFilters: filters = [] }: Pick<CreateRepositoryRequest, "imageTagMutability" | "imageTagMutabilityExclusionFilters">): Pick<Repository, "mutability" | "exclusions"> {
  const excluding = imageTagMutability.endsWith("_WITH_EXCLUSION");
  if (excluding !== filters.length > 0) throw invalidParameter(`at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: '${imageTagMutability} ${excluding ? "needs filters" : "takes no filters"}'`);
  return { mutability: imageTagMutability, ...(excluding && { exclusions: filters.map(({ filter = "" }) => filter) }) };
}

function checkedPolicy(text = ""): string {
  const problem = validatePolicyDocument(text, "resource");
  if (problem !== undefined) throw invalidParameter(`at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided' (${problem})`);
  return JSON.stringify(JSON.parse(text));
}

const encode = (name: string): string => Buffer.from(name).toString("base64url");
const decode = (token: string): string => Buffer.from(token, "base64url").toString("utf8");

/** Answers carry the canonical address, so that the same text serves both worlds. */
const describe = (repository: Repository): SdkRepository => ({
  repositoryArn: repositoryArn(repository), registryId: repository.account, repositoryName: repository.name, repositoryUri: `${repositoryHost(repository)}/${repository.name}`, createdAt: new Date(repository.createdAt),
  imageTagMutability: repository.mutability, ...(repository.exclusions && { imageTagMutabilityExclusionFilters: repository.exclusions.map((filter) => ({ filterType: "WILDCARD" as const, filter })) }), imageScanningConfiguration: { scanOnPush: repository.scanOnPush }, encryptionConfiguration: repository.encryption as never,
});

