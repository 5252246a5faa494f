import type {
  Comment as SdkComment,
  CreatePullRequestInput,
  CreatePullRequestOutput,
  GetCommentsForPullRequestInput,
  GetCommentsForPullRequestOutput,
  GetPullRequestInput,
  GetPullRequestOutput,
  ListPullRequestsInput,
  ListPullRequestsOutput,
  MergePullRequestByFastForwardInput,
  MergePullRequestBySquashInput,
  MergePullRequestByThreeWayInput,
  PostCommentForPullRequestInput,
  PostCommentForPullRequestOutput,
  PullRequest as SdkPullRequest,
  PullRequestTarget,
  UpdatePullRequestStatusInput,
  UpdatePullRequestStatusOutput,
} from "@aws-sdk/client-codecommit";
import { principalArn } from "../authorization/principal.ts";
import { type Call, operation } from "../gateway/service.ts";
import { manualMergeRequired, pullRequestClosed, pullRequestNotFound, sameSourceAndDestination, tipChanged } from "./errors.ts";
import { announcePullRequest } from "./events.ts";
import type { Git } from "./git.ts";
import { type CodeCommit, on } from "./repository-access.ts";
import { type Comment, type PullRequest, repositoryArn } from "./store.ts";

type MergeInput = MergePullRequestByFastForwardInput & MergePullRequestBySquashInput & MergePullRequestByThreeWayInput;
type Merge = (git: Git, pr: PullRequest, input: MergeInput, message: string) => Promise<string>;

/** Pull requests: opening, commenting, merging in three ways, closing. */
export function pullRequestOperations(codecommit: CodeCommit) {
  return {
    ...openingOperations(codecommit),
    ...stateOperations(codecommit),
    ...mergeOperations(codecommit),
    ...commentOperations(codecommit),
  };
}

function openingOperations(codecommit: CodeCommit) {
  const { core, store, open } = codecommit;
  return {
    CreatePullRequest: operation<CreatePullRequestInput, CreatePullRequestOutput>({
      access: (input, call) => (input.targets ?? []).flatMap((target) => on("CreatePullRequest")(target, call)),
      async run(input, call) {
        const [target] = input.targets ?? [];
        const { git, repository } = open(call, target?.repositoryName);
        const known = store.pullRequests
          .find("repository", `${call.account}/${call.region}/${repository.name}`)
          .find(({ value }) => input.clientRequestToken !== undefined && value.token === input.clientRequestToken);
        if (known) return { pullRequest: describe(known.value) };
        const full = (name: string | undefined) =>
          name?.startsWith("refs/") ? name : `refs/heads/${name ?? repository.defaultBranch ?? "main"}`;
        const [sourceReference, destinationReference] = [full(target?.sourceReference), full(target?.destinationReference)];
        if (sourceReference === destinationReference) throw sameSourceAndDestination();
        const [sourceCommit, destinationCommit] = [
          await codecommit.commit(git, sourceReference),
          await codecommit.commit(git, destinationReference),
        ];
        const mergeBase = await git.ask(["merge-base", sourceCommit, destinationCommit]);
        const by = principalArn(call.caller);
        const pr: PullRequest = {
          account: call.account,
          region: call.region,
          repository: repository.name,
          author: by,
          sourceReference,
          destinationReference,
          sourceCommit,
          destinationCommit,
          ...(mergeBase && { mergeBase }),
          ...opened(input, { number: store.pullRequests.count([call.account, call.region]) + 1, now: core.clock.now() }),
        };
        store.transaction(() => {
          store.pullRequests.put(keyOf(call, pr.id), pr);
          announcePullRequest(codecommit, pr, { event: "pullRequestCreated", by });
        });
        return { pullRequest: describe(pr) };
      },
    }),
  };
}

/** What a pull request is when it is new, of whatever branches. */
function opened(
  { title = "", description, clientRequestToken }: CreatePullRequestInput,
  { number, now }: { readonly number: number; readonly now: Date },
) {
  const at = now.toISOString();
  return {
    id: String(number),
    title,
    status: "OPEN",
    created: at,
    active: at,
    revision: 1,
    ...(description && { description }),
    ...(clientRequestToken && { token: clientRequestToken }),
  } as const;
}

