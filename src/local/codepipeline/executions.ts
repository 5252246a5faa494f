import { createHash } from "node:crypto";
import type {
  GetPipelineExecutionInput,
  GetPipelineExecutionOutput,
  ListActionExecutionsInput,
  ListActionExecutionsOutput,
  ListPipelineExecutionsInput,
  ListPipelineExecutionsOutput,
  PipelineDeclaration,
  RetryStageExecutionInput,
  RetryStageExecutionOutput,
  StartPipelineExecutionInput,
  StartPipelineExecutionOutput,
  StopPipelineExecutionInput,
  StopPipelineExecutionOutput,
} from "@aws-sdk/client-codepipeline";
import { principalArn } from "../authorization/principal.ts";
import { notImplemented } from "../gateway/aws-error.ts";
import { type Call, operation } from "../gateway/service.ts";
import { describeAction, describeExecution, describeSummary } from "./descriptions.ts";
import { invalidRequest, notStoppable, stageNotFound, stageNotRetryable } from "./errors.ts";
import { checkRetriable, forgetStage } from "./retry.ts";
import { advance, attemptsOf, executionsOf, findExecution, findPipeline, on, type Parts } from "./service-parts.ts";
import { startExecution } from "./start.ts";
import type { Execution, Store } from "./store.ts";

/** What EventBridge adds when a rule starts a pipeline; nothing on the wire carries it. */
export interface Triggered {
  readonly trigger?: Execution["trigger"];
}

/** Starting, following, stopping and retrying executions. */
export function executionOperations(parts: Parts) {
  return { ...movingOperations(parts), ...readingOperations(parts.store) };
}

function movingOperations(parts: Parts) {
  return {
    StartPipelineExecution: operation<StartPipelineExecutionInput & Triggered, StartPipelineExecutionOutput>({
      access: (input, call) => on("StartPipelineExecution", call, input.name),
      run: (input, call) => start(parts, input, call),
    }),
    StopPipelineExecution: operation<StopPipelineExecutionInput, StopPipelineExecutionOutput>({
      access: (input, call) => on("StopPipelineExecution", call, input.pipelineName),
      run: (input, call) => stop(parts, input, call),
    }),
    RetryStageExecution: operation<RetryStageExecutionInput, RetryStageExecutionOutput>({
      access: (input, call) => on("RetryStageExecution", call, input.pipelineName, input.stageName),
      run: (input, call) => retryStage(parts, input, call),
    }),
  };
}

function readingOperations(store: Store) {
  return {
    GetPipelineExecution: operation<GetPipelineExecutionInput, GetPipelineExecutionOutput>({
      access: (input, call) => on("GetPipelineExecution", call, input.pipelineName),
      run: (input, call) => ({ pipelineExecution: describeExecution(findExecution(store, call, input)) }),
    }),
    ListPipelineExecutions: operation<ListPipelineExecutionsInput, ListPipelineExecutionsOutput>({
      access: (input, call) => on("ListPipelineExecutions", call, input.pipelineName),
      run: (input, call) => list(store, input, call),
    }),
    ListActionExecutions: operation<ListActionExecutionsInput, ListActionExecutionsOutput>({
      access: (input, call) => on("ListActionExecutions", call, input.pipelineName),
      run: (input, call) => listActions(store, input, call),
    }),
  };
}

/** A token that was seen is the execution it started then. */
function start({ core, store, engine }: Parts, input: StartPipelineExecutionInput & Triggered, call: Call): StartPipelineExecutionOutput {
  const record = findPipeline(store, call, input.name);
  const id = input.clientRequestToken ? uuidFrom(`${input.name} ${input.clientRequestToken}`) : undefined;
  const known = id && store.executions.get([call.account, call.region, record.declaration.name, id]);
  if (known) return { pipelineExecutionId: known.id };
  const execution = startExecution(core, store, {
    record,
    trigger: input.trigger ?? { triggerType: "StartPipelineExecution", triggerDetail: principalArn(call.caller) },
    variables: input.variables,
    revisions: revisionsOf(record.declaration, input),
    ...(id && { id }),
  });
  advance(engine, call, input.name);
  return { pipelineExecutionId: execution.id };
}

