import type {
  MergePullRequestByFastForwardInput,
  MergePullRequestBySquashInput,
  MergePullRequestByThreeWayInput,
  PullRequest as SdkPullRequest,
} from "@aws-sdk/client-codecommit";
import { principalArn } from "../../authorization/principal.ts";
import { operation } from "../../gateway/service.ts";
import { manualMergeRequired, pullRequestClosed, tipChanged } from "../errors.ts";
import type { Git } from "../git.ts";
import type { CodeCommit } from "../repository-access.ts";
import type { PullRequest } from "../store.ts";
import { describePullRequest, findPullRequest, onPullRequest, savePullRequest } from "./pull-request.ts";

type MergeInput = MergePullRequestByFastForwardInput & MergePullRequestBySquashInput & MergePullRequestByThreeWayInput;
/** Makes the commit that the destination moves to, and returns its id. @throws AwsError ManualMergeRequiredException */
type Merge = (git: Git, pr: PullRequest, input: MergeInput, message: string) => Promise<string>;

/** The three ways to merge: the source's own commit, one new commit, or a commit of both branches. */
export function mergeOperations(codecommit: CodeCommit) {
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

/** One way to merge: the operation `action`, which leaves `option` with what it merged. */
const mergingIn = (codecommit: CodeCommit) => (action: string, option: string, merge: Merge) =>
  operation<MergeInput, { pullRequest: SdkPullRequest }>({
    access: (input, call) =>
      onPullRequest(codecommit, action)(input, call).map((access) => ({
        ...access,
        context: { "codecommit:References": [findPullRequest(codecommit, call, input.pullRequestId).destinationReference] },
      })),
    async run(input, call) {
      const pr = findPullRequest(codecommit, call, input.pullRequestId);
      if (pr.status === "CLOSED") throw pullRequestClosed(pr.id);
      const { git, repository } = codecommit.open(call, pr.repository);
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
        active: codecommit.core.clock.now().toISOString(),
        merged: { by, commitId, option },
        revision: pr.revision + 1,
      };
      savePullRequest(codecommit, merged, { event: "pullRequestMergeStatusUpdated", by });
      await codecommit.refsMoved(repository, by);
      return { pullRequest: describePullRequest(merged) };
    },
  });

/** The tree of both branches together. @throws AwsError ManualMergeRequiredException on a conflict */
async function mergedTree(git: Git, pr: PullRequest): Promise<string> {
  const tree = await git.ask(["merge-tree", "--write-tree", pr.destinationCommit, pr.sourceCommit]);
  if (!tree) throw manualMergeRequired();
  return tree.split("\n")[0] ?? "";
}

interface NewCommit {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  readonly input: MergeInput;
}

async function commitTree(git: Git, { tree, parents, message, input }: NewCommit): Promise<string> {
  const identity = [
    ...(input.authorName ? ["-c", `user.name=${input.authorName}`] : []),
    ...(input.email ? ["-c", `user.email=${input.email}`] : []),
  ];
  const parentOptions = parents.flatMap((parent) => ["-p", parent]);
  const id = await git.run([...identity, "commit-tree", tree, ...parentOptions, "-F", "-"], message);
  return id.toString("utf8").trim();
}
