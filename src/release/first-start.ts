import type { ExecutionTrigger, PipelineExecutionStatus } from "@aws-sdk/client-codepipeline";

interface Execution {
  readonly status?: PipelineExecutionStatus | undefined;
  readonly trigger?: ExecutionTrigger | undefined;
}

interface Revision {
  readonly actionName?: string | undefined;
  readonly name?: string | undefined;
}

/** The source of omx itself, beside the workflow's. */
const TOOLKIT = "Toolkit";

/**
 * Whether an execution is the one that CodePipeline makes with each new pipeline, and found nothing to release: the branch comes with the
 * first push. Nobody's release failed.
 * @param revisions what its sources gave, the toolkit among them
 * @see https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create.html
 */
export const isFirstStart = ({ status, trigger }: Execution, revisions: readonly Revision[] = []): boolean =>
  status === "Failed" &&
  trigger?.triggerType === "CreatePipeline" &&
  revisions.every(({ actionName, name }) => (actionName ?? name) === TOOLKIT);

// AWS's words for a branch that is not there: "no branch named main was found in the selected AWS CodeCommit repository", of a connection
// "[GitHub] No Branch [main] found for FullRepositoryName […]" (github.com/aws/aws-cdk/issues/27710 and 28164).
const NO_BRANCH = /\bno branch\b.*\bfound\b|\bbranch\b.*\bdoes not exist\b/i;

/** Whether the reason of such an execution is that nothing was pushed, as far as one knows. @param error what its source said */
export const isUnpushed = (error: string | undefined): boolean => error === undefined || NO_BRANCH.test(error);

/** What there is to say of such an execution. @param error what its source said, where that is known */
export const describeFirstStart = (error: string | undefined): string =>
  isUnpushed(error)
    ? "the pipeline started by itself when it was made, and nothing was pushed yet: a push to its release branch starts the first release"
    : `the pipeline started by itself when it was made, and could not read its source: ${error}; when that is put right, a push to its release branch starts the first release`;

/** The same in the words of a list. */
export const nameFirstStart = (error: string | undefined): string =>
  isUnpushed(error) ? "nothing pushed yet" : "source could not be read";

/** What the workflow's own source said, of the actions of such an execution. */
export const sourceErrorIn = (actions: readonly { readonly action: string; readonly error?: string | undefined }[]): string | undefined =>
  actions.find(({ action, error }) => action !== TOOLKIT && error)?.error;
