import { mkdir, readdir, rm } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { packFiles } from "../../archive.ts";
import { AwsError } from "../../gateway/aws-error.ts";
import { Failure } from "../../gateway/failure.ts";
import type { InternalCall } from "../../gateway/service.ts";
import type { ActionContext, ActionOutcome } from "../action.ts";
import { checkMayConnect, connectedRepository } from "../connections.ts";
import { storeOutput } from "./artifacts.ts";

/** The newest commit of a branch, or the one that started this execution, as a ZIP. */
export async function codeCommitSource(context: ActionContext): Promise<ActionOutcome> {
  const {
    execution: { region, pipeline },
    configuration,
    as,
  } = context;
  const { RepositoryName: repository = "", BranchName: branch = "main" } = configuration;
  const { commitId, message, authorDate, committerDate } = await takeCommit(context, {
    repository,
    branch,
    as,
    context: { "omx:Pipeline": pipeline },
  });
  return {
    variables: {
      CommitId: commitId,
      BranchName: branch,
      RepositoryName: repository,
      CommitMessage: message,
      AuthorDate: authorDate,
      CommitterDate: committerDate,
    },
    ...told(commitId, message, `https://${region}.console.aws.amazon.com/codecommit/home#/repository/${repository}/commit/${commitId}`),
  };
}

/**
 * The same of a repository behind a connection. It reads with a right of its own; the pipeline's role needs the connection.
 * @see https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodestarConnectionSource.html
 */
export async function connectionSource(context: ActionContext): Promise<ActionOutcome> {
  const { core, execution, configuration, as } = context;
  const { ConnectionArn = "", FullRepositoryId = "", BranchName = "main" } = configuration;
  checkMayConnect(core, { as, connectionArn: ConnectionArn, region: execution.region });
  const { commitId, message, authorDate } = await takeCommit(context, {
    repository: connectedRepository(FullRepositoryId),
    branch: BranchName,
    as,
    context: { "omx:Connection": ConnectionArn },
  }).catch((error: Error) =>
    Promise.reject(
      new Failure("ConfigurationError", `${FullRepositoryId} stands for a CodeCommit repository of this account: ${error.message}`),
    ),
  );
  return {
    variables: {
      CommitId: commitId,
      BranchName,
      FullRepositoryName: FullRepositoryId,
      CommitMessage: message,
      AuthorDate: authorDate,
      ConnectionArn,
    },
    ...told(
      commitId,
      message,
      `https://${execution.region}.console.aws.amazon.com/codesuite/settings/connections/redirect?connectionArn=${ConnectionArn}&referenceType=COMMIT&FullRepositoryId=${FullRepositoryId}&Commit=${commitId}`,
    ),
  };
}

interface Commit {
  readonly commitId: string;
  readonly message: string;
  readonly authorDate: string;
  readonly committerDate: string;
}

interface Branch extends Pick<InternalCall, "as" | "context"> {
  readonly repository: string;
  readonly branch: string;
}

/** Checks a commit out and keeps it as the action's artifact. */
async function takeCommit(context: ActionContext, { repository, branch, ...caller }: Branch): Promise<Commit> {
  const { core, execution, configuration, current, declared } = context;
  const { account, region } = execution;
  const wanted = execution.requestedRevisions?.[declared.name ?? ""] ?? commitOf(execution.trigger.triggerDetail);
  const directory = join(core.dataDir, "work", "codepipeline", current().id);
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  try {
    const clone = configuration["OutputArtifactFormat"] === "CODEBUILD_CLONE_REF";
    const commit = await core.dispatcher
      .call<Commit>({
        service: "codecommit",
        operation: "CheckOut",
        ...caller,
        account,
        region,
        input: { repositoryName: repository, commitSpecifier: wanted ?? branch, directory, clone, branchName: branch },
      })
      .catch((error: Error) => Promise.reject(wanted === undefined && isNotThere(error) ? noBranch(branch, repository) : error));
    await storeOutput(context, await packFolder(directory));
    return commit;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const isNotThere = (error: Error): boolean => error instanceof AwsError && error.code === "CommitDoesNotExistException";

/** In AWS's words (github.com/aws/aws-cdk/issues/27710). */
const noBranch = (branch: string, repository: string): Failure =>
  new Failure(
    "ConfigurationError",
    `The action failed because no branch named ${branch} was found in the selected AWS CodeCommit repository ${repository}`,
  );

function told(id: string, message: string, url: string): Pick<ActionOutcome, "revision" | "summary"> {
  const summary = message.split("\n")[0] ?? "";
  return { revision: { id, summary, url }, summary };
}

async function packFolder(folder: string): Promise<Buffer> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return packFiles(paths.map((path) => ({ path, name: relative(folder, path).split(sep).join("/") })));
}

/** Started by a push, an execution builds that commit; two pushes at once are two executions. */
const commitOf = (triggerDetail: string): string | undefined => /commit ([0-9a-f]{40})/.exec(triggerDetail)?.[1];
