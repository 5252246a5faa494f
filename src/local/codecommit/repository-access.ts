import type { Call, Core } from "../gateway/service.ts";
import { commitNotFound, repositoryNotFound } from "./errors.ts";
import { type Git, gitAt, readRefs, repositoryFolder, resolveCommit } from "./git.ts";
import { announceRefs } from "./events.ts";
import { type Repository, repositoryArn, type Store } from "./store.ts";

/** What the operations share. */
export interface CodeCommit {
  readonly core: Core;
  readonly store: Store;
  /** @throws AwsError RepositoryDoesNotExistException */
  open(
    call: { readonly account: string; readonly region: string },
    name: string | undefined,
  ): { readonly repository: Repository; readonly git: Git };
  /** @throws AwsError CommitDoesNotExistException */
  commit(git: Git, specifier: string | undefined): Promise<string>;
  /** After anything that may have moved references: tells EventBridge, moves pull requests, sets a first default branch. */
  refsMoved(repository: Repository, by: string): Promise<void>;
}

export function createCodeCommit(core: Core, store: Store): CodeCommit {
  const open: CodeCommit["open"] = (call, name) => {
    const repository = store.repositories.get([call.account, call.region, name ?? ""]);
    if (!repository) throw repositoryNotFound(name ?? "");
    return { repository, git: gitAt(core, repositoryFolder(core, call, repository.id)) };
  };
  const codecommit: CodeCommit = {
    core,
    store,
    open,
    async commit(git, specifier) {
      const id = await resolveCommit(git, specifier ?? "");
      if (!id) throw commitNotFound(specifier ?? "");
      return id;
    },
    async refsMoved(repository, by) {
      const { git } = open(repository, repository.name);
      const now = Object.fromEntries(await readRefs(git));
      announceRefs(codecommit, repository, { now, by });
      const stored = store.repositories.get([repository.account, repository.region, repository.name]);
      const branches = Object.keys(now)
        .filter((name) => name.startsWith("refs/heads/"))
        .map((name) => name.slice("refs/heads/".length));
      // The first branch that is pushed becomes the default one.
      const defaultBranch = branches.includes("main") ? "main" : branches[0];
      if (!stored || stored.defaultBranch || !defaultBranch) return;
      store.repositories.put([stored.account, stored.region, stored.name], { ...stored, defaultBranch });
      await git.run(["symbolic-ref", "HEAD", `refs/heads/${defaultBranch}`]);
    },
  };
  return codecommit;
}

/** The commit that a request names: by branch, tag or id, or the tip of the default branch. @throws AwsError CommitDoesNotExistException */
export async function commitOf(
  codecommit: CodeCommit,
  call: Call,
  { repositoryName, commitSpecifier }: { readonly repositoryName: string | undefined; readonly commitSpecifier?: string | undefined },
): Promise<{ readonly git: Git; readonly commitId: string }> {
  const { git, repository } = codecommit.open(call, repositoryName);
  return { git, commitId: await codecommit.commit(git, commitSpecifier ?? repository.defaultBranch ?? "main") };
}

/** What IAM must allow on a repository. */
export const on = (action: string) => (input: { readonly repositoryName?: string | undefined }, call: Call) => [
  { action: `codecommit:${action}`, resource: repositoryArn(call, input.repositoryName ?? "") },
];

/** On a repository and a branch: `codecommit:References` may limit who writes to it. */
export const onBranch =
  (action: string, branch: (input: never) => string | undefined) =>
  (input: { readonly repositoryName?: string | undefined }, call: Call) => {
    const name = branch(input as never);
    return [
      {
        action: `codecommit:${action}`,
        resource: repositoryArn(call, input.repositoryName ?? ""),
        ...(name && { context: { "codecommit:References": [`refs/heads/${name}`] } }),
      },
    ];
  };
