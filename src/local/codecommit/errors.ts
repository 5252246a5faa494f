import { AwsError } from "../gateway/aws-error.ts";

const error = (code: string, message: string): AwsError => new AwsError(400, code, message);

export const repositoryNotFound = (name: string): AwsError => error("RepositoryDoesNotExistException", `${name} does not exist`);
export const repositoryExists = (name: string): AwsError =>
  error("RepositoryNameExistsException", `Repository named ${name} already exists`);
export const invalidRepositoryName = (name: string): AwsError =>
  error(
    "InvalidRepositoryNameException",
    `${name} is not a valid repository name: letters, digits, '.', '_' and '-', at most 100, not ending in .git`,
  );
export const branchNotFound = (name: string): AwsError => error("BranchDoesNotExistException", `Branch ${name} does not exist`);
export const branchExists = (name: string): AwsError => error("BranchNameExistsException", `Branch named ${name} already exists`);
export const commitNotFound = (specifier: string): AwsError => error("CommitDoesNotExistException", `Could not find commit ${specifier}`);
export const pathNotFound = (path: string): AwsError => error("PathDoesNotExistException", `Could not find path ${path}`);
export const fileNotFound = (path: string): AwsError => error("FileDoesNotExistException", `The file ${path} does not exist`);
export const pullRequestNotFound = (id: string): AwsError =>
  error("PullRequestDoesNotExistException", `The pull request ${id} does not exist`);
export const pullRequestClosed = (id: string): AwsError => error("PullRequestAlreadyClosedException", `The pull request ${id} is closed`);
export const manualMergeRequired = (): AwsError =>
  error(
    "ManualMergeRequiredException",
    "The branches can't be merged automatically: both changed the same lines, or a fast forward is not possible",
  );
export const tipChanged = (): AwsError =>
  error("TipOfSourceReferenceIsDifferentException", "The tip of the source branch is not the commit that was given");
export const sameSourceAndDestination = (): AwsError =>
  error("SourceAndDestinationAreSameException", "The source branch and the destination branch for the pull request are the same");
export const defaultBranchUndeletable = (): AwsError =>
  error("DefaultBranchCannotBeDeletedException", "The default branch can't be deleted");
export const parentCommitRequired = (): AwsError =>
  error("ParentCommitIdRequiredException", "The branch has commits: give the parent commit, the tip of the branch");
export const parentCommitOutdated = (): AwsError =>
  error("ParentCommitIdOutdatedException", "The parent commit is not the tip of the branch");
export const noChange = (): AwsError => error("NoChangeException", "The commit would change nothing");
export const invalidPath = (path: string): AwsError =>
  error("InvalidPathException", `${path} is not a valid path: relative, without . and .. and quotation marks`);
export const invalidBranchName = (name: string): AwsError => error("InvalidBranchNameException", `${name} is not a valid branch name`);
