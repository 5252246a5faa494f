import { AwsError } from "../gateway/aws-error.ts";

export const noSuchTopic = (): AwsError => new AwsError(404, "NotFound", "Topic does not exist");
export const noSuchSubscription = (): AwsError => new AwsError(404, "NotFound", "Subscription does not exist");
export const noSuchResource = (): AwsError => new AwsError(404, "ResourceNotFound", "Resource does not exist");
export const invalidParameter = (message: string): AwsError => new AwsError(400, "InvalidParameter", `Invalid parameter: ${message}`);
export const tagsDiffer = (): AwsError => invalidParameter("Tags Reason: Topic already exists with different tags");
export const attributesDiffer = (): AwsError => invalidParameter("Attributes Reason: Topic already exists with different attributes");
export const emptyBatch = (): AwsError => new AwsError(400, "EmptyBatchRequest", "The batch request doesn't contain any entries.");
export const tooManyEntries = (): AwsError =>
  new AwsError(400, "TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.");
export const idsNotDistinct = (): AwsError =>
  new AwsError(400, "BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.");
