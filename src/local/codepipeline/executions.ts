import { createHash } from "node:crypto";
import type {
  GetPipelineExecutionInput, GetPipelineExecutionOutput, ListActionExecutionsInput, ListActionExecutionsOutput, ListPipelineExecutionsInput, ListPipelineExecutionsOutput,
  PutApprovalResultInput, PutApprovalResultOutput, RetryStageExecutionInput, RetryStageExecutionOutput, StartPipelineExecutionInput, StartPipelineExecutionOutput, StopPipelineExecutionInput, StopPipelineExecutionOutput,
} from "@aws-sdk/client-codepipeline";
import { principalArn } from "../authorization/principal.ts";
import { type Call, type Core, operation } from "../gateway/service.ts";
import { describeAction, describeSummary } from "./descriptions.ts";
import type { Engine } from "./engine.ts";
import { actionNotFound, approvalCompleted, executionNotFound, invalidApprovalToken, notStoppable, stageNotFound, stageNotRetryable } from "./errors.ts";
import { findPipeline, on } from "./pipelines.ts";
import { startExecution } from "./start.ts";
import { emitAction } from "./state-events.ts";
import { type Execution, pipelineArn, type Store } from "./store.ts";

/** What EventBridge adds when a rule starts a pipeline; nothing on the wire carries it. */
export interface Triggered {
  readonly trigger?: Execution["trigger"];
}

