import type { CodeCommit } from "./repository-access.ts";
import { type PullRequest, type Repository, repositoryArn } from "./store.ts";

// https://docs.aws.amazon.com/codecommit/latest/userguide/monitoring-events.html

/** Compares references with those last told, and tells what changed; pull requests of a moved branch move with it. */
export function announceRefs(
  codecommit: CodeCommit,
  repository: Repository,
  { now, by }: { readonly now: Readonly<Record<string, string>>; readonly by: string },
): void {
  const { store } = codecommit;
  const key = [repository.account, repository.region, repository.id];
  store.transaction(() => {
    const before = store.refs.get(key) ?? {};
    for (const name of new Set([...Object.keys(before), ...Object.keys(now)]))
      if (before[name] !== now[name]) announceRef(codecommit, repository, { name, before: before[name], after: now[name], by });
    store.refs.put(key, now);
  });
}

interface MovedRef {
  readonly name: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
  readonly by: string;
}

function announceRef(codecommit: CodeCommit, repository: Repository, { name, before, after, by }: MovedRef): void {
  const { core, store } = codecommit;
  const isTag = name.startsWith("refs/tags/");
  const referenceName = name.replace(/^refs\/(heads|tags)\//, "");
  core.emit({
    account: repository.account,
    region: repository.region,
    source: "aws.codecommit",
    detailType: "CodeCommit Repository State Change",
    resources: [repositoryArn(repository, repository.name)],
    detail: {
      event: eventOf(before, after),
      repositoryName: repository.name,
      repositoryId: repository.id,
      referenceType: isTag ? "tag" : "branch",
      referenceName,
      referenceFullName: name,
      callerUserArn: by,
      ...(after && { commitId: after }),
      ...(before && { oldCommitId: before }),
    },
  });
  if (isTag || !after) return;
  for (const { key, value } of store.pullRequests.find("repository", `${repository.account}/${repository.region}/${repository.name}`)) {
    if (value.status !== "OPEN" || value.sourceReference !== name || value.sourceCommit === after) continue;
    const moved: PullRequest = { ...value, sourceCommit: after, active: core.clock.now().toISOString(), revision: value.revision + 1 };
    store.pullRequests.put(key, moved);
    announcePullRequest(codecommit, moved, { event: "pullRequestSourceBranchUpdated", by });
  }
}

function eventOf(before: string | undefined, after: string | undefined): string {
  if (after === undefined) return "referenceDeleted";
  return before === undefined ? "referenceCreated" : "referenceUpdated";
}

/** Tells what happened to a pull request. */
export function announcePullRequest(
  { core }: CodeCommit,
  pr: PullRequest,
  { event, by }: { readonly event: string; readonly by: string },
): void {
  core.emit({
    account: pr.account,
    region: pr.region,
    source: "aws.codecommit",
    detailType: "CodeCommit Pull Request State Change",
    resources: [repositoryArn(pr, pr.repository)],
    detail: {
      event,
      pullRequestId: pr.id,
      title: pr.title,
      ...(pr.description && { description: pr.description }),
      author: pr.author,
      callerUserArn: by,
      creationDate: pr.created,
      lastModifiedDate: pr.active,
      pullRequestStatus: pr.status === "OPEN" ? "Open" : "Closed",
      isMerged: pr.merged ? "True" : "False",
      repositoryNames: [pr.repository],
      revisionId: String(pr.revision),
      sourceReference: pr.sourceReference,
      destinationReference: pr.destinationReference,
      sourceCommit: pr.sourceCommit,
      destinationCommit: pr.destinationCommit,
      ...(pr.merged && { mergeOption: pr.merged.option }),
    },
  });
}
