import type { PutApprovalResultInput, PutApprovalResultOutput } from "@aws-sdk/client-codepipeline";
import { principalArn } from "../authorization/principal.ts";
import { type Call, operation } from "../gateway/service.ts";
import { actionNotFound, approvalCompleted, invalidApprovalToken } from "./errors.ts";
import { findPipeline, on, type Parts } from "./service-parts.ts";
import { emitAction } from "./state-events.ts";
import type { ActionExecution, Store } from "./store.ts";

/** Answering manual approvals: PutApprovalResult. */
export function approvalOperations(parts: Pick<Parts, "core" | "store">) {
  return {
    PutApprovalResult: operation<PutApprovalResultInput, PutApprovalResultOutput>({
      access: (input, call) => on("PutApprovalResult", call, input.pipelineName, input.stageName, input.actionName),
      run: (input, call) => answer(parts, input, call),
    }),
  };
}

function answer({ core, store }: Pick<Parts, "core" | "store">, input: PutApprovalResultInput, call: Call): PutApprovalResultOutput {
  const action = findQuestion(store, input, call);
  const now = core.clock.now();
  const answered: ActionExecution = {
    ...action,
    updatedBy: principalArn(call.caller),
    summary: `${input.result?.status} ${input.result?.summary ?? ""}`.trim(),
    updated: now.toISOString(),
  };
  const executionKey = [action.account, action.region, action.pipeline, action.executionId];
  store.transaction(() => {
    store.actions.put([...executionKey, action.id], answered);
    const execution = store.executions.get(executionKey);
    if (execution) emitAction(core, execution, answered);
  });
  return { approvedAt: now };
}

/** @throws AwsError PipelineNotFoundException, ActionNotFoundException, InvalidApprovalTokenException, ApprovalAlreadyCompletedException */
function findQuestion(store: Store, input: PutApprovalResultInput, call: Call): ActionExecution {
  findPipeline(store, call, input.pipelineName);
  const asked = store.actions
    .list([call.account, call.region, input.pipelineName ?? ""])
    .map((entry) => entry.value)
    .filter((one) => one.stage === input.stageName && one.action === input.actionName);
  if (asked.length === 0) throw actionNotFound(input.actionName ?? "");
  const action = asked.find((one) => one.token === input.token);
  if (!action) throw invalidApprovalToken();
  if (action.status !== "InProgress" || action.updatedBy) throw approvalCompleted();
  return action;
}
