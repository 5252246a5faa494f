import { TaskError } from "../errors.ts";
import type { RunTask, TaskCall } from "../task-call.ts";

export const INVOKE = "arn:aws:states:::lambda:invoke";

/** A Task state that calls a function, with these fields besides or instead. */
export const task = (fields: object = {}) => ({ Type: "Task", Resource: INVOKE, ...fields });

/** Fails as often as there are errors, then answers. */
export function failing(...errors: readonly string[]): RunTask & { readonly calls: TaskCall[] } {
  const calls: TaskCall[] = [];
  const run: RunTask = (call) => {
    const error = errors[calls.push(call) - 1];
    return error === undefined ? Promise.resolve("done") : Promise.reject(new TaskError(error, `cause of ${error}`));
  };
  return Object.assign(run, { calls });
}
