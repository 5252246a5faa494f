import { lstatSync } from "node:fs";
import { readFrom } from "../../engines/event-log.ts";
import type { Principal } from "../../authorization/principal.ts";
import type { Omics } from "../omics.ts";
import type { Run } from "../store.ts";

export const LOG_GROUP = "/aws/omics/WorkflowLog";

/** Names of a run's log streams (guide, "Monitoring with CloudWatch Logs"). */
export const streams = {
  run: (run: Run): string => `run/${run.id}`,
  engine: (run: Run): string => `run/${run.id}/engine`,
  task: (run: Run, taskId: string): string => `run/${run.id}/task/${taskId}`,
  manifest: (run: Run): string => `manifest/run/${run.id}/${run.uuid}`,
};

/** The ARN by which the API names a stream. */
export const streamArn = ({ place }: Run, stream: string): string =>
  `arn:aws:logs:${place.region}:${place.account}:log-group:${LOG_GROUP}:log-stream:${stream}`;

/** Appends lines to a stream, unless the run has logging off. */
export function appendLog(omics: Omics, run: Run, { stream, lines }: { readonly stream: string; readonly lines: readonly string[] }): void {
  if (run.logLevel === "OFF" || run.cannotLog || lines.length === 0) return;
  omics.core.logs.append({ ...run.place, group: LOG_GROUP, stream }, lines);
}

export interface RunEvent {
  readonly logMessage: string;
  readonly message?: string | undefined;
}

/** A run event: JSON with the names that downstream tools read (runStatus, logMessage, message). */
export function logRunEvent(omics: Omics, run: Run, event: string | RunEvent): void {
  const { logMessage, message = "" } = typeof event === "string" ? { logMessage: event } : event;
  appendLog(omics, run, { stream: streams.run(run), lines: [JSON.stringify({ runStatus: run.status, logMessage, message })] });
}

/** Whether the run role may write the run's logs: HealthOmics writes them with it. */
export function mayLog(omics: Omics, run: Run, role: Principal): boolean {
  try {
    for (const action of ["logs:CreateLogStream", "logs:PutLogEvents"])
      omics.core.directory.authorize(
        role,
        { action, resource: streamArn(run, streams.run(run)) },
        { context: {}, region: run.place.region },
      );
    return true;
  } catch {
    return false;
  }
}

const LONGEST_EVENT = 250_000;

/** A file that grows, and the stream its lines go to. */
export interface TailedFile {
  readonly file: string;
  readonly stream: string;
}

/** Sends what a file gained since the last time, whole lines; at the end also the rest. Each line is sent once, whatever dies. */
export function sendTail(omics: Omics, run: Run, { file, stream, isFinal }: TailedFile & { readonly isFinal: boolean }): void {
  if (lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true) return;
  const key = [run.uuid, file];
  const position = omics.store.logPositions.get(key)?.position ?? 0;
  const bytes = readFrom(file, position);
  const end = isFinal ? bytes.length : bytes.lastIndexOf(10) + 1;
  if (end === 0) return;
  const lines = bytes
    .toString("utf8", 0, end)
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => line.slice(0, LONGEST_EVENT));
  omics.store.transaction(() => {
    appendLog(omics, run, { stream, lines: lines.filter((line) => line !== "") });
    omics.store.logPositions.put(key, { position: position + end });
  });
}