function stateOperations(codecommit: CodeCommit) {
  const { core, store, open } = codecommit;
  const { find, onPullRequest } = finders(codecommit);
  return {
    GetPullRequest: operation<GetPullRequestInput, GetPullRequestOutput>({
      access: onPullRequest("GetPullRequest"),
      run: (input, call) => ({ pullRequest: describe(find(call, input.pullRequestId)) }),
    }),
    ListPullRequests: operation<ListPullRequestsInput, ListPullRequestsOutput>({
      access: on("ListPullRequests"),
      run(input, call) {
        const all = store.pullRequests
          .find("repository", `${call.account}/${call.region}/${open(call, input.repositoryName).repository.name}`)
          .map((entry) => entry.value);
        return {
          pullRequestIds: all
            .filter(
              (pr) =>
                (!input.pullRequestStatus || pr.status === input.pullRequestStatus) && (!input.authorArn || pr.author === input.authorArn),
            )
            .map((pr) => pr.id)
            .reverse(),
        };
      },
    }),
    UpdatePullRequestStatus: operation<UpdatePullRequestStatusInput, UpdatePullRequestStatusOutput>({
      access: onPullRequest("UpdatePullRequestStatus"),
      run(input, call) {
        const pr = find(call, input.pullRequestId);
        if (pr.status === "CLOSED") throw pullRequestClosed(pr.id);
        const closed: PullRequest = { ...pr, status: input.pullRequestStatus ?? "CLOSED", active: core.clock.now().toISOString() };
        store.transaction(() => {
          store.pullRequests.put(keyOf(call, pr.id), closed);
          announcePullRequest(codecommit, closed, { event: "pullRequestStatusChanged", by: principalArn(call.caller) });
        });
        return { pullRequest: describe(closed) };
      },
    }),
  };
}

function mergeOperations(codecommit: CodeCommit) {
  const merging = mergingIn(codecommit);
  return {
    MergePullRequestByFastForward: merging("MergePullRequestByFastForward", "FAST_FORWARD_MERGE", async (git, pr) => {
      if ((await git.ask(["merge-base", pr.sourceCommit, pr.destinationCommit])) !== pr.destinationCommit) throw manualMergeRequired();
      return pr.sourceCommit;
    }),
    MergePullRequestBySquash: merging("MergePullRequestBySquash", "SQUASH_MERGE", async (git, pr, input, message) =>
      commitTree(git, { tree: await mergedTree(git, pr), parents: [pr.destinationCommit], message, input }),
    ),
    MergePullRequestByThreeWay: merging("MergePullRequestByThreeWay", "THREE_WAY_MERGE", async (git, pr, input, message) =>
      commitTree(git, { tree: await mergedTree(git, pr), parents: [pr.destinationCommit, pr.sourceCommit], message, input }),
    ),
  };
}

function commentOperations(codecommit: CodeCommit) {
  const { core, store } = codecommit;
  const { find, onPullRequest } = finders(codecommit);
  return {
    PostCommentForPullRequest: operation<PostCommentForPullRequestInput, PostCommentForPullRequestOutput>({
      access: onPullRequest("PostCommentForPullRequest"),
      run(input, call) {
        const pr = find(call, input.pullRequestId);
        const known = commentsOf(codecommit, call, pr.id).find(
          (comment) => input.clientRequestToken !== undefined && comment.token === input.clientRequestToken,
        );
        const comment: Comment = known ?? {
          id: core.random.uuid(),
          pullRequestId: pr.id,
          repository: pr.repository,
          afterCommitId: input.afterCommitId ?? pr.sourceCommit,
          beforeCommitId: input.beforeCommitId ?? pr.destinationCommit,
          content: input.content ?? "",
          author: principalArn(call.caller),
          created: core.clock.now().toISOString(),
          ...(input.location && { location: input.location as NonNullable<Comment["location"]> }),
          ...(input.clientRequestToken && { token: input.clientRequestToken }),
        };
        if (!known) store.comments.put([call.account, call.region, `${comment.created} ${comment.id}`], comment);
        return {
          repositoryName: pr.repository,
          pullRequestId: pr.id,
          beforeCommitId: comment.beforeCommitId,
          afterCommitId: comment.afterCommitId,
          comment: describeComment(comment),
          ...(comment.location && { location: comment.location as never }),
        };
      },
    }),
    GetCommentsForPullRequest: operation<GetCommentsForPullRequestInput, GetCommentsForPullRequestOutput>({
      access: onPullRequest("GetCommentsForPullRequest"),
      run(input, call) {
        const pr = find(call, input.pullRequestId);
        return {
          commentsForPullRequestData: commentsOf(codecommit, call, pr.id).map((comment) => ({
            pullRequestId: pr.id,
            repositoryName: pr.repository,
            beforeCommitId: comment.beforeCommitId,
            afterCommitId: comment.afterCommitId,
            comments: [describeComment(comment)],
          })),
        };
      },
    }),
  };
}

