import type { CreateRepositoryRequest } from "@aws-sdk/client-ecr";
import { invalidParameter } from "../errors.ts";
import type { Repository } from "../store.ts";

/** Which tags may move. @throws AwsError InvalidParameterException for filters without a kind that takes some */
export function mutabilityOf({
  imageTagMutability = "MUTABLE",
  imageTagMutabilityExclusionFilters: filters = [],
}: Pick<CreateRepositoryRequest, "imageTagMutability" | "imageTagMutabilityExclusionFilters">): Pick<
  Repository,
  "mutability" | "exclusions"
> {
  const excluding = imageTagMutability.endsWith("_WITH_EXCLUSION");
  if (excluding !== filters.length > 0)
    throw invalidParameter(
      `at 'imageTagMutabilityExclusionFilters' failed to satisfy constraint: '${imageTagMutability} ${excluding ? "needs filters" : "takes no filters"}'`,
    );
  return { mutability: imageTagMutability, ...(excluding && { exclusions: filters.map(({ filter = "" }) => filter) }) };
}
