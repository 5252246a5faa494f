import { createHash } from "node:crypto";
import type {
  GetPipelineExecutionInput,
  GetPipelineExecutionOutput,
  ListActionExecutionsInput,
  ListActionExecutionsOutput,
  ListPipelineExecutionsInput,
  ListPipelineExecutionsOutput,
  PipelineDeclaration,
  PutApprovalResultInput,
  PutApprovalResultOutput,
  RetryStageExecutionInput,
  RetryStageExecutionOutput,
  StartPipelineExecutionInput,
  StartPipelineExecutionOutput,
  StopPipelineExecutionInput,
  StopPipelineExecutionOutput,
} from "@aws-sdk/client-codepipeline";
import { principalArn } from "../authorization/principal.ts";
import { notImplemented } from "../gateway/aws-error.ts";
import { type Call, type Core, operation } from "../gateway/service.ts";
import { describeAction, describeSummary } from "./descriptions.ts";
import type { Engine } from "./engine.ts";
import {
  actionNotFound,
  approvalCompleted,
  executionNotFound,
  invalidApprovalToken,
  invalidRequest,
  notStoppable,
  stageNotFound,
  stageNotRetryable,
} from "./errors.ts";
import { findPipeline, on } from "./pipelines.ts";
import { checkRetriable, forgetStage } from "./retry.ts";
import { startExecution } from "./start.ts";
import { emitAction } from "./state-events.ts";
import { type Execution, pipelineArn, type Store } from "./store.ts";

/** What EventBridge adds when a rule starts a pipeline; nothing on the wire carries it. */
export interface Triggered {
  readonly trigger?: Execution["trigger"];
}

interface Parts {
  readonly core: Core;
  readonly store: Store;
  readonly engine: Engine;
}

/** Starting, following, stopping and retrying executions, and answering approvals. */
export function executionOperations(core: Core, store: Store, engine: Engine) {
  return {
    ...startingOperations({ core, store, engine }),
    ...readingOperations({ core, store, engine }),
    ...interruptingOperations({ core, store, engine }),
    ...answeringOperations({ core, store, engine }),
  };
}

function startingOperations({ core, store, engine }: Parts) {
  return {
    StartPipelineExecution: operation<StartPipelineExecutionInput & Triggered, StartPipelineExecutionOutput>({
      access: (input, call) => on("StartPipelineExecution")(input.name, call),
      run(input, call) {
        const record = findPipeline(store, call, input.name);
        const id = input.clientRequestToken ? uuidFrom(`${input.name} ${input.clientRequestToken}`) : undefined;
        const known = id && store.executions.get([call.account, call.region, record.declaration.name, id]);
        if (known) return { pipelineExecutionId: known.id };
        const trigger = input.trigger ?? { triggerType: "StartPipelineExecution", triggerDetail: principalArn(call.caller) };
        const execution = startExecution(core, store, {
          record,
          trigger,
          variables: input.variables,
          revisions: revisionsOf(record.declaration, input),
          ...(id && { id }),
        });
        advance(engine, call, input.name);
        return { pipelineExecutionId: execution.id };
      },
    }),
  };
}

function readingOperations({ store }: Parts) {
  return {
    GetPipelineExecution: operation<GetPipelineExecutionInput, GetPipelineExecutionOutput>({
      access: (input, call) => on("GetPipelineExecution")(input.pipelineName, call),
      run(input, call) {
        const execution = find(store, call, input);
        return {
          pipelineExecution: {
            pipelineName: execution.pipeline,
            pipelineVersion: execution.declaration.version,
            pipelineExecutionId: execution.id,
            status: execution.status,
            ...(execution.statusSummary && { statusSummary: execution.statusSummary }),
            trigger: execution.trigger as never,
            executionMode: execution.declaration.executionMode ?? "SUPERSEDED",
            variables: Object.entries(execution.variables["variables"] ?? {}).map(([name, resolvedValue]) => ({ name, resolvedValue })),
            artifactRevisions: execution.revisions.map(({ actionName, revisionId, revisionSummary, revisionUrl }) => ({
              name: actionName,
              revisionId,
              revisionSummary,
              revisionUrl,
            })),
          },
        };
      },
    }),
    ListPipelineExecutions: operation<ListPipelineExecutionsInput, ListPipelineExecutionsOutput>({
      access: (input, call) => on("ListPipelineExecutions")(input.pipelineName, call),
      run(input, call) {
        const { declaration } = findPipeline(store, call, input.pipelineName);
        const all = store.executions
          .list([call.account, call.region, declaration.name])
          .map((entry) => entry.value)
          .sort((a, b) => (a.order > b.order ? -1 : 1));
        const { page, nextToken } = pageOf(all, input);
        return { pipelineExecutionSummaries: page.map(describeSummary), ...nextToken };
      },
    }),
    ListActionExecutions: operation<ListActionExecutionsInput, ListActionExecutionsOutput>({
      access: (input, call) => on("ListActionExecutions")(input.pipelineName, call),
      run(input, call) {
        const { declaration } = findPipeline(store, call, input.pipelineName);
        const wanted = input.filter?.pipelineExecutionId;
        const found = store.actions
          .list([call.account, call.region, declaration.name, ...(wanted ? [wanted] : [])])
          .map((entry) => entry.value)
          .sort((a, b) => (a.started > b.started ? -1 : 1));
        const { page, nextToken } = pageOf(found, input);
        return { actionExecutionDetails: page.map((action) => describeAction(action, declaration)), ...nextToken };
      },
    }),
  };
}