const keyOf = (call: Call, id: string | undefined) => [call.account, call.region, (id ?? "").padStart(9, "0")];

function finders({ store }: CodeCommit) {
  return {
    find(call: Call, id: string | undefined): PullRequest {
      const found = store.pullRequests.get(keyOf(call, id));
      if (!found) throw pullRequestNotFound(id ?? "");
      return found;
    },
    onPullRequest: (action: string) => (input: { readonly pullRequestId?: string | undefined }, call: Call) => {
      const found = store.pullRequests.get(keyOf(call, input.pullRequestId));
      return found ? [{ action: `codecommit:${action}`, resource: repositoryArn(call, found.repository) }] : [];
    },
  };
}

const commentsOf = ({ store }: CodeCommit, call: Call, pullRequestId: string): readonly Comment[] =>
  store.comments
    .list([call.account, call.region])
    .map((entry) => entry.value)
    .filter((comment) => comment.pullRequestId === pullRequestId);

function mergingIn(codecommit: CodeCommit) {
  const { core, store, open } = codecommit;
  const { find, onPullRequest } = finders(codecommit);
  return (action: string, option: string, merge: Merge) =>
    operation<MergeInput, { pullRequest: SdkPullRequest }>({
      access: (input, call) =>
        onPullRequest(action)(input, call).map((access) => ({
          ...access,
          context: { "codecommit:References": [find(call, input.pullRequestId).destinationReference] },
        })),
      async run(input, call) {
        const pr = find(call, input.pullRequestId);
        if (pr.status === "CLOSED") throw pullRequestClosed(pr.id);
        const { git, repository } = open(call, pr.repository);
        const source = await codecommit.commit(git, pr.sourceReference);
        if (input.sourceCommitId && input.sourceCommitId !== source) throw tipChanged();
        const before = await codecommit.commit(git, pr.destinationReference);
        const current = { ...pr, sourceCommit: source, destinationCommit: before };
        const commitId = await merge(git, current, input, input.commitMessage ?? `${pr.title}\n\nMerges pull request ${pr.id}`);
        await git.run(["update-ref", pr.destinationReference, commitId, before]);
        const by = principalArn(call.caller);
        const merged: PullRequest = {
          ...current,
          status: "CLOSED",
          active: core.clock.now().toISOString(),
          merged: { by, commitId, option },
          revision: pr.revision + 1,
        };
        store.transaction(() => {
          store.pullRequests.put(keyOf(call, pr.id), merged);
          announcePullRequest(codecommit, merged, { event: "pullRequestMergeStatusUpdated", by });
        });
        await codecommit.refsMoved(repository, by);
        return { pullRequest: describe(merged) };
      },
    });
}

/** The tree of both branches together. @throws AwsError ManualMergeRequiredException on a conflict */
async function mergedTree(git: Git, pr: PullRequest): Promise<string> {
  const tree = await git.ask(["merge-tree", "--write-tree", pr.destinationCommit, pr.sourceCommit]);
  if (!tree) throw manualMergeRequired();
  return tree.split("\n")[0] ?? "";
}

async function commitTree(
  git: Git,
  {
    tree,
    parents,
    message,
    input,
  }: { readonly tree: string; readonly parents: readonly string[]; readonly message: string; readonly input: MergeInput },
): Promise<string> {
  const identity = [
    ...(input.authorName ? ["-c", `user.name=${input.authorName}`] : []),
    ...(input.email ? ["-c", `user.email=${input.email}`] : []),
  ];
  return (await git.run([...identity, "commit-tree", tree, ...parents.flatMap((parent) => ["-p", parent]), "-F", "-"], message))
    .toString("utf8")
    .trim();
}

function describe(pr: PullRequest): SdkPullRequest {
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

const describeComment = ({ id, content, author, created, inReplyTo, token }: Comment): SdkComment => ({
  commentId: id,
  content,
  authorArn: author,
  creationDate: new Date(created),
  lastModifiedDate: new Date(created),
  deleted: false,
  ...(inReplyTo && { inReplyTo }),
  ...(token && { clientRequestToken: token }),
});