/** Starting, following, stopping and retrying executions, and answering approvals. */
export function executionOperations(core: Core, store: Store, engine: Engine) {
  const advance = (call: Call, name: string | undefined) => engine.advance({ account: call.account, region: call.region, name: name ?? "" });
  const find = (call: Call, pipeline: string | undefined, id: string | undefined): Execution => {
    findPipeline(store, call, pipeline);
    const execution = store.executions.get([call.account, call.region, pipeline ?? "", id ?? ""]);
    if (!execution) throw executionNotFound(id ?? "");
    return execution;
  };
  const put = (execution: Execution) => store.executions.put([execution.account, execution.region, execution.pipeline, execution.id], { ...execution, updated: core.clock.now().toISOString() });
  const actionsOf = ({ account, region, pipeline, id }: Execution) => store.actions.list([account, region, pipeline, id]).map((entry) => entry.value);
  return {
    StartPipelineExecution: operation<StartPipelineExecutionInput & Triggered, StartPipelineExecutionOutput>({
      access: (input, call) => on("StartPipelineExecution")(input.name, call),
      run(input, call) {
        const record = findPipeline(store, call, input.name);
        const id = input.clientRequestToken ? uuidFrom(`${input.name} ${input.clientRequestToken}`) : undefined;
        const known = id && store.executions.get([call.account, call.region, record.declaration.name, id]);
        if (known) return { pipelineExecutionId: known.id };
        const trigger = input.trigger ?? { triggerType: "StartPipelineExecution", triggerDetail: principalArn(call.caller) };
        const execution = startExecution(core, store, { record, trigger, ...(id && { id }) });
        advance(call, input.name);
        return { pipelineExecutionId: execution.id };
      },
    }),
    GetPipelineExecution: operation<GetPipelineExecutionInput, GetPipelineExecutionOutput>({
      access: (input, call) => on("GetPipelineExecution")(input.pipelineName, call),
      run(input, call) {
        const execution = find(call, input.pipelineName, input.pipelineExecutionId);
        return {
          pipelineExecution: {
            pipelineName: execution.pipeline, pipelineVersion: execution.declaration.version, pipelineExecutionId: execution.id, status: execution.status,
            ...(execution.statusSummary && { statusSummary: execution.statusSummary }), trigger: execution.trigger as never, executionMode: execution.declaration.executionMode ?? "SUPERSEDED",
            artifactRevisions: execution.revisions.map(({ actionName, revisionId, revisionSummary, revisionUrl }) => ({ name: actionName, revisionId, revisionSummary, revisionUrl })),
          },
        };
      },
    }),
    ListPipelineExecutions: operation<ListPipelineExecutionsInput, ListPipelineExecutionsOutput>({
      access: (input, call) => on("ListPipelineExecutions")(input.pipelineName, call),
      run(input, call) {
        const { declaration } = findPipeline(store, call, input.pipelineName);
        const all = store.executions.list([call.account, call.region, declaration.name]).map((entry) => entry.value).sort((a, b) => (a.order > b.order ? -1 : 1));
        const from = Number(input.nextToken ?? 0);
        const limit = input.maxResults ?? 100;
        return { pipelineExecutionSummaries: all.slice(from, from + limit).map(describeSummary), ...(all.length > from + limit && { nextToken: String(from + limit) }) };
      },
    }),
    ListActionExecutions: operation<ListActionExecutionsInput, ListActionExecutionsOutput>({
      access: (input, call) => on("ListActionExecutions")(input.pipelineName, call),
      run(input, call) {
        const { declaration } = findPipeline(store, call, input.pipelineName);
        const wanted = input.filter?.pipelineExecutionId;
        const found = store.actions.list([call.account, call.region, declaration.name, ...(wanted ? [wanted] : [])]).map((entry) => entry.value).sort((a, b) => (a.started > b.started ? -1 : 1));
        const from = Number(input.nextToken ?? 0);
        const limit = input.maxResults ?? 100;
        return { actionExecutionDetails: found.slice(from, from + limit).map((action) => describeAction(action, declaration)), ...(found.length > from + limit && { nextToken: String(from + limit) }) };
      },
    }),
    StopPipelineExecution: operation<StopPipelineExecutionInput, StopPipelineExecutionOutput>({
      access: (input, call) => on("StopPipelineExecution")(input.pipelineName, call),
      run(input, call) {
        const execution = find(call, input.pipelineName, input.pipelineExecutionId);
        if (execution.status !== "InProgress") throw notStoppable(`Pipeline execution ${execution.id} is ${execution.status}; only one in progress can be stopped`);
        const abandon = input.abandon ?? false;
        store.transaction(() => {
          put({ ...execution, status: "Stopping", stopRequested: { abandon, reason: input.reason ?? "" } });
          for (const action of actionsOf(execution)) if (action.status === "InProgress" && (abandon || action.token)) store.actions.put([action.account, action.region, action.pipeline, action.executionId, action.id], { ...action, status: "Abandoned", updated: core.clock.now().toISOString() });
        });
        advance(call, input.pipelineName);
        return { pipelineExecutionId: execution.id };
      },
    }),
    RetryStageExecution: operation<RetryStageExecutionInput, RetryStageExecutionOutput>({
      access: (input, call) => [{ action: "codepipeline:RetryStageExecution", resource: `${pipelineArn(call, input.pipelineName ?? "")}/${input.stageName}` }],
      run(input, call) {
        const execution = find(call, input.pipelineName, input.pipelineExecutionId);
        const stageIndex = execution.declaration.stages?.findIndex((stage) => stage.name === input.stageName) ?? -1;
        if (stageIndex < 0) throw stageNotFound(input.stageName ?? "");
        if (!["Failed", "Stopped"].includes(execution.status) || execution.stageIndex !== stageIndex) throw stageNotRetryable(`Stage ${input.stageName} of execution ${execution.id} did not fail`);
        const { stopRequested: _stopped, statusSummary: _summary, ...rest } = execution;
        store.transaction(() => {
          if (input.retryMode === "ALL_ACTIONS") for (const action of actionsOf(execution).filter((one) => one.stage === input.stageName && one.status === "Succeeded")) store.actions.put([action.account, action.region, action.pipeline, action.executionId, action.id], { ...action, status: "Abandoned" });
          put({ ...rest, status: "InProgress", inStage: false });
        });
        advance(call, input.pipelineName);
        return { pipelineExecutionId: execution.id };
      },
    }),
    PutApprovalResult: operation<PutApprovalResultInput, PutApprovalResultOutput>({
      access: (input, call) => [{ action: "codepipeline:PutApprovalResult", resource: `${pipelineArn(call, input.pipelineName ?? "")}/${input.stageName}/${input.actionName}` }],
      run(input, call) {
        findPipeline(store, call, input.pipelineName);
        const asked = store.actions.list([call.account, call.region, input.pipelineName ?? ""]).map((entry) => entry.value).filter((one) => one.stage === input.stageName && one.action === input.actionName);
        if (asked.length === 0) throw actionNotFound(input.actionName ?? "");
        const action = asked.find((one) => one.token === input.token);
        if (!action) throw invalidApprovalToken();
        if (action.status !== "InProgress" || action.updatedBy) throw approvalCompleted();
        const now = core.clock.now();
        const answered = { ...action, updatedBy: principalArn(call.caller), summary: `${input.result?.status} ${input.result?.summary ?? ""}`.trim(), updated: now.toISOString() };
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

/** The same token is the same execution. */
function uuidFrom(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
