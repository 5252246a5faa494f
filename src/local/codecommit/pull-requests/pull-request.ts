import type { PullRequest as SdkPullRequest, PullRequestTarget } from "@aws-sdk/client-codecommit";
import type { Call } from "../../gateway/service.ts";
import { pullRequestNotFound } from "../errors.ts";
import { announcePullRequest } from "../events.ts";
import type { CodeCommit } from "../repository-access.ts";
import { type PullRequest, repositoryArn } from "../store.ts";

/** Where a pull request lives. */
interface Place {
  readonly account: string;
  readonly region: string;
}

const keyOf = ({ account, region }: Place, id: string | undefined) => [account, region, (id ?? "").padStart(9, "0")];

/** @throws AwsError PullRequestDoesNotExistException */
export function findPullRequest({ store }: CodeCommit, call: Place, id: string | undefined): PullRequest {
  const found = store.pullRequests.get(keyOf(call, id));
  if (!found) throw pullRequestNotFound(id ?? "");
  return found;
}

/** Those of one repository, the oldest first. */
export const pullRequestsOf = ({ store }: CodeCommit, { account, region }: Place, repository: string): readonly PullRequest[] =>
  store.pullRequests.find("repository", `${account}/${region}/${repository}`).map((entry) => entry.value);

/** Writes what became of a pull request, in one transaction with its event. */
export function savePullRequest(codecommit: CodeCommit, pr: PullRequest, told: { readonly event: string; readonly by: string }): void {
  const { store } = codecommit;
  store.transaction(() => {
    store.pullRequests.put(keyOf(pr, pr.id), pr);
    announcePullRequest(codecommit, pr, told);
  });
}

/** What IAM must allow on the repository of a pull request. One that is not there is for `run` to report. */
export const onPullRequest =
  ({ store }: CodeCommit, action: string) =>
  (input: { readonly pullRequestId?: string | undefined }, call: Call) => {
    const found = store.pullRequests.get(keyOf(call, input.pullRequestId));
    return found ? [{ action: `codecommit:${action}`, resource: repositoryArn(call, found.repository) }] : [];
  };

/** A pull request as the API shows it. */
export function describePullRequest(pr: PullRequest): SdkPullRequest {
  const target: PullRequestTarget = {
    repositoryName: pr.repository,
    sourceReference: pr.sourceReference,
    destinationReference: pr.destinationReference,
    sourceCommit: pr.sourceCommit,
    destinationCommit: pr.destinationCommit,
    ...(pr.mergeBase && { mergeBase: pr.mergeBase }),
    mergeMetadata: pr.merged
      ? { isMerged: true, mergedBy: pr.merged.by, mergeCommitId: pr.merged.commitId, mergeOption: pr.merged.option as never }
      : { isMerged: false },
  };
  return {
    pullRequestId: pr.id,
    title: pr.title,
    ...(pr.description && { description: pr.description }),
    authorArn: pr.author,
    pullRequestStatus: pr.status,
    creationDate: new Date(pr.created),
    lastActivityDate: new Date(pr.active),
    pullRequestTargets: [target],
    revisionId: String(pr.revision),
    approvalRules: [],
  };
}
