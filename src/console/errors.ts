/** A status of HTTP that the console itself answers with. */
export type ErrorStatus = 400 | 403 | 404 | 409 | 413 | 421 | 500 | 502;

/** A request that can't be served, in words for the person who made it. */
export class ConsoleError extends Error {
  override readonly name = "ConsoleError";
  readonly status: ErrorStatus;

  constructor(status: ErrorStatus, message: string) {
    super(message);
    this.status = status;
  }
}

export interface Explained {
  readonly status: ErrorStatus;
  readonly title: string;
  readonly message: string;
  /** What AWS said, word for word. */
  readonly detail?: string;
}

const TITLES: Readonly<Record<ErrorStatus, string>> = {
  400: "That can't be done as asked",
  403: "Not allowed",
  404: "Not found",
  409: "Already answered",
  413: "Too large",
  421: "Wrong address",
  500: "Something went wrong",
  502: "AWS did not answer",
};

const explained = (status: ErrorStatus, message: string, detail?: string): Explained => ({
  status,
  title: TITLES[status],
  message,
  ...(detail && { detail }),
});

/** Any error as a page can show it. */
export function explain(error: Error, who: string): Explained {
  if (error instanceof ConsoleError) return explained(error.status, error.message);
  const says = error.message;
  switch (error.name) {
    case "AccessDeniedException":
    case "AccessDenied":
    case "NotAuthorized":
      return explained(
        403,
        `${who} may not do this. The console works with the permissions of the profile it was started with: start it as an approver, or ask an administrator.`,
        says,
      );
    case "PipelineNotFoundException":
      return explained(404, "There is no pipeline of that workflow in this account and region.", says);
    case "PipelineExecutionNotFoundException":
      return explained(404, "That workflow has no release of this id.", says);
    case "NoSuchKey":
    case "NotFound":
    case "NoSuchBucket":
      return explained(404, "The file is not in the artifacts bucket.", says);
    case "ApprovalAlreadyCompletedException":
    case "InvalidApprovalTokenException":
      return explained(409, "Somebody answered this approval in the meantime.", says);
    case "ValidationException":
      return explained(400, "CodePipeline does not take this.", says);
    default:
      return "$metadata" in error || "code" in error
        ? explained(502, "AWS, or the local accounts, could not be asked.", says)
        : explained(500, says);
  }
}
