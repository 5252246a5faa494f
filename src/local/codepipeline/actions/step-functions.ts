import { Failure } from "../../gateway/failure.ts";
import type { ActionContext, ActionOutcome } from "../action.ts";
import { readArtifactFile } from "./artifacts.ts";

interface ExecutionAnswer {
  readonly status: string;
  readonly output?: string;
  readonly error?: string;
  readonly cause?: string;
}

const POLL_MS = 200;

/** Starts a state machine on a literal or a file of an artifact, and waits for its end. */
export async function stepFunctions(context: ActionContext): Promise<ActionOutcome> {
  const { core, execution, configuration, as, signal, current, note } = context;
  const { account, region } = execution;
  const call = <Output>(operation: string, input: object) =>
    core.dispatcher.call<Output>({ service: "states", operation, input, as, account, region });
  const stateMachineArn = configuration["StateMachineArn"] ?? "";
  const name = `${configuration["ExecutionNamePrefix"] ?? ""}${current().id}`;
  const executionArn = current().externalId ?? (await start());
  for (;;) {
    const state = await call<ExecutionAnswer>("DescribeExecution", { executionArn });
    if (state.status === "SUCCEEDED")
      return { variables: { ExecutionArn: executionArn, StateMachineArn: stateMachineArn }, summary: `execution ${name} succeeded` };
    if (state.status !== "RUNNING" && state.status !== "PENDING_REDRIVE")
      throw new Failure(
        "JobFailed",
        `Step Functions execution ended ${state.status}: ${[state.error, state.cause].filter(Boolean).join(": ")}`,
      );
    if (current().status === "Abandoned") {
      await call("StopExecution", { executionArn, cause: "the pipeline's execution was stopped" });
      throw new Failure("JobFailed", "the execution was stopped");
    }
    await core.clock.sleep(POLL_MS, signal);
  }

  async function start(): Promise<string> {
    const { InputType: type = "Literal", Input: text = "{}" } = configuration;
    const input = type === "FilePath" ? await readArtifactFile(context, text) : text;
    try {
      const started = await call<{ executionArn: string }>("StartExecution", { stateMachineArn, name, input });
      note({ externalId: started.executionArn });
      return started.executionArn;
    } catch (error) {
      // Killed between the start and its record: the name is this attempt's own.
      if ((error as { code?: string }).code !== "ExecutionAlreadyExists") throw error;
      const arn = `${stateMachineArn.replace(":stateMachine:", ":execution:")}:${name}`;
      note({ externalId: arn });
      return arn;
    }
  }
}
