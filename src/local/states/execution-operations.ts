import type {
  DescribeExecutionInput,
  DescribeExecutionOutput,
  DescribeStateMachineForExecutionInput,
  DescribeStateMachineForExecutionOutput,
  ListExecutionsInput,
  ListExecutionsOutput,
  StartExecutionInput,
  StartExecutionOutput,
  StopExecutionInput,
  StopExecutionOutput,
} from "@aws-sdk/client-sfn";
import { type AnyOperation, operation } from "../gateway/service.ts";
import { exceedsDataLimit, parseJson } from "./asl/json.ts";
import { executionAlreadyExists, invalidExecutionInput, invalidName, notProvided, stateMachineDeleting, validation } from "./errors.ts";
import { findExecution, findMachine, pageToken, readPageToken, type States, tagContext } from "./service-parts.ts";
import { redriveStatusReason, statusEvent } from "./status-event.ts";
import { byStartKey, type Execution, executionKey, machineKey, type StateMachine } from "./store.ts";

const NAME = /^[^\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f]{1,80}$/u;

/** Operations on executions. */
export const executionOperations = (states: States): Readonly<Record<string, AnyOperation>> => ({
  StartExecution: operation<StartExecutionInput, StartExecutionOutput>({
    access: ({ stateMachineArn = "" }) => [
      { action: "states:StartExecution", resource: stateMachineArn, context: tagContext(states, stateMachineArn) },
    ],
    run: (input) => start(states, input),
  }),
  DescribeExecution: operation<DescribeExecutionInput, DescribeExecutionOutput>({
    access: ({ executionArn = "" }) => [{ action: "states:DescribeExecution", resource: executionArn }],
    run: ({ executionArn }) => describe(findExecution(states, executionArn)),
  }),
  DescribeStateMachineForExecution: operation<DescribeStateMachineForExecutionInput, DescribeStateMachineForExecutionOutput>({
    access: ({ executionArn = "" }) => [{ action: "states:DescribeStateMachineForExecution", resource: executionArn }],
    run: ({ executionArn }) => describeMachine(states, findExecution(states, executionArn)),
  }),
  ListExecutions: operation<ListExecutionsInput, ListExecutionsOutput>({
    access: ({ stateMachineArn = "" }) => [
      { action: "states:ListExecutions", resource: stateMachineArn, context: tagContext(states, stateMachineArn) },
    ],
    run: (input) => list(states, input),
  }),
  StopExecution: operation<StopExecutionInput, StopExecutionOutput>({
    access: ({ executionArn = "" }) => [{ action: "states:StopExecution", resource: executionArn }],
    run: (input) => stop(states, input),
  }),
});

function start(states: States, { stateMachineArn, name, input = "{}", traceHeader }: StartExecutionInput): StartExecutionOutput {
  const machine = findMachine(states, stateMachineArn);
  if (machine.status === "DELETING") throw stateMachineDeleting(machine.arn);
  if (name !== undefined && !NAME.test(name)) throw invalidName(name);
  checkInput(input);
  const execution = newExecution(states, machine, { name: name ?? states.core.random.uuid(), input, traceHeader });
  const before = states.store.executions.get(executionKey(execution));
  if (before !== undefined) return again(before, input);
  states.store.transaction(() => {
    states.store.executions.put(executionKey(execution), execution);
    states.store.byStart.put(byStartKey(execution), true);
    states.core.emit(statusEvent(execution));
  });
  states.runner.launch(execution);
  return { executionArn: execution.arn, startDate: new Date(execution.startedAt) };
}

interface Named {
  readonly name: string;
  readonly input: string;
  readonly traceHeader: string | undefined;
}

const newExecution = ({ core }: States, machine: StateMachine, { name, input, traceHeader }: Named): Execution => ({
  arn: `${machine.arn.replace(":stateMachine:", ":execution:")}:${name}`,
  name,
  stateMachineArn: machine.arn,
  machine: machine.name,
  account: machine.account,
  region: machine.region,
  revisionId: machine.revisionId,
  roleArn: machine.roleArn,
  logging: machine.logging,
  status: "RUNNING",
  startedAt: core.clock.now().toISOString(),
  input,
  ...(traceHeader !== undefined && { traceHeader }),
});

