import { html } from "hono/html";
import type { StageStatus } from "../read/stages.ts";
import type { Html } from "./layout.ts";

const WORDS: Readonly<Record<StageStatus, string>> = {
  pending: "not yet",
  running: "running",
  waiting: "waiting",
  succeeded: "done",
  failed: "failed",
  stopped: "stopped",
};

/** A stage's status, in words as well as in colour. */
export const stageBadge = (status: StageStatus): Html => html`<span class="badge ${status}">${WORDS[status]}</span>`;

const EXECUTIONS: Readonly<Record<string, readonly [css: string, words: string]>> = {
  InProgress: ["running", "in progress"],
  Waiting: ["waiting", "waits for approval"],
  Succeeded: ["succeeded", "released"],
  Failed: ["failed", "failed"],
  Stopping: ["stopped", "stopping"],
  Stopped: ["stopped", "stopped"],
  FirstStart: ["stopped", "nothing pushed yet"],
  SourceUnread: ["failed", "source could not be read"],
};

/** Whether it is of the start that comes with a pipeline, and no release. */
export const isFirst = (status: string): boolean => status === "FirstStart" || status === "SourceUnread";

/** The status of a release as CodePipeline has it, or `Waiting` for an approval. */
export function releaseBadge(status: string): Html {
  const [css, words] = EXECUTIONS[status] ?? ["stopped", status.toLowerCase()];
  return html`<span class="badge ${css}">${words}</span>`;
}

/** A moment in UTC, to the second. */
export const moment = (date: Date | undefined): Html =>
  date ? html`<time datetime="${date.toISOString()}">${date.toISOString().slice(0, 19).replace("T", " ")} UTC</time>` : html``;

/** `3 s`, `2 min 5 s`, `1 h 4 min`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export const shortCommit = (commit: string): string => commit.slice(0, 10);

/** A mark for those who see it, words for those who hear it. */
export const mark = (passed: boolean): Html =>
  passed
    ? html`<span class="mark ok" role="img" aria-label="passed">✓</span>`
    : html`<span class="mark no" role="img" aria-label="failed">✗</span>`;
