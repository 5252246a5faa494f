import { principalArn, type Principal } from "../authorization/principal.ts";
import type { Core } from "../gateway/service.ts";
import { type Image, type Place, type Repository, repositoryArn } from "./store.ts";

/** An image was pushed or deleted (AmazonECR/latest/userguide/ecr-eventbridge.html). */
export function emitImageAction(
  core: Core,
  place: Place,
  { action, image, tag }: { readonly action: "PUSH" | "DELETE"; readonly image: Image; readonly tag?: string },
): void {
  core.emit({
    account: place.account,
    region: place.region,
    source: "aws.ecr",
    detailType: "ECR Image Action",
    resources: [],
    detail: {
      "action-type": action,
      result: "SUCCESS",
      "repository-name": place.name,
      "image-digest": image.digest,
      "manifest-media-type": image.mediaType,
      "image-tag": tag ?? "",
    },
  });
}

/** A repository was created, in CloudTrail's shape: by a call of the API, or by ECR itself for a pull-through cache. */
export function emitCreateRepository(core: Core, repository: Repository, by: Principal | "service"): void {
  const tags = Object.entries(repository.tags).map(([key, value]) => ({ key, value }));
  core.emit({
    account: repository.account,
    region: repository.region,
    source: "aws.ecr",
    detailType: by === "service" ? "AWS Service Event via CloudTrail" : "AWS API Call via CloudTrail",
    resources: [],
    detail: {
      eventVersion: "1.08",
      eventSource: "ecr.amazonaws.com",
      eventName: "CreateRepository",
      awsRegion: repository.region,
      eventTime: repository.createdAt,
      recipientAccountId: repository.account,
      eventType: by === "service" ? "AwsServiceEvent" : "AwsApiCall",
      userIdentity:
        by === "service"
          ? { accountId: repository.account, invokedBy: "ecr.amazonaws.com" }
          : { arn: principalArn(by), accountId: repository.account },
      requestParameters: { repositoryName: repository.name, tags },
      responseElements: {
        repository: { repositoryArn: repositoryArn(repository), registryId: repository.account, repositoryName: repository.name },
      },
    },
  });
}

/** What a pull-through cache did. */
export interface CacheAction {
  readonly prefix: string;
  readonly upstreamRegistryUrl: string;
  readonly tag?: string;
  readonly digest?: string;
  readonly failure?: { readonly code: string; readonly message: string };
}

/** An image came from upstream, or did not (AmazonECR/latest/userguide/ecr-eventbridge.html, "Event for a pull through cache action"). */
export function emitCacheAction(core: Core, place: Place, { prefix, upstreamRegistryUrl, tag, digest, failure }: CacheAction): void {
  core.emit({
    account: place.account,
    region: place.region,
    source: "aws.ecr",
    detailType: "ECR Pull Through Cache Action",
    resources: [repositoryArn(place)],
    detail: {
      "rule-version": "1",
      "sync-status": failure ? "FAILED" : "SUCCESS",
      "ecr-repository-prefix": prefix,
      "repository-name": place.name,
      "upstream-registry-url": upstreamRegistryUrl,
      ...(tag !== undefined && { "image-tag": tag }),
      ...(digest !== undefined && { "image-digest": digest }),
      ...(failure && { "failure-code": failure.code, "failure-reason": failure.message }),
    },
  });
}
