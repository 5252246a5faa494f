/** An error as AWS says it: what the client's SDK raises as a modelled exception. */
export class AwsError extends Error {
  override readonly name = "AwsError";
  /** HTTP status. */
  readonly status: number;
  /** The error's code, as the service's model names it. */
  readonly code: string;
  /** Further members of the error's shape. */
  readonly details: Readonly<Record<string, unknown>>;
  constructor(status: number, code: string, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

/** What nobody built yet: named, never pretended. */
export const notImplemented = (service: string, operation: string): AwsError =>
  new AwsError(501, "NotImplemented", `the local accounts do not implement ${service}:${operation}`);

/** A denial. `reason` is AWS's sentence, with the deciding statement. */
export const accessDenied = (code: string, reason: string): AwsError => new AwsError(403, code, reason);
