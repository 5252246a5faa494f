import type { Core } from "../gateway/service.ts";
import type { Callbacks } from "./callbacks.ts";
import { executionDoesNotExist, invalidArn, stateMachineDoesNotExist, validation } from "./errors.ts";
import type { Runner } from "./runner.ts";
import { type Execution, executionKeyOfArn, machineKeyOfArn, type StateMachine, type Store } from "./store.ts";

/** What the operations of Step Functions share. */
export interface States {
  readonly core: Core;
  readonly store: Store;
  readonly runner: Runner;
  readonly callbacks: Callbacks;
}

/** @throws AwsError InvalidArn, StateMachineDoesNotExist */
export function findMachine({ store }: States, arn: string | undefined): StateMachine {
  const key = machineKeyOfArn(arn ?? "");
  if (key === undefined) throw invalidArn(arn ?? "", "a state machine");
  const machine = store.machines.get(key);
  if (machine === undefined) throw stateMachineDoesNotExist(arn ?? "");
  return machine;
}

/** @throws AwsError InvalidArn, ExecutionDoesNotExist */
export function findExecution({ store }: States, arn: string | undefined): Execution {
  const key = executionKeyOfArn(arn ?? "");
  if (key === undefined) throw invalidArn(arn ?? "", "an execution");
  const execution = store.executions.get(key);
  if (execution === undefined) throw executionDoesNotExist(arn ?? "");
  return execution;
}

/** The machine's tags as condition keys. */
export function tagContext({ store }: States, arn: string | undefined): Record<string, string> {
  const key = machineKeyOfArn(arn ?? "");
  const tags = (key && store.machines.get(key)?.tags) ?? {};
  return Object.fromEntries(Object.entries(tags).map(([name, value]) => [`aws:ResourceTag/${name}`, value]));
}

/** Where a listing goes on: opaque to clients. */
export const pageToken = (key: readonly string[]): string => Buffer.from(JSON.stringify(key)).toString("base64url");

/** @throws AwsError ValidationException */
export function readPageToken(token: string | undefined): readonly string[] | undefined {
  if (token === undefined) return undefined;
  try {
    const key: unknown = JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
    if (Array.isArray(key) && key.every((part) => typeof part === "string")) return key;
  } catch {
    // Falls through to the refusal.
  }
  throw validation("Invalid Token: 'Invalid token'");
}
