import type {
  GetPullRequestInput,
  GetPullRequestOutput,
  ListPullRequestsInput,
  ListPullRequestsOutput,
  UpdatePullRequestStatusInput,
  UpdatePullRequestStatusOutput,
} from "@aws-sdk/client-codecommit";
import { principalArn } from "../../authorization/principal.ts";
import { operation } from "../../gateway/service.ts";
import { pullRequestClosed } from "../errors.ts";
import { type CodeCommit, on } from "../repository-access.ts";
import type { PullRequest } from "../store.ts";
import { commentOperations } from "./comments.ts";
import { mergeOperations } from "./merging.ts";
import { createPullRequest } from "./opening.ts";
import { describePullRequest, findPullRequest, onPullRequest, pullRequestsOf, savePullRequest } from "./pull-request.ts";

/** Pull requests: opening, finding, commenting, merging in three ways, closing. */
export function pullRequestOperations(codecommit: CodeCommit) {
  return {
    CreatePullRequest: createPullRequest(codecommit),
    GetPullRequest: getPullRequest(codecommit),
    ListPullRequests: listPullRequests(codecommit),
    UpdatePullRequestStatus: updatePullRequestStatus(codecommit),
    ...mergeOperations(codecommit),
    ...commentOperations(codecommit),
  };
}

function getPullRequest(codecommit: CodeCommit) {
  return operation<GetPullRequestInput, GetPullRequestOutput>({
    access: onPullRequest(codecommit, "GetPullRequest"),
    run: (input, call) => ({ pullRequest: describePullRequest(findPullRequest(codecommit, call, input.pullRequestId)) }),
  });
}

function listPullRequests(codecommit: CodeCommit) {
  return operation<ListPullRequestsInput, ListPullRequestsOutput>({
    access: on("ListPullRequests"),
    run({ repositoryName, pullRequestStatus, authorArn }, call) {
      const { repository } = codecommit.open(call, repositoryName);
      const asked = pullRequestsOf(codecommit, call, repository.name).filter(
        ({ status, author }) => (!pullRequestStatus || status === pullRequestStatus) && (!authorArn || author === authorArn),
      );
      return { pullRequestIds: asked.map((pr) => pr.id).reverse() };
    },
  });
}

function updatePullRequestStatus(codecommit: CodeCommit) {
  return operation<UpdatePullRequestStatusInput, UpdatePullRequestStatusOutput>({
    access: onPullRequest(codecommit, "UpdatePullRequestStatus"),
    run(input, call) {
      const pr = findPullRequest(codecommit, call, input.pullRequestId);
      if (pr.status === "CLOSED") throw pullRequestClosed(pr.id);
      const active = codecommit.core.clock.now().toISOString();
      const closed: PullRequest = { ...pr, status: input.pullRequestStatus ?? "CLOSED", active };
      savePullRequest(codecommit, closed, { event: "pullRequestStatusChanged", by: principalArn(call.caller) });
      return { pullRequest: describePullRequest(closed) };
    },
  });
}
