import type {
  CreateRepositoryRequest,
  CreateRepositoryResponse,
  DeleteRepositoryRequest,
  DeleteRepositoryResponse,
  DescribeRepositoriesRequest,
  DescribeRepositoriesResponse,
  Repository as SdkRepository,
  Tag,
} from "@aws-sdk/client-ecr";
import { operation } from "../../gateway/service.ts";
import { accessTo, on, placeOf, tagContext } from "../access.ts";
import type { Contents } from "../contents.ts";
import { invalidParameter, invalidTags, repositoryExists, repositoryNotEmpty, tooManyTags } from "../errors.ts";
import { emitCreateRepository } from "../events.ts";
import { REPOSITORY_NAME } from "../input-rules.ts";
import { encryptionOf } from "./repository-keys.ts";
import { keyOf, type Place, type Repository, repositoryArn, repositoryHost, type Store } from "../store.ts";
import { mutabilityOf } from "./tag-mutability.ts";

/** Repositories come, are found and go. */
export function repositoryOperations(contents: Contents) {
  return {
    CreateRepository: createRepository(contents),
    DescribeRepositories: describeRepositories(contents),
    DeleteRepository: deleteRepository(contents),
  };
}

const createRepository = ({ core, store }: Contents) =>
  operation<CreateRepositoryRequest, CreateRepositoryResponse>({
    access: (input, call) => [
      accessTo(store, "CreateRepository", placeOf(input, call), tagContext(input.tags)),
      ...(input.tags?.length ? [accessTo(store, "TagResource", placeOf(input, call), tagContext(input.tags))] : []),
    ],
    async run(input, call) {
      const place = placeOf(input, call);
      const settings = {
        tags: checkedTags(input.tags),
        ...mutabilityOf(input),
        scanOnPush: input.imageScanningConfiguration?.scanOnPush ?? false,
      };
      if (store.repositories.get(keyOf(place))) throw repositoryExists(place.name, place.account);
      const encryption = await encryptionOf(core, input.encryptionConfiguration, { place, as: call.caller, context: call.context });
      const repository: Repository = { ...place, createdAt: core.clock.now().toISOString(), ...settings, encryption };
      store.transaction(() => {
        if (!store.repositories.insert(keyOf(place), repository)) throw repositoryExists(place.name, place.account);
        emitCreateRepository(core, repository, call.caller);
      });
      return { repository: describe(repository) };
    },
  });

/** Tags as a document keeps them. */
export const asRecord = (tags: readonly Tag[] = []): Record<string, string> =>
  Object.fromEntries(tags.map(({ Key = "", Value = "" }) => [Key, Value]));

/** Tags together with those before them. @throws AwsError InvalidTagParameterException, TooManyTagsException (API_TagResource.html) */
export function checkedTags(tags: readonly Tag[] = [], before: Readonly<Record<string, string>> = {}): Record<string, string> {
  for (const { Key = "", Value = "" } of tags)
    if (Key.length < 1 || Key.length > 128 || Value.length > 256)
      throw invalidTags(
        "Tag keys can have a maximum character length of 128 characters, and tag values can have a maximum length of 256 characters",
      );
  if (tags.some(({ Key = "" }) => /^aws:/i.test(Key))) throw invalidTags("Tag keys that begin with aws: are reserved for AWS");
  if (new Set(tags.map(({ Key }) => Key)).size < tags.length) throw invalidTags("Tag keys must be different from each other");
  const together = { ...before, ...asRecord(tags) };
  if (Object.keys(together).length > 50) throw tooManyTags();
  return together;
}

export const isName = (name: string): boolean =>
  name.length >= 2 && name.length <= 256 && new RegExp(`^(?:${REPOSITORY_NAME.source})$`).test(name);

/** Of a name that came without the API's own check. @throws AwsError InvalidParameterException */
export function checkName(name: string): void {
  if (!isName(name))
    throw invalidParameter(
      `at 'repositoryName' failed to satisfy constraint: 'must satisfy regular expression '${REPOSITORY_NAME.source}''`,
    );
}

const describeRepositories = (contents: Contents) =>
  operation<DescribeRepositoriesRequest, DescribeRepositoriesResponse>({
    access: (input, call) =>
      (input.repositoryNames ?? ["*"]).map((name) =>
        accessTo(contents.store, "DescribeRepositories", placeOf({ ...input, repositoryName: name }, call)),
      ),
    run(input, call) {
      const account = input.registryId ?? call.account;
      if (input.repositoryNames)
        return { repositories: input.repositoryNames.map((name) => describe(contents.repository({ account, region: call.region, name }))) };
      const limit = input.maxResults ?? 100;
      const found = contents.store.repositories.list([account, call.region], {
        limit: limit + 1,
        ...(input.nextToken && { after: [account, call.region, decode(input.nextToken)] }),
      });
      const page = found.slice(0, limit).map((entry) => entry.value);
      return { repositories: page.map(describe), ...(found.length > limit && { nextToken: encode(page.at(-1)?.name ?? "") }) };
    },
  });

const encode = (name: string): string => Buffer.from(name).toString("base64url");

/** @throws AwsError InvalidParameterException for a token we never gave */
function decode(token: string): string {
  const name = Buffer.from(token, "base64url").toString("utf8");
  if (encode(name) !== token || !isName(name))
    throw invalidParameter("at 'nextToken' failed to satisfy constraint: 'it is not a token of an earlier answer'");
  return name;
}

const deleteRepository = (contents: Contents) =>
  operation<DeleteRepositoryRequest, DeleteRepositoryResponse>({
    access: on(contents.store, "DeleteRepository"),
    run(input, call) {
      const { store, uploads } = contents;
      const place = placeOf(input, call);
      const repository = contents.repository(place);
      if (!input.force && store.images.list(keyOf(place), { limit: 1 }).length > 0) throw repositoryNotEmpty(place.name, place.account);
      for (const { value } of store.uploads.list([])) if (keyOf(value).join() === keyOf(place).join()) uploads.cancel(value);
      store.transaction(() => dropRepository(store, place));
      return { repository: describe(repository) };
    },
  });

function dropRepository(store: Store, place: Place): void {
  const { images, imageTags, tagsOfImage, usesOf, referrersOf, layers, unusedLayers, imports, upstreamLayers } = store;
  for (const collection of [images, imageTags, tagsOfImage, usesOf, referrersOf, layers, unusedLayers, imports, upstreamLayers])
    for (const { key } of collection.list(keyOf(place))) collection.delete(key);
  store.repositories.delete(keyOf(place));
}

/** Answers carry the canonical address, so that the same text serves both worlds. */
const describe = (repository: Repository): SdkRepository => ({
  repositoryArn: repositoryArn(repository),
  registryId: repository.account,
  repositoryName: repository.name,
  repositoryUri: `${repositoryHost(repository)}/${repository.name}`,
  createdAt: new Date(repository.createdAt),
  imageTagMutability: repository.mutability,
  ...(repository.exclusions && {
    imageTagMutabilityExclusionFilters: repository.exclusions.map((filter) => ({ filterType: "WILDCARD" as const, filter })),
  }),
  imageScanningConfiguration: { scanOnPush: repository.scanOnPush },
  encryptionConfiguration: repository.encryption as never,
});