/** Starting a running execution again with the same input answers as the first time did. */
function again(before: Execution, input: string): StartExecutionOutput {
  if (before.status !== "RUNNING" || before.input !== input) throw executionAlreadyExists(before.arn);
  return { executionArn: before.arn, startDate: new Date(before.startedAt) };
}

function checkInput(input: string): void {
  let isTooLarge: boolean;
  try {
    isTooLarge = exceedsDataLimit(parseJson(input));
  } catch (error) {
    throw invalidExecutionInput((error as Error).message);
  }
  if (isTooLarge)
    throw validation(
      "1 validation error detected: Value at 'input' failed to satisfy constraint: Member must have length less than or equal to 262144",
    );
}

const describe = (execution: Execution): DescribeExecutionOutput => ({
  executionArn: execution.arn,
  stateMachineArn: execution.stateMachineArn,
  name: execution.name,
  status: execution.status,
  startDate: new Date(execution.startedAt),
  ...(execution.stoppedAt !== undefined && { stopDate: new Date(execution.stoppedAt) }),
  input: execution.input,
  inputDetails: { included: true },
  ...(execution.output !== undefined && { output: execution.output, outputDetails: { included: true } }),
  ...(execution.error !== undefined && { error: execution.error }),
  ...(execution.cause !== undefined && { cause: execution.cause }),
  ...(execution.traceHeader !== undefined && { traceHeader: execution.traceHeader }),
  redriveCount: 0,
  redriveStatus: "NOT_REDRIVABLE",
  redriveStatusReason: redriveStatusReason(execution),
});

function describeMachine(states: States, execution: Execution): DescribeStateMachineForExecutionOutput {
  const machine = findMachine(states, execution.stateMachineArn);
  const revision = states.store.revisions.get([...machineKey(machine), execution.revisionId]);
  return {
    stateMachineArn: machine.arn,
    name: machine.name,
    definition: revision?.definition ?? "",
    roleArn: execution.roleArn,
    updateDate: new Date(machine.updatedAt),
    loggingConfiguration: execution.logging,
    tracingConfiguration: { enabled: machine.isTraced },
    revisionId: execution.revisionId,
  };
}

function list(states: States, input: ListExecutionsInput): ListExecutionsOutput {
  if (input.mapRunArn !== undefined) throw notProvided("Map Runs");
  const machine = findMachine(states, input.stateMachineArn);
  const limit = input.maxResults || 100;
  const executions: Execution[] = [];
  let after = readPageToken(input.nextToken);
  for (;;) {
    const page = states.store.byStart.list(machineKey(machine), { limit: 200, ...(after && { after }) });
    for (const { key } of page) {
      const execution = states.store.executions.get([...machineKey(machine), key.at(-1) ?? ""]);
      if (execution === undefined || (input.statusFilter !== undefined && execution.status !== input.statusFilter)) continue;
      if (executions.length === limit) return { executions: executions.map(toItem), ...(after && { nextToken: pageToken(after) }) };
      executions.push(execution);
      after = key;
    }
    if (page.length < 200) return { executions: executions.map(toItem) };
    after = page.at(-1)?.key;
  }
}

const toItem = ({ arn, stateMachineArn, name, status, startedAt, stoppedAt }: Execution) => ({
  executionArn: arn,
  stateMachineArn,
  name,
  status,
  startDate: new Date(startedAt),
  ...(stoppedAt !== undefined && { stopDate: new Date(stoppedAt) }),
  redriveCount: 0,
});

async function stop(states: States, { executionArn, error, cause }: StopExecutionInput): Promise<StopExecutionOutput> {
  const execution = findExecution(states, executionArn);
  if (execution.status === "RUNNING") await states.runner.stop(execution.arn, { error, cause });
  const { stoppedAt } = findExecution(states, executionArn);
  return { stopDate: stoppedAt === undefined ? undefined : new Date(stoppedAt) };
}
