/**
 * Error names that Step Functions itself raises.
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
 */
export const StatesError = {
  all: "States.ALL",
  branchFailed: "States.BranchFailed",
  dataLimitExceeded: "States.DataLimitExceeded",
  exceedToleratedFailureThreshold: "States.ExceedToleratedFailureThreshold",
  heartbeatTimeout: "States.HeartbeatTimeout",
  intrinsicFailure: "States.IntrinsicFailure",
  noChoiceMatched: "States.NoChoiceMatched",
  parameterPathFailure: "States.ParameterPathFailure",
  queryEvaluationError: "States.QueryEvaluationError",
  resultPathMatchFailure: "States.ResultPathMatchFailure",
  runtime: "States.Runtime",
  taskFailed: "States.TaskFailed",
  timeout: "States.Timeout",
} as const;

/** What a failed state carries: an error name, a text for people, and whether a Catch or Retry may answer it. */
export interface Failure {
  readonly error: string | undefined;
  readonly cause: string | undefined;
  /** Nothing catches it: the execution fails. @default false */
  readonly isTerminal?: boolean;
  /** It is a States.Timeout because no heartbeat came: States.HeartbeatTimeout names it too. @default false */
  readonly isMissedHeartbeat?: boolean;
}

/** A state has failed with an error name that Retry and Catch compare. */
export class StateFailed extends Error {
  override readonly name = "StateFailed";
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.cause ?? failure.error ?? "the state failed");
    this.failure = failure;
  }
}

/**
 * Thrown by `runTask` when the work of a Task state fails: `error` is the name that Retry and Catch compare
 * (`States.TaskFailed`, `Ecr.RepositoryNotFoundException`, a Lambda's error type), `errorCause` is the text or JSON text that explains it.
 */
export class TaskError extends Error {
  override readonly name = "TaskError";
  readonly error: string | undefined;
  readonly errorCause: string | undefined;
  constructor(error: string | undefined, cause: string | undefined) {
    super(cause ?? error ?? "the task failed");
    this.error = error;
    this.errorCause = cause;
  }
}

/** The reason given to the execution's signal to end it as ABORTED, as StopExecution does. */
export class ExecutionStopped extends Error {
  override readonly name = "ExecutionStopped";
  readonly error: string | undefined;
  readonly errorCause: string | undefined;
  constructor(error?: string, cause?: string) {
    super("the execution was stopped");
    this.error = error;
    this.errorCause = cause;
  }
}

/** The reason given to the execution's signal when the process ends: the execution leaves no trace of it and is resumed later. */
export class ExecutionSuspended extends Error {
  override readonly name = "ExecutionSuspended";
  constructor() {
    super("the local accounts are stopping");
  }
}

/** The reason a branch or iteration ends early: a sibling failed at the event `failedAtEventId`. */
export class BranchAborted extends Error {
  override readonly name = "BranchAborted";
  readonly failedAtEventId: number;
  constructor(failedAtEventId: number) {
    super("a sibling branch failed");
    this.failedAtEventId = failedAtEventId;
  }
}

/** The execution ran longer than the machine's TimeoutSeconds. */
export class ExecutionTimedOut extends Error {
  override readonly name = "ExecutionTimedOut";
}

/** A definition that can't be run; one sentence per problem. */
export class InvalidDefinition extends Error {
  override readonly name = "InvalidDefinition";
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join("; "));
    this.problems = problems;
  }
}
