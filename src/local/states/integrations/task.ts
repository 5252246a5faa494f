import type { Principal } from "../../authorization/principal.ts";
import type { Core } from "../../gateway/service.ts";
import type { Json } from "../asl/json.ts";
import type { TaskCall } from "../asl/task-call.ts";

/** A task on its way to a service. */
export interface Task {
  readonly core: Core;
  readonly call: TaskCall;
  /** The session of the role that acts. */
  readonly as: Principal;
  readonly region: string;
  readonly executionArn: string;
  readonly stateMachineArn: string;
  /** Resolves when that execution has ended. */
  readonly whenEnded: (executionArn: string, signal: AbortSignal) => Promise<void>;
}

/** A service that Step Functions calls in its own way. */
export interface Integration {
  /** Patterns it has besides the plain request. */
  readonly patterns: readonly ("sync" | "sync:2" | "waitForTaskToken")[];
  /** Makes the request. Its answer is the result of a plain request; a job that is waited for has begun with it. */
  request(task: Task): Promise<Json>;
  /** Waits for the job that `request` began and gives the result. @throws TaskError when the job failed */
  follow?(task: Task, begun: Json, pattern: "sync" | "sync:2"): Promise<Json>;
}
