import type { ActionDeclaration } from "@aws-sdk/client-codepipeline";
import type { Principal } from "../authorization/principal.ts";
import { AwsError } from "../gateway/aws-error.ts";
import type { Core } from "../gateway/service.ts";
import { Failure } from "../gateway/failure.ts";
import type { ActionContext, ActionOutcome } from "./action.ts";
import { PROVIDERS } from "./actions/providers.ts";
import { emitAction } from "./state-events.ts";
import { type ActionExecution, type Execution, pipelineArn, type StageStatus, type Store } from "./store.ts";
import { fillVariables } from "./pipeline-variables.ts";

/** Runs the actions of the stage an execution is in. */
export interface StageRunner {
  run(execution: Execution, signal: AbortSignal): Promise<StageStatus>;
}

interface Worker {
  readonly core: Core;
  readonly store: Store;
}

export function createStageRunner(core: Core, store: Store): StageRunner {
  return { run: (execution, signal) => run({ core, store }, execution, signal) };
}

const read = ({ store }: Worker, execution: Execution): Execution =>
  store.executions.get([execution.account, execution.region, execution.pipeline, execution.id]) ?? execution;
const put = ({ store }: Worker, action: ActionExecution) =>
  store.actions.put([action.account, action.region, action.pipeline, action.executionId, action.id], action);

async function run(worker: Worker, execution: Execution, signal: AbortSignal): Promise<StageStatus> {
  const stage = execution.declaration.stages?.[execution.stageIndex];
  const groups = Map.groupBy(stage?.actions ?? [], (action) => action.runOrder ?? 1);
  for (const order of [...groups.keys()].sort((a, b) => a - b)) {
    const statuses = await Promise.all(
      (groups.get(order) ?? []).map((action) =>
        runAction(worker, read(worker, execution), { stage: stage?.name ?? "", declared: action, signal }),
      ),
    );
    signal.throwIfAborted();
    if (statuses.some((status) => status === "Failed")) return "Failed";
    if (statuses.some((status) => status === "Abandoned") || read(worker, execution).stopRequested) return "Stopped";
  }
  return "Succeeded";
}

async function runAction(
  worker: Worker,
  execution: Execution,
  parts: { readonly stage: string; readonly declared: ActionDeclaration; readonly signal: AbortSignal },
): Promise<ActionExecution["status"]> {
  const attempt = findAttempt(worker, execution, parts) ?? begin(worker, execution, parts);
  if (attempt.status !== "InProgress") return attempt.status;
  try {
    if (attempt.unresolved)
      throw new Failure("ConfigurationError", `Variable references could not be resolved: ${attempt.unresolved.join(", ")}`);
    const context = await contextOf(worker, execution, attempt, parts);
    const provider = PROVIDERS[`${parts.declared.actionTypeId?.category}/${parts.declared.actionTypeId?.provider}`];
    if (!provider)
      throw new Failure(
        "ConfigurationError",
        `the local accounts do not run actions of ${parts.declared.actionTypeId?.category} by ${parts.declared.actionTypeId?.provider}`,
      );
    return succeed(worker, execution, context, await provider(context));
  } catch (error) {
    if (parts.signal.aborted) throw error;
    return fail(worker, execution, attempt, error as Error);
  }
}

/** The attempt that runs, or that succeeded before the stage was retried or the process killed. */
function findAttempt(
  worker: Worker,
  { account, region, pipeline, id }: Execution,
  { stage, declared }: { readonly stage: string; readonly declared: ActionDeclaration },
): ActionExecution | undefined {
  const attempts = worker.store.actions
    .list([account, region, pipeline, id])
    .map((entry) => entry.value)
    .filter((one) => one.stage === stage && one.action === declared.name);
  return attempts.find((one) => one.status === "InProgress" || one.status === "Succeeded");
}

function begin(
  worker: Worker,
  execution: Execution,
  { stage, declared }: { readonly stage: string; readonly declared: ActionDeclaration },
): ActionExecution {
  const { account, region, pipeline, id: executionId } = execution;
  const id = worker.core.random.uuid();
  const now = worker.core.clock.now().toISOString();
  const bucket = execution.declaration.artifactStore?.location ?? "";
  const inputs = (declared.inputArtifacts ?? []).flatMap(({ name = "" }) => execution.artifacts[name] ?? []);
  // CodePipeline shortens pipeline and artifact names in keys; roles are written for that prefix.
  const outputs = (declared.outputArtifacts ?? []).map(({ name = "" }) => ({
    name,
    bucket,
    key: `${pipeline.slice(0, 20)}/${name.slice(0, 10)}/${id.replaceAll("-", "").slice(0, 16)}`,
  }));
  const { configuration, unresolved } = fillVariables(declared.configuration ?? {}, execution);
  const action: ActionExecution = {
    account,
    region,
    pipeline,
    executionId,
    id,
    stage,
    action: declared.name ?? "",
    status: "InProgress",
    started: now,
    updated: now,
    configuration,
    inputs,
    outputs,
    ...(unresolved.length > 0 && { unresolved }),
  };
  worker.store.transaction(() => {
    put(worker, action);
    emitAction(worker.core, execution, action);
  });
  return action;
}

