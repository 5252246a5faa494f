import type { Principal } from "../authorization/principal.ts";
import { AwsError } from "../gateway/aws-error.ts";
import type { Core } from "../gateway/service.ts";
import { ExecutionSuspended, TaskError } from "./asl/errors.ts";
import type { Json } from "./asl/json.ts";
import type { TaskCall } from "./asl/task-call.ts";
import type { Callbacks } from "./callbacks.ts";
import { optimizedIntegration, sdkIntegration } from "./integrations/integrations.ts";
import { invokeFunction } from "./integrations/lambda.ts";
import { parseResource } from "./integrations/resource.ts";
import type { Integration, Task } from "./integrations/task.ts";
import type { RunTaskOf } from "./runner.ts";
import type { Execution } from "./store.ts";

/** What tasks are run with. */
export interface TaskParts {
  readonly core: Core;
  readonly callbacks: Callbacks;
  readonly whenEnded: Task["whenEnded"];
}

/** Runs tasks as the machine's role: each call goes through the dispatcher, so that IAM decides. */
export const runTasks =
  (parts: TaskParts): RunTaskOf =>
  (execution) =>
  async (call) => {
    const task: Task = {
      core: parts.core,
      call,
      as: await principalFor(parts.core, execution, call),
      region: execution.region,
      executionArn: execution.arn,
      stateMachineArn: execution.stateMachineArn,
      whenEnded: parts.whenEnded,
    };
    const resource = parseResource(call.resource);
    if (resource?.kind === "function") return invokeFunction(task, resource.functionArn);
    const integration =
      resource &&
      (resource.kind === "sdk"
        ? sdkIntegration(resource.service, resource.operation)
        : optimizedIntegration(resource.service, resource.operation));
    if (resource === undefined || integration === undefined)
      throw new Error(`The resource ${call.resource} is not provided by the local accounts`);
    if (resource.pattern === "request") return integration.request(task);
    if (resource.pattern === "waitForTaskToken") return waitForCallback(parts.callbacks, task, integration);
    return follow(task, integration, resource.pattern);
  };

/** The job goes on where an earlier life of the process began it. */
async function follow(task: Task, integration: Integration, pattern: "sync" | "sync:2"): Promise<Json> {
  const begun = task.call.submitted ?? (await integration.request(task));
  if (task.call.submitted === undefined) task.call.submit(begun);
  if (integration.follow === undefined) throw new Error(`The resource ${task.call.resource} can't be waited for`);
  return integration.follow(task, begun, pattern);
}

async function waitForCallback(callbacks: Callbacks, task: Task, integration: Integration): Promise<Json> {
  const { call, executionArn, stateMachineArn } = task;
  const token = call.taskToken ?? "";
  callbacks.open(token, { executionArn, stateMachineArn });
  try {
    if (call.submitted === undefined) call.submit(await integration.request(task));
    return await callbacks.wait(token, call);
  } finally {
    if (!(call.signal.reason instanceof ExecutionSuspended)) callbacks.close(token);
  }
}

/** The machine's role, or the role that Credentials name, taken by the machine's role. */
async function principalFor(core: Core, execution: Execution, { credentials }: TaskCall): Promise<Principal> {
  try {
    const own = assumeRole(core, execution);
    return credentials === undefined ? own : await chain(core, execution, { own, roleArn: credentials.roleArn });
  } catch (error) {
    if (error instanceof AwsError) throw new TaskError("States.Permissions", error.message);
    throw error;
  }
}

/** A session of the role of a machine. @throws AwsError AccessDenied when its trust policy does not let Step Functions in */
export const assumeRole = (core: Core, { roleArn, stateMachineArn }: Pick<Execution, "roleArn" | "stateMachineArn">): Principal =>
  core.directory.assumeAsService({
    service: "states.amazonaws.com",
    roleArn,
    sessionName: core.random.hex(32),
    sourceArn: stateMachineArn,
  });

async function chain(
  core: Core,
  { region, name }: Execution,
  { own, roleArn }: { readonly own: Principal; readonly roleArn: string },
): Promise<Principal> {
  const input = {
    RoleArn: roleArn,
    RoleSessionName: name
      .replaceAll(/[^\w+=,.@-]/g, "-")
      .slice(0, 64)
      .padEnd(2, "-"),
  };
  const { Credentials } = await core.dispatcher.call<{ Credentials?: { AccessKeyId?: string } }>({
    service: "sts",
    operation: "AssumeRole",
    input,
    as: own,
    region,
  });
  const credential = core.directory.credential(Credentials?.AccessKeyId ?? "");
  if (credential === undefined) throw new Error(`AssumeRole of ${roleArn} answered without keys`);
  return credential.principal;
}
