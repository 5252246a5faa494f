import type { CreatePullRequestInput, CreatePullRequestOutput, Target } from "@aws-sdk/client-codecommit";
import { principalArn } from "../../authorization/principal.ts";
import { operation } from "../../gateway/service.ts";
import { sameSourceAndDestination } from "../errors.ts";
import type { Git } from "../git.ts";
import { type CodeCommit, on } from "../repository-access.ts";
import type { PullRequest, Repository } from "../store.ts";
import { describePullRequest, pullRequestsOf, savePullRequest } from "./pull-request.ts";

/** CreatePullRequest; asked again with the same token, it answers with the pull request of the first time. */
export function createPullRequest(codecommit: CodeCommit) {
  const { core, store, open } = codecommit;
  return operation<CreatePullRequestInput, CreatePullRequestOutput>({
    access: (input, call) => (input.targets ?? []).flatMap((target) => on("CreatePullRequest")(target, call)),
    async run(input, call) {
      const [target] = input.targets ?? [];
      const { git, repository } = open(call, target?.repositoryName);
      const { account, region } = call;
      const known = pullRequestsOf(codecommit, call, repository.name).find(
        ({ token }) => input.clientRequestToken !== undefined && token === input.clientRequestToken,
      );
      if (known) return { pullRequest: describePullRequest(known) };
      const by = principalArn(call.caller);
      const branches = await branchesOf(codecommit, git, { repository, target });
      const pr: PullRequest = {
        account,
        region,
        repository: repository.name,
        author: by,
        ...branches,
        ...opened(input, { number: store.pullRequests.count([account, region]) + 1, now: core.clock.now() }),
      };
      savePullRequest(codecommit, pr, { event: "pullRequestCreated", by });
      return { pullRequest: describePullRequest(pr) };
    },
  });
}

/** What is to go where, and where the two parted. @throws AwsError SourceAndDestinationAreSameException, CommitDoesNotExistException */
async function branchesOf(
  codecommit: CodeCommit,
  git: Git,
  { repository, target }: { readonly repository: Repository; readonly target: Target | undefined },
) {
  const full = (name = repository.defaultBranch ?? "main") => (name.startsWith("refs/") ? name : `refs/heads/${name}`);
  const sourceReference = full(target?.sourceReference);
  const destinationReference = full(target?.destinationReference);
  if (sourceReference === destinationReference) throw sameSourceAndDestination();
  const sourceCommit = await codecommit.commit(git, sourceReference);
  const destinationCommit = await codecommit.commit(git, destinationReference);
  const mergeBase = await git.ask(["merge-base", sourceCommit, destinationCommit]);
  return { sourceReference, destinationReference, sourceCommit, destinationCommit, ...(mergeBase && { mergeBase }) };
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
