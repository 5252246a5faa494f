import { GetPipelineExecutionCommand, type PipelineExecution } from "@aws-sdk/client-codepipeline";
import type { AwsClients } from "../../aws/clients.ts";
import { contentDigest } from "../../release/approval/content.ts";
import { isFirstStart } from "../../release/first-start.ts";
import { pipelineName } from "../../release/names.ts";
import { lastLines } from "../../release/step-logs.ts";
import type { Evidence, EvidenceReader } from "./evidence.ts";
import { readProgress, type Progress } from "./stages.ts";
import { firstLine, firstStatus, sourceOf } from "./workflows.ts";

/** One release, as its page shows it. */
export interface ReleaseView extends Progress {
  readonly workflow: string;
  readonly id: string;
  readonly status: string;
  readonly commit: string;
  readonly summary: string;
  /** Who or what started the pipeline. */
  readonly startedBy: string;
  readonly evidence?: Evidence;
  /** Set when the record that the evidence shows is not the one that the Build action made: nothing of it would be released. */
  readonly altered: boolean;
  /** The end of what the stage that failed wrote; empty where it wrote nothing or who looks may not read it. */
  readonly said: readonly string[];
}

export interface ReleaseKey {
  readonly workflow: string;
  readonly id: string;
}

/** Reads a release as it stands. @throws the SDK's PipelineNotFoundException, PipelineExecutionNotFoundException, AccessDeniedException */
export async function readRelease(clients: AwsClients, evidence: EvidenceReader, { workflow, id }: ReleaseKey): Promise<ReleaseView> {
  const { codepipeline } = clients;
  // In this order: of an execution that has ended, stages that were read before may not have, and the page would stay so.
  const { pipelineExecution: execution = {} } = await codepipeline.send(
    new GetPipelineExecutionCommand({ pipelineName: pipelineName(workflow), pipelineExecutionId: id }),
  );
  const progress = await readProgress(codepipeline, workflow, id);
  const revision = sourceOf(execution.artifactRevisions ?? []);
  const commit = revision?.revisionId ?? "";
  const reached = (stage: string) => progress.stages.find(({ name }) => name === stage)?.status ?? "succeeded";
  const build = reached("Build") === "succeeded" ? await evidence.findBuild(workflow, { id, commit }) : undefined;
  const tested = ["succeeded", "failed"].includes(reached("Test"));
  const failed = progress.stages.find(({ status }) => status === "failed");
  return {
    workflow,
    id,
    status: isFirstStart(execution, execution.artifactRevisions) ? firstStatus(failed?.message) : (execution.status ?? ""),
    commit,
    summary: firstLine(revision?.revisionSummary ?? ""),
    ...progress,
    startedBy: build?.startedBy || starterOf(execution),
    // A later release of the same commit writes its own record in place of this one's.
    altered: build?.pipelineExecutionId === id && progress.content !== undefined && progress.content !== contentDigest(build),
    ...(build && { evidence: await evidence.read(build, tested) }),
    // Of failed tests the evidence tells more. A log that can't be read must not hide the release.
    said: failed && failed.name !== "Test" ? await lastLines(clients, failed).catch(() => []) : [],
  };
}

const starterOf = ({ trigger }: PipelineExecution): string => trigger?.triggerDetail || trigger?.triggerType || "unknown";

/** Whether nothing changes any more. */
export const hasEnded = ({ status }: Pick<ReleaseView, "status">): boolean => !["InProgress", "Stopping"].includes(status);
