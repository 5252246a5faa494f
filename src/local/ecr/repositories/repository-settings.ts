import type {
  ListTagsForResourceRequest,
  ListTagsForResourceResponse,
  PutImageScanningConfigurationRequest,
  PutImageTagMutabilityRequest,
  TagResourceRequest,
  UntagResourceRequest,
} from "@aws-sdk/client-ecr";
import { operation } from "../../gateway/service.ts";
import { accessTo, on, placeOf, tagContext } from "../access.ts";
import type { Contents } from "../contents.ts";
import { invalidParameter } from "../errors.ts";
import { checkedTags } from "./repositories.ts";
import { mutabilityOf } from "./tag-mutability.ts";
import { keyOf, type Place, type Repository } from "../store.ts";

/** What may be changed on a repository that is there. */
export function repositorySettingOperations(contents: Contents) {
  const { store } = contents;
  const save = (repository: Repository) => store.repositories.put(keyOf(repository), repository);
  return {
    PutImageTagMutability: operation<PutImageTagMutabilityRequest, object>({
      access: on(store, "PutImageTagMutability"),
      run(input, call) {
        const repository = contents.repository(placeOf(input, call));
        const { exclusions: _before, ...kept } = repository;
        save({ ...kept, ...mutabilityOf(input) });
        return {
          registryId: repository.account,
          repositoryName: repository.name,
          imageTagMutability: input.imageTagMutability,
          imageTagMutabilityExclusionFilters: input.imageTagMutabilityExclusionFilters,
        };
      },
    }),
    PutImageScanningConfiguration: operation<PutImageScanningConfigurationRequest, object>({
      access: on(store, "PutImageScanningConfiguration"),
      run(input, call) {
        const repository = contents.repository(placeOf(input, call));
        save({ ...repository, scanOnPush: input.imageScanningConfiguration?.scanOnPush ?? false });
        return {
          registryId: repository.account,
          repositoryName: repository.name,
          imageScanningConfiguration: input.imageScanningConfiguration,
        };
      },
    }),
  };
}

/** Tags of repositories. */
export function repositoryTagOperations(contents: Contents) {
  const { store } = contents;
  const save = (repository: Repository) => store.repositories.put(keyOf(repository), repository);
  const onArn = (action: string) => (input: { readonly resourceArn?: string | undefined }) => [
    accessTo(store, action, byArn(input.resourceArn)),
  ];
  return {
    ListTagsForResource: operation<ListTagsForResourceRequest, ListTagsForResourceResponse>({
      access: onArn("ListTagsForResource"),
      run: (input) => ({
        tags: Object.entries(contents.repository(byArn(input.resourceArn)).tags).map(([Key, Value]) => ({ Key, Value })),
      }),
    }),
    TagResource: operation<TagResourceRequest, object>({
      access: (input) => [accessTo(store, "TagResource", byArn(input.resourceArn), tagContext(input.tags))],
      run(input) {
        const repository = contents.repository(byArn(input.resourceArn));
        save({ ...repository, tags: checkedTags(input.tags, repository.tags) });
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

function byArn(arn: string | undefined): Place {
  const [, region = "", account = "", name = ""] = /^arn:aws[a-z-]*:ecr:([a-z0-9-]+):(\d{12}):repository\/(.+)$/.exec(arn ?? "") ?? [];
  if (!name) throw invalidParameter(`at 'resourceArn' failed to satisfy constraint: '${arn} is not the ARN of a repository'`);
  return { account, region, name };
}
