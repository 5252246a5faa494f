import { ExecutionSuspended, TaskError } from "../asl/errors.ts";
import { isObject, type Json, type JsonObject, parseJson } from "../asl/json.ts";
import { attemptToken, sdkCall, sdkMetadata } from "./sdk-call.ts";
import type { Integration, Task } from "./task.ts";

const naming = { prefix: "StepFunctions", unknown: "AWSStepFunctionsException" };

const call = async (task: Task, operation: string, parameters: Json): Promise<JsonObject> => {
  const answer = await sdkCall(task, { service: "sfn", operation, parameters, naming, timestamps: "milliseconds" });
  return isObject(answer) ? answer : {};
};

/**
 * `states:startExecution`; `.sync` and `.sync:2` wait for the execution, the latter with its Output as JSON.
 * @see https://docs.aws.amazon.com/step-functions/latest/dg/connect-stepfunctions.html
 */
export const startExecution: Integration = {
  patterns: ["sync", "sync:2", "waitForTaskToken"],
  async request(task) {
    const given = isObject(task.call.parameters) ? task.call.parameters : {};
    const input = given["Input"] ?? {};
    // The name is made of the attempt's key: an execution started by an attempt that a kill interrupted is found again.
    const name = attemptToken(task.call.idempotencyKey);
    const parameters = { Name: name, ...given, Input: typeof input === "string" ? input : JSON.stringify(input) };
    const started = call(task, "startExecution", parameters).catch((error: unknown) => {
      if (given["Name"] !== undefined || !isOwnEarlier(error)) throw error;
      return { ExecutionArn: `${String(given["StateMachineArn"]).replace(":stateMachine:", ":execution:")}:${name}` };
    });
    return { ...(await started), ...sdkMetadata(task) };
  },
  async follow(task, begun, pattern) {
    const executionArn = isObject(begun) ? begun["ExecutionArn"] : undefined;
    if (typeof executionArn !== "string") throw new Error("StartExecution answered without an ARN");
    try {
      return await waitForExecution(task, executionArn, pattern);
    } catch (error) {
      if (task.call.signal.aborted && !(task.call.signal.reason instanceof ExecutionSuspended)) await stop(task, executionArn);
      throw error;
    }
  },
};

const isOwnEarlier = (error: unknown) => error instanceof TaskError && error.error === "StepFunctions.ExecutionAlreadyExistsException";

async function waitForExecution(task: Task, executionArn: string, pattern: "sync" | "sync:2"): Promise<Json> {
  let described = await call(task, "describeExecution", { ExecutionArn: executionArn });
  if (described["Status"] === "RUNNING") {
    await task.whenEnded(executionArn, task.call.signal);
    described = await call(task, "describeExecution", { ExecutionArn: executionArn });
  }
  if (described["Status"] !== "SUCCEEDED") throw new TaskError("States.TaskFailed", JSON.stringify(described));
  return pattern === "sync" ? described : { ...described, Input: asJson(described["Input"]), Output: asJson(described["Output"]) };
}

const asJson = (text: Json | undefined): Json => (typeof text === "string" ? parseJson(text) : null);

/** The execution of a task that nobody waits for any more is stopped, as Step Functions does. A refusal is only logged. */
async function stop(task: Task, executionArn: string): Promise<void> {
  await call(task, "stopExecution", { ExecutionArn: executionArn }).catch((error: unknown) =>
    task.core.log("states", `${executionArn} could not be stopped: ${String(error)}`),
  );
}
