import type { Json } from "./json.ts";

/** What a Task state asks to be done. */
export interface TaskCall {
  /** The state's Resource, an ARN. */
  readonly resource: string;
  readonly parameters: Json;
  readonly stateName: string;
  /** The same for each time this very attempt is entered, also after the process was killed: `executionArn/path/attempt`. */
  readonly idempotencyKey: string;
  /** Aborts when the result is not wanted any more: timeout, a failed sibling, the end of the execution. */
  readonly signal: AbortSignal;
  readonly timeoutSeconds: number | undefined;
  /** For resources that end in `.waitForTaskToken`. */
  readonly taskToken: string | undefined;
  /** The role to act as instead of the machine's. */
  readonly credentials: { readonly roleArn: string } | undefined;
  /** What an earlier life of the process had passed to {@link submit} in this attempt: the work is under way already. */
  readonly submitted: Json | undefined;
  /** Tells that the work was accepted and is waited for (`.sync`, `.waitForTaskToken`); recorded as TaskSubmitted. */
  submit(output: Json): void;
  /** Tells that the worker is alive (SendTaskHeartbeat). */
  heartbeat(): void;
}

/**
 * Does the work of a Task state and returns its output.
 * @throws TaskError when the work fails
 */
export type RunTask = (call: TaskCall) => Promise<Json>;