async function contextOf(
  worker: Worker,
  execution: Execution,
  attempt: ActionExecution,
  { declared, signal }: { readonly declared: ActionDeclaration; readonly signal: AbortSignal },
): Promise<ActionContext> {
  const current = () =>
    worker.store.actions.get([attempt.account, attempt.region, attempt.pipeline, attempt.executionId, attempt.id]) ?? attempt;
  return {
    core: worker.core,
    execution,
    declared,
    signal,
    current,
    configuration: attempt.configuration,
    inputs: attempt.inputs,
    outputs: attempt.outputs,
    as: await actionRole(worker.core, execution, declared),
    note: (changed) => put(worker, { ...current(), ...changed, updated: worker.core.clock.now().toISOString() }),
  };
}

function succeed(worker: Worker, execution: Execution, { current, declared, outputs }: ActionContext, outcome: ActionOutcome): "Succeeded" {
  const done: ActionExecution = {
    ...current(),
    status: "Succeeded",
    updated: worker.core.clock.now().toISOString(),
    ...(outcome.summary && { summary: outcome.summary }),
    ...(outcome.variables && { variables: outcome.variables }),
  };
  worker.store.transaction(() => {
    put(worker, done);
    const now = read(worker, execution);
    const revision = outcome.revision;
    worker.store.executions.put([now.account, now.region, now.pipeline, now.id], {
      ...now,
      artifacts: { ...now.artifacts, ...Object.fromEntries(outputs.map((output) => [output.name, output])) },
      ...(declared.namespace && outcome.variables && { variables: { ...now.variables, [declared.namespace]: outcome.variables } }),
      ...(revision && {
        revisions: [
          ...now.revisions.filter((one) => one.actionName !== declared.name),
          { actionName: declared.name ?? "", revisionId: revision.id, revisionSummary: revision.summary, revisionUrl: revision.url },
        ],
      }),
    });
    emitAction(worker.core, now, done);
  });
  return "Succeeded";
}

function fail(worker: Worker, execution: Execution, attempt: ActionExecution, error: Error): ActionExecution["status"] {
  const stored = worker.store.actions.get([attempt.account, attempt.region, attempt.pipeline, attempt.executionId, attempt.id]) ?? attempt;
  if (stored.status === "Abandoned") return "Abandoned";
  const code = error instanceof Failure || error instanceof AwsError ? error.code : "InternalError";
  if (code === "InternalError") worker.core.log("codepipeline", error.stack ?? error.message);
  const failed: ActionExecution = {
    ...stored,
    status: "Failed",
    updated: worker.core.clock.now().toISOString(),
    error: { code, message: error.message },
  };
  worker.store.transaction(() => {
    put(worker, failed);
    emitAction(worker.core, read(worker, execution), failed);
  });
  return "Failed";
}

/** The pipeline assumes its own role, and with it the role of an action that has one: the chain AWS takes. */
async function actionRole(
  core: Core,
  { account, region, pipeline, declaration }: Execution,
  declared: ActionDeclaration,
): Promise<Principal> {
  const sourceArn = pipelineArn({ account, region }, pipeline);
  const own = core.directory.assumeAsService({
    service: "codepipeline.amazonaws.com",
    roleArn: declaration.roleArn ?? "",
    sessionName: `pipeline-${pipeline}`.slice(0, 64),
    sourceArn,
  });
  if (!declared.roleArn) return own;
  const input = { RoleArn: declared.roleArn, RoleSessionName: `action-${declared.name}`.slice(0, 64) };
  const { Credentials } = await core.dispatcher.call<{ Credentials: { AccessKeyId: string } }>({
    service: "sts",
    operation: "AssumeRole",
    input,
    as: own,
    account,
    region,
  });
  const session = core.directory.credential(Credentials.AccessKeyId);
  if (!session) throw new Error(`the session of ${declared.roleArn} is gone`);
  return session.principal;
}
