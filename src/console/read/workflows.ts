import {
  type CodePipelineClient,
  GetPipelineStateCommand,
  paginateListPipelineExecutions,
  paginateListPipelines,
  type PipelineExecutionSummary,
} from "@aws-sdk/client-codepipeline";
import { isFirstStart, isUnpushed } from "../../release/first-start.ts";
import { pipelineName } from "../../release/names.ts";
import { readSourceError } from "../../release/source-error.ts";
import { askedIn } from "./stages.ts";

/** A passage of a commit through a workflow's pipeline, as a list shows it. */
export interface ReleaseSummary {
  readonly id: string;
  /** As CodePipeline has it; `Waiting` while it waits for an approver, `FirstStart` of a new pipeline's own start, which found nothing to release, `SourceUnread` where it could not look. */
  readonly status: string;
  readonly commit: string;
  /** First line of the commit's message. */
  readonly summary: string;
  readonly started?: Date;
  readonly updated?: Date;
}

export interface WorkflowSummary {
  readonly workflow: string;
  /** Latest first. */
  readonly releases: readonly ReleaseSummary[];
}

const PREFIX = pipelineName("");
const RECENT = 5;

/** Every workflow that omx releases here, with its latest releases. */
export async function listWorkflows(codepipeline: CodePipelineClient): Promise<readonly WorkflowSummary[]> {
  const names: string[] = [];
  for await (const page of paginateListPipelines({ client: codepipeline }, {}))
    names.push(...(page.pipelines ?? []).flatMap(({ name = "" }) => (name.startsWith(PREFIX) ? [name.slice(PREFIX.length)] : [])));
  return Promise.all(names.sort().map(async (workflow) => ({ workflow, releases: await listReleases(codepipeline, workflow, RECENT) })));
}

/** The latest releases of a workflow. @throws the SDK's PipelineNotFoundException */
export async function listReleases(codepipeline: CodePipelineClient, workflow: string, limit: number): Promise<readonly ReleaseSummary[]> {
  const found: PipelineExecutionSummary[] = [];
  for await (const page of paginateListPipelineExecutions(
    { client: codepipeline, pageSize: Math.min(limit, 100) },
    { pipelineName: pipelineName(workflow) },
  )) {
    found.push(...(page.pipelineExecutionSummaries ?? []));
    if (found.length >= limit) break;
  }
  const releases = await Promise.all(
    found.slice(0, limit).map(async (execution) => {
      const release = summarizeExecution(execution);
      const of = { pipelineName: pipelineName(workflow), pipelineExecutionId: release.id };
      return release.status === "FirstStart" ? { ...release, status: firstStatus(await readSourceError(codepipeline, of)) } : release;
    }),
  );
  const waiting = releases.some(({ status }) => status === "InProgress") ? await waitingIn(codepipeline, workflow) : undefined;
  return releases.map((release) =>
    release.status === "InProgress" && release.id === waiting ? { ...release, status: "Waiting" } : release,
  );
}

/** The status of a new pipeline's own start. @param error what its source said */
export const firstStatus = (error: string | undefined): string => (isUnpushed(error) ? "FirstStart" : "SourceUnread");

/** The release that waits for an approver: CodePipeline's list says of it that it is in progress. */
async function waitingIn(codepipeline: CodePipelineClient, workflow: string): Promise<string | undefined> {
  const asked = askedIn(await codepipeline.send(new GetPipelineStateCommand({ name: pipelineName(workflow) })));
  return asked?.token === undefined ? undefined : asked.id;
}

function summarizeExecution({
  pipelineExecutionId = "",
  status,
  trigger,
  sourceRevisions = [],
  startTime,
  lastUpdateTime,
}: PipelineExecutionSummary): ReleaseSummary {
  const revision = sourceOf(sourceRevisions);
  return {
    id: pipelineExecutionId,
    status: isFirstStart({ status, trigger }, sourceRevisions) ? "FirstStart" : (status ?? ""),
    commit: revision?.revisionId ?? "",
    summary: firstLine(revision?.revisionSummary ?? ""),
    ...(startTime && { started: startTime }),
    ...(lastUpdateTime && { updated: lastUpdateTime }),
  };
}

/** The workflow's own revision, once there is one: the toolkit comes in beside it. */
export const sourceOf = <R extends { readonly actionName?: string | undefined; readonly name?: string | undefined }>(
  revisions: readonly R[],
): R | undefined => revisions.find((revision) => (revision.actionName ?? revision.name) === "Source");

// A connection gives its summary as JSON: {"ProviderType":"GitHub","CommitMessage":"…"}.
export function firstLine(summary: string): string {
  const message = /"CommitMessage":\s*("(?:[^"\\]|\\.)*")/.exec(summary)?.[1];
  return (message === undefined ? summary : (JSON.parse(message) as string)).split("\n")[0] ?? "";
}