/** One page of a list; its token is the place of the next one's first item. */
function pageOf<T>(
  all: readonly T[],
  { nextToken, maxResults: limit = 100 }: { readonly nextToken?: string | undefined; readonly maxResults?: number | undefined },
) {
  const [from, to] = [Number(nextToken ?? 0), Number(nextToken ?? 0) + limit];
  return { page: all.slice(from, to), nextToken: all.length > to ? { nextToken: String(to) } : {} };
}

function interruptingOperations(parts: Parts) {
  const { core, store, engine } = parts;
  return {
    StopPipelineExecution: operation<StopPipelineExecutionInput, StopPipelineExecutionOutput>({
      access: (input, call) => on("StopPipelineExecution")(input.pipelineName, call),
      run(input, call) {
        const execution = find(store, call, input);
        if (execution.status !== "InProgress")
          throw notStoppable(`Pipeline execution ${execution.id} is ${execution.status}; only one in progress can be stopped`);
        const abandon = input.abandon ?? false;
        store.transaction(() => {
          put(parts, { ...execution, status: "Stopping", stopRequested: { abandon, reason: input.reason ?? "" } });
          const stopped = actionsOf(store, execution).filter((action) => action.status === "InProgress" && (abandon || action.token));
          const updated = core.clock.now().toISOString();
          for (const action of stopped)
            store.actions.put([action.account, action.region, action.pipeline, action.executionId, action.id], {
              ...action,
              status: "Abandoned",
              updated,
            });
        });
        advance(engine, call, input.pipelineName);
        return { pipelineExecutionId: execution.id };
      },
    }),
    RetryStageExecution: operation<RetryStageExecutionInput, RetryStageExecutionOutput>({
      access: (input, call) => [
        { action: "codepipeline:RetryStageExecution", resource: `${pipelineArn(call, input.pipelineName ?? "")}/${input.stageName}` },
      ],
      run(input, call) {
        const execution = find(store, call, input);
        const stageIndex = execution.declaration.stages?.findIndex((stage) => stage.name === input.stageName) ?? -1;
        if (stageIndex < 0) throw stageNotFound(input.stageName ?? "");
        if (!["Failed", "Stopped"].includes(execution.status) || execution.stageIndex !== stageIndex)
          throw stageNotRetryable(`Stage ${input.stageName} of execution ${execution.id} did not fail`);
        checkRetriable(store, execution, input.stageName ?? "");
        const { stopRequested: _stopped, statusSummary: _summary, ...rest } = execution;
        store.transaction(() => {
          if (input.retryMode === "ALL_ACTIONS") forgetStage(store, execution, input.stageName ?? "");
          put(parts, { ...rest, status: "InProgress", inStage: false });
        });
        advance(engine, call, input.pipelineName);
        return { pipelineExecutionId: execution.id };
      },
    }),
  };
}

function answeringOperations({ core, store }: Parts) {
  return {
    PutApprovalResult: operation<PutApprovalResultInput, PutApprovalResultOutput>({
      access: (input, call) => [
        {
          action: "codepipeline:PutApprovalResult",
          resource: `${pipelineArn(call, input.pipelineName ?? "")}/${input.stageName}/${input.actionName}`,
        },
      ],
      run(input, call) {
        findPipeline(store, call, input.pipelineName);
        const asked = store.actions
          .list([call.account, call.region, input.pipelineName ?? ""])
          .map((entry) => entry.value)
          .filter((one) => one.stage === input.stageName && one.action === input.actionName);
        if (asked.length === 0) throw actionNotFound(input.actionName ?? "");
        const action = asked.find((one) => one.token === input.token);
        if (!action) throw invalidApprovalToken();
        if (action.status !== "InProgress" || action.updatedBy) throw approvalCompleted();
        const now = core.clock.now();
        const answered = {
          ...action,
          updatedBy: principalArn(call.caller),
          summary: `${input.result?.status} ${input.result?.summary ?? ""}`.trim(),
          updated: now.toISOString(),
        };
        store.transaction(() => {
          store.actions.put([action.account, action.region, action.pipeline, action.executionId, action.id], answered);
          const execution = store.executions.get([action.account, action.region, action.pipeline, action.executionId]);
          if (execution) emitAction(core, execution, answered);
        });
        return { approvedAt: now };
      },
    }),
  };
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

const advance = (engine: Engine, call: Call, name: string | undefined) =>
  engine.advance({ account: call.account, region: call.region, name: name ?? "" });

function find(
  store: Store,
  call: Call,
  { pipelineName, pipelineExecutionId }: { readonly pipelineName: string | undefined; readonly pipelineExecutionId: string | undefined },
): Execution {
  findPipeline(store, call, pipelineName);
  const execution = store.executions.get([call.account, call.region, pipelineName ?? "", pipelineExecutionId ?? ""]);
  if (!execution) throw executionNotFound(pipelineExecutionId ?? "");
  return execution;
}

const put = ({ core, store }: Parts, execution: Execution) =>
  store.executions.put([execution.account, execution.region, execution.pipeline, execution.id], {
    ...execution,
    updated: core.clock.now().toISOString(),
  });

const actionsOf = (store: Store, { account, region, pipeline, id }: Execution) =>
  store.actions.list([account, region, pipeline, id]).map((entry) => entry.value);

/** The same token is the same execution. */
function uuidFrom(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
