import type { Core } from "../gateway/service.ts";

export interface Repository {
  readonly account: string;
  readonly region: string;
  readonly name: string;
  /** UUID; the name of its folder, so that a repository made again is another one. */
  readonly id: string;
  readonly description?: string;
  readonly defaultBranch?: string;
  readonly created: string;
  readonly modified: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface PullRequest {
  readonly id: string;
  readonly account: string;
  readonly region: string;
  readonly repository: string;
  readonly title: string;
  readonly description?: string;
  readonly author: string;
  readonly status: "OPEN" | "CLOSED";
  readonly created: string;
  readonly active: string;
  readonly sourceReference: string;
  readonly destinationReference: string;
  readonly sourceCommit: string;
  readonly destinationCommit: string;
  readonly mergeBase?: string;
  readonly merged?: { readonly by: string; readonly commitId: string; readonly option: string };
  readonly token?: string;
  readonly revision: number;
}

export interface Comment {
  readonly id: string;
  readonly pullRequestId?: string;
  readonly repository: string;
  readonly beforeCommitId?: string;
  readonly afterCommitId: string;
  readonly location?: { readonly filePath?: string; readonly filePosition?: number; readonly relativeFileVersion?: string };
  readonly content: string;
  readonly inReplyTo?: string;
  readonly author: string;
  readonly created: string;
  readonly token?: string;
}

/** Where CodeCommit remembers what git does not. */
export function createStore({ database }: Core) {
  return {
    /** Key account, region, name. */
    repositories: database.collection<Repository>("codecommit.repository"),
    /** Key account, region, id (digits, padded). */
    pullRequests: database.collection<PullRequest>("codecommit.pull-request", {
      repository: (pr) => `${pr.account}/${pr.region}/${pr.repository}`,
    }),
    /** Key account, region, time and id. */
    comments: database.collection<Comment>("codecommit.comment"),
    /** References as of the last event, for what a kill between push and event left untold. Key account, region, repository id. */
    refs: database.collection<Readonly<Record<string, string>>>("codecommit.refs"),
    transaction: <R>(work: () => R): R => database.transaction(work),
  };
}

export type Store = ReturnType<typeof createStore>;

export const repositoryArn = ({ account, region }: { readonly account: string; readonly region: string }, name: string): string =>
  `arn:aws:codecommit:${region}:${account}:${name}`;
