import {
  type ActionExecutionDetail,
  type ActionState,
  type CodePipelineClient,
  GetPipelineExecutionCommand,
  GetPipelineStateCommand,
  paginateListActionExecutions,
  paginateListPipelineExecutions,
  type PipelineExecutionSummary,
} from "@aws-sdk/client-codepipeline";
import { isFirstStart } from "../../release/first-start.ts";
import { NAMES, pipelineName } from "../../release/names.ts";
import { Problem } from "../cli.ts";

/** One release as its pipeline knows it. */
export interface ReleaseState {
  readonly workflow: string;
  readonly pipelineExecutionId: string;
  readonly status: string;
  readonly commit?: string;
  readonly message?: string;
  readonly startedAt?: string;
  readonly actions: readonly ActionStep[];
  /** Set where this is no release: the pipeline's own start when it was made, which found nothing to release. */
  readonly isFirstStart?: true;
  /** Set while the release waits for an approval. */
  readonly approval?: { readonly token: string; readonly link?: string };
}

/** One action of a stage. */
export interface ActionStep {
  readonly stage: string;
  readonly action: string;
  readonly status: string;
  readonly seconds?: number;
  readonly summary?: string;
  /** A build's id, an execution's ARN, … */
  readonly externalId?: string;
  readonly error?: string;
}

/** Latest executions first. @throws Problem when the workflow has no pipeline */
export async function listReleases(
  codepipeline: CodePipelineClient,
  workflow: string,
  limit = 10,
): Promise<readonly PipelineExecutionSummary[]> {
  const found: PipelineExecutionSummary[] = [];
  try {
    for await (const page of paginateListPipelineExecutions(
      { client: codepipeline },
      { pipelineName: pipelineName(workflow), maxResults: Math.min(limit, 100) },
    )) {
      found.push(...(page.pipelineExecutionSummaries ?? []));
      if (found.length >= limit) break;
    }
  } catch (error) {
    if ((error as Error).name !== "PipelineNotFoundException") throw error;
    throw new Problem(
      `there is no pipeline ${pipelineName(workflow)} here`,
      "`omx workflow list` shows the workflows, `omx workflow add` makes one, `omx deploy` deploys them",
    );
  }
  return found.slice(0, limit);
}

/** The execution that is meant: the one named (by the start of its id), else the latest. */
export async function chooseRelease(codepipeline: CodePipelineClient, workflow: string, execution?: string): Promise<string> {
  const releases = await listReleases(codepipeline, workflow, execution ? 100 : 1);
  const found = execution ? releases.filter(({ pipelineExecutionId = "" }) => pipelineExecutionId.startsWith(execution)) : releases;
  const id = found[0]?.pipelineExecutionId;
  if (!id)
    throw new Problem(
      execution ? `${workflow} has no release ${execution}` : `nothing of ${workflow} was released yet`,
      execution ? `see which there are: omx release status ${workflow} --list 10` : "push to its release branch",
    );
  if (found.length > 1) throw new Problem(`${execution} is the start of ${found.length} releases' ids`, "write more of it");
  return id;
}

/** Everything the pipeline knows of one execution. */
export async function readRelease(codepipeline: CodePipelineClient, workflow: string, pipelineExecutionId: string): Promise<ReleaseState> {
  const name = pipelineName(workflow);
  // First of all: of an execution that has ended, actions that were read before may not have.
  const { pipelineExecution } = await codepipeline.send(new GetPipelineExecutionCommand({ pipelineName: name, pipelineExecutionId }));
  const [actions, state] = await Promise.all([
    listActions(codepipeline, name, pipelineExecutionId),
    codepipeline.send(new GetPipelineStateCommand({ name })),
  ]);
  const waiting = approvalOf(state.stageStates ?? [], pipelineExecutionId);
  const { status = "", statusSummary, artifactRevisions = [] } = pipelineExecution ?? {};
  const commit = artifactRevisions.find(({ revisionId }) => /^[0-9a-f]{40}$/.test(revisionId ?? ""))?.revisionId;
  const isFirst = isFirstStart(pipelineExecution ?? {}, artifactRevisions);
  const startedAt = actions[0]?.startTime?.toISOString();
  return {
    workflow,
    pipelineExecutionId,
    status,
    ...(commit && { commit }),
    ...(statusSummary && { message: statusSummary }),
    ...(startedAt && { startedAt }),
    ...(isFirst && { isFirstStart: true }),
    actions: actions.map(stepOf),
    ...(waiting?.token && {
      approval: { token: waiting.token, ...(waiting.externalExecutionUrl && { link: waiting.externalExecutionUrl }) },
    }),
  };
}

/** The step for which a release failed; none of one that was retried and succeeded. */
export const failedStep = ({ status, actions }: Pick<ReleaseState, "status" | "actions">): ActionStep | undefined =>
  status === "Succeeded" ? undefined : actions.findLast((step) => step.status === "Failed");

async function listActions(
  codepipeline: CodePipelineClient,
  name: string,
  pipelineExecutionId: string,
): Promise<readonly ActionExecutionDetail[]> {
  const found: ActionExecutionDetail[] = [];
  for await (const page of paginateListActionExecutions({ client: codepipeline }, { pipelineName: name, filter: { pipelineExecutionId } }))
    found.push(...(page.actionExecutionDetails ?? []));
  return found.sort((a, b) => (a.startTime?.getTime() ?? 0) - (b.startTime?.getTime() ?? 0));
}

function approvalOf(
  stages: readonly {
    readonly stageName?: string | undefined;
    readonly latestExecution?: { readonly pipelineExecutionId: string | undefined } | undefined;
    readonly actionStates?: ActionState[] | undefined;
  }[],
  pipelineExecutionId: string,
): ActionState["latestExecution"] {
  const stage = stages.find(({ stageName }) => stageName === NAMES.approvalStage);
  if (stage?.latestExecution?.pipelineExecutionId !== pipelineExecutionId) return undefined;
  const action = stage.actionStates?.find(({ actionName }) => actionName === NAMES.approvalAction)?.latestExecution;
  return action?.status === "InProgress" ? action : undefined;
}

function stepOf({
  stageName = "",
  actionName = "",
  status = "InProgress",
  startTime,
  lastUpdateTime,
  output,
}: ActionExecutionDetail): ActionStep {
  const { externalExecutionSummary: summary, externalExecutionId: externalId, errorDetails } = output?.executionResult ?? {};
  const ended = status === "InProgress" ? undefined : lastUpdateTime;
  return {
    stage: stageName,
    action: actionName,
    status,
    ...(startTime && ended && { seconds: (ended.getTime() - startTime.getTime()) / 1000 }),
    ...(summary && { summary }),
    ...(externalId && { externalId }),
    ...(errorDetails?.message && { error: errorDetails.message }),
  };
}
