import type {
  Comment as SdkComment,
  GetCommentsForPullRequestInput,
  GetCommentsForPullRequestOutput,
  PostCommentForPullRequestInput,
  PostCommentForPullRequestOutput,
} from "@aws-sdk/client-codecommit";
import { principalArn } from "../../authorization/principal.ts";
import { type Call, operation } from "../../gateway/service.ts";
import type { CodeCommit } from "../repository-access.ts";
import type { Comment, PullRequest } from "../store.ts";
import { findPullRequest, onPullRequest } from "./pull-request.ts";

/** Comments on pull requests: written and read. */
export function commentOperations(codecommit: CodeCommit) {
  return {
    PostCommentForPullRequest: postComment(codecommit),
    GetCommentsForPullRequest: getComments(codecommit),
  };
}

function postComment(codecommit: CodeCommit) {
  return operation<PostCommentForPullRequestInput, PostCommentForPullRequestOutput>({
    access: onPullRequest(codecommit, "PostCommentForPullRequest"),
    run(input, call) {
      const pr = findPullRequest(codecommit, call, input.pullRequestId);
      const known = commentsOn(codecommit, call, pr).find(
        ({ token }) => input.clientRequestToken !== undefined && token === input.clientRequestToken,
      );
      const comment = known ?? writeComment(codecommit, call, { pr, input });
      return {
        repositoryName: pr.repository,
        pullRequestId: pr.id,
        beforeCommitId: comment.beforeCommitId,
        afterCommitId: comment.afterCommitId,
        comment: describeComment(comment),
        ...(comment.location && { location: comment.location as never }),
      };
    },
  });
}

function writeComment(
  { core, store }: CodeCommit,
  call: Call,
  { pr, input }: { readonly pr: PullRequest; readonly input: PostCommentForPullRequestInput },
): Comment {
  const comment: Comment = {
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
  store.comments.put([call.account, call.region, `${comment.created} ${comment.id}`], comment);
  return comment;
}

function getComments(codecommit: CodeCommit) {
  return operation<GetCommentsForPullRequestInput, GetCommentsForPullRequestOutput>({
    access: onPullRequest(codecommit, "GetCommentsForPullRequest"),
    run(input, call) {
      const pr = findPullRequest(codecommit, call, input.pullRequestId);
      return {
        commentsForPullRequestData: commentsOn(codecommit, call, pr).map((comment) => ({
          pullRequestId: pr.id,
          repositoryName: pr.repository,
          beforeCommitId: comment.beforeCommitId,
          afterCommitId: comment.afterCommitId,
          comments: [describeComment(comment)],
        })),
      };
    },
  });
}

function commentsOn({ store }: CodeCommit, call: Call, pr: PullRequest): readonly Comment[] {
  const all = store.comments.list([call.account, call.region]).map((entry) => entry.value);
  return all.filter((comment) => comment.pullRequestId === pr.id);
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
