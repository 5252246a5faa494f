import type { ExecutionTrigger, PipelineExecutionStatus } from "@aws-sdk/client-codepipeline";

interface Execution {
  readonly status?: PipelineExecutionStatus | undefined;
  readonly trigger?: ExecutionTrigger | undefined;
}

interface Revision {
  readonly actionName?: string | undefined;
  readonly name?: string | undefined;
}

/**
 * Whether an execution is the one that CodePipeline makes with each new pipeline, and found nothing to release: the branch comes with the
 * first push. Nobody's release failed.
 * @param revisions what its sources gave, the toolkit among them
 * @see https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create.html
 */
export const isFirstStart = ({ status, trigger }: Execution, revisions: readonly Revision[] = []): boolean =>
  status === "Failed" &&
  trigger?.triggerType === "CreatePipeline" &&
  revisions.every(({ actionName, name }) => (actionName ?? name) === "Toolkit");

/** What there is to say of such an execution. */
export const FIRST_START =
  "the pipeline started by itself when it was made, and nothing was pushed yet: a push to its release branch starts the first release";
