import type { Refusal } from "../../engines/engine.ts";
import type { FailureReason } from "../failure-reasons.ts";

/** A run or task that fails for a reason of HealthOmics's list (guide, "Troubleshooting run failures"). */
export class RunFailure extends Error {
  override readonly name = "RunFailure";
  /** The failureReason. */
  readonly code: FailureReason;
  constructor(code: FailureReason, message: string) {
    super(message);
    this.code = code;
  }
}

/** What an engine is answered when its request fails. */
export const refusalOf = (error: unknown): Refusal => ({
  refused:
    error instanceof RunFailure
      ? { code: error.code, message: error.message }
      : { code: "SERVICE_ERROR", message: error instanceof Error ? error.message : String(error) },
});