/** @throws AwsError ValidationException for an action that is no source, 501 for revisions that are not commits */
function revisionsOf(
  { stages = [] }: PipelineDeclaration,
  { sourceRevisions = [] }: StartPipelineExecutionInput,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    sourceRevisions.map(({ actionName = "", revisionType, revisionValue = "" }) => {
      if (!stages[0]?.actions?.some(({ name }) => name === actionName))
        throw invalidRequest(`Source revisions name ${actionName}, which is not a source action of the pipeline`);
      if (revisionType !== "COMMIT_ID")
        throw notImplemented("codepipeline", `StartPipelineExecution with source revisions of type ${revisionType}`);
      return [actionName, revisionValue];
    }),
  );
}

/** The same token is the same execution. */
function uuidFrom(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** Waits for the actions that run unless told to abandon them; an approval that nobody answered ends at once. */
function stop(parts: Parts, input: StopPipelineExecutionInput, call: Call): StopPipelineExecutionOutput {
  const { core, store, engine } = parts;
  const execution = findExecution(store, call, input);
  if (execution.status !== "InProgress")
    throw notStoppable(`Pipeline execution ${execution.id} is ${execution.status}; only one in progress can be stopped`);
  const abandon = input.abandon ?? false;
  store.transaction(() => {
    put(parts, { ...execution, status: "Stopping", stopRequested: { abandon, reason: input.reason ?? "" } });
    const updated = core.clock.now().toISOString();
    for (const { key, value } of store.actions.list([execution.account, execution.region, execution.pipeline, execution.id]))
      if (value.status === "InProgress" && (abandon || value.token)) store.actions.put(key, { ...value, status: "Abandoned", updated });
  });
  advance(engine, call, input.pipelineName);
  return { pipelineExecutionId: execution.id };
}

function retryStage(parts: Parts, input: RetryStageExecutionInput, call: Call): RetryStageExecutionOutput {
  const { store, engine } = parts;
  const stage = input.stageName ?? "";
  const execution = findExecution(store, call, input);
  const stageIndex = execution.declaration.stages?.findIndex(({ name }) => name === stage) ?? -1;
  if (stageIndex < 0) throw stageNotFound(stage);
  if (!["Failed", "Stopped"].includes(execution.status) || execution.stageIndex !== stageIndex)
    throw stageNotRetryable(`Stage ${stage} of execution ${execution.id} did not fail`);
  checkRetriable(store, execution, stage);
  const { stopRequested: _stopped, statusSummary: _summary, ...rest } = execution;
  store.transaction(() => {
    if (input.retryMode === "ALL_ACTIONS") forgetStage(store, execution, stage);
    put(parts, { ...rest, status: "InProgress", inStage: false });
  });
  advance(engine, call, input.pipelineName);
  return { pipelineExecutionId: execution.id };
}

const put = ({ core, store }: Parts, execution: Execution) =>
  store.executions.put([execution.account, execution.region, execution.pipeline, execution.id], {
    ...execution,
    updated: core.clock.now().toISOString(),
  });

function list(store: Store, input: ListPipelineExecutionsInput, call: Call): ListPipelineExecutionsOutput {
  const { declaration } = findPipeline(store, call, input.pipelineName);
  const { page, nextToken } = pageOf(executionsOf(store, call, declaration.name), input);
  return { pipelineExecutionSummaries: page.map(describeSummary), ...nextToken };
}

function listActions(store: Store, input: ListActionExecutionsInput, call: Call): ListActionExecutionsOutput {
  const { declaration } = findPipeline(store, call, input.pipelineName);
  const wanted = input.filter?.pipelineExecutionId;
  const attempts = attemptsOf(store, call, declaration.name, ...(wanted ? [wanted] : []));
  const { page, nextToken } = pageOf(attempts, input);
  return { actionExecutionDetails: page.map((action) => describeAction(action, declaration)), ...nextToken };
}

/** One page of a list; its token is the place of the next one's first item. */
function pageOf<T>(
  all: readonly T[],
  { nextToken, maxResults: limit = 100 }: { readonly nextToken?: string | undefined; readonly maxResults?: number | undefined },
) {
  const from = Number(nextToken ?? 0);
  const to = from + limit;
  return { page: all.slice(from, to), nextToken: all.length > to ? { nextToken: String(to) } : {} };
}
