import { DescribeExecutionCommand, type SFNClient, StartExecutionCommand } from "@aws-sdk/client-sfn";
import type { Clock } from "../kit/clock.ts";

export interface ExecutionRequest {
  /** The state machine. */
  readonly arn: string;
  readonly name: string;
  readonly input: string;
  readonly clock: Clock;
}

/** An execution that has ended. */
export interface EndedExecution {
  readonly executionArn: string;
  readonly status: string;
  readonly output: string;
  readonly error: string;
  readonly cause: string;
}

const ATTEMPTS = 20;

/**
 * Runs a state machine to its end. The same request again joins the execution that runs, or returns the result of one
 * that succeeded; after a failure it starts anew.
 */
export async function runExecution(states: SFNClient, request: ExecutionRequest): Promise<EndedExecution> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const name = attempt === 0 ? request.name : `${request.name.slice(0, 76)}-${attempt}`;
    const { executionArn, isNew } = await start(states, { ...request, name });
    const before = isNew ? undefined : await describe(states, executionArn);
    if (before && before.status !== "RUNNING" && before.status !== "SUCCEEDED") continue;
    return await ended(states, executionArn, request.clock);
  }
  throw new Error(`${request.name} failed ${ATTEMPTS} times`);
}

async function start(states: SFNClient, { arn, name, input }: ExecutionRequest): Promise<{ executionArn: string; isNew: boolean }> {
  try {
    const started = await states.send(new StartExecutionCommand({ stateMachineArn: arn, name, input }));
    return { executionArn: started.executionArn ?? "", isNew: true };
  } catch (error) {
    if ((error as Error).name !== "ExecutionAlreadyExists") throw error;
    return { executionArn: `${arn.replace(":stateMachine:", ":execution:")}:${name}`, isNew: false };
  }
}

async function ended(states: SFNClient, executionArn: string, clock: Clock): Promise<EndedExecution> {
  for (let wait = 200; ; wait = Math.min(wait * 1.3, 5000)) {
    const state = await describe(states, executionArn);
    if (state.status !== "RUNNING" && state.status !== "PENDING_REDRIVE") return state;
    await clock.sleep(wait);
  }
}

async function describe(states: SFNClient, executionArn: string): Promise<EndedExecution> {
  const { status = "", output = "", error = "", cause = "" } = await states.send(new DescribeExecutionCommand({ executionArn }));
  return { executionArn, status, output, error, cause };
}
