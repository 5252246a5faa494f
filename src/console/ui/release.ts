import { html } from "hono/html";
import { describeFirstStart } from "../../release/first-start.ts";
import { NAMES } from "../../release/names.ts";
import { hasEnded, type ReleaseView } from "../read/release.ts";
import type { Stage } from "../read/stages.ts";
import { decisionPart } from "./decision.ts";
import { evidencePart } from "./evidence.ts";
import { duration, isFirst, moment, releaseBadge, shortCommit, stageBadge } from "./format.ts";
import { type Html, livePart, nameOf, releasePath } from "./layout.ts";

export interface ReleasePage {
  readonly release: ReleaseView;
  /** Token against forged requests. */
  readonly csrf: string;
  readonly now: Date;
}

/** The parts of a release's page that change while one looks, by the id of their element. */
export async function releaseParts({ release, csrf, now }: ReleasePage): Promise<Readonly<Record<string, string>>> {
  const parts = {
    head: headPart(release),
    now: nowPart(release),
    stages: stagesPart(release, now),
    decision: decisionPart(release, csrf),
    evidence: evidencePart(release),
  };
  return Object.fromEntries(await Promise.all(Object.entries(parts).map(async ([id, part]) => [id, String(await part)] as const)));
}

/** A release's page around its parts. */
export function releaseBody(release: ReleaseView, parts: Readonly<Record<string, string>>): Html {
  const part = (id: string): Html => livePart(id, parts[id] ?? "");
  const live = hasEnded(release) ? "" : html` data-live="${releasePath(release)}/events"`;
  return html`<div${live}><p class="soft"><a href="/">All workflows</a> / <a href="/workflows/${release.workflow}">${release.workflow}</a></p>
${part("head")}<div role="status">${part("now")}</div><section class="card" aria-label="Stages">${part("stages")}</section>
<div class="columns"><div>${part("evidence")}</div><aside class="side" aria-label="Approval">${part("decision")}</aside></div>
<p id="connection" class="warn" role="status" hidden></p></div>`;
}

function headPart({ workflow, evidence, status, commit, summary, startedBy }: ReleaseView): Html {
  return html`<h1>${workflow} ${evidence?.build.version ?? ""} ${releaseBadge(status)}</h1>
    <p>
      ${summary || (commit ? "no commit message" : "no commit")}
      <code>${shortCommit(commit)}</code>${evidence ? html` on <code>${evidence.build.branch}</code>` : ""}
      <span class="soft"
        >·
        ${evidence?.build.author ? `by ${evidence.build.author}` : `started by ${startedBy.includes(":rule/") ? "a push" : nameOf(startedBy)}`}</span
      >
    </p>`;
}

const IS: Readonly<Record<Stage["status"], string>> = {
  pending: "has not started",
  running: "is running",
  waiting: "waits for an answer",
  succeeded: "is done",
  failed: "failed",
  stopped: "was stopped",
};

/** One sentence that changes only when a stage does: what a screen reader says. */
function nowPart({ stages, status }: ReleaseView): Html {
  if (isFirst(status))
    return html`<p class="soft">Nothing to release: ${describeFirstStart(stages.find(({ message }) => message)?.message)}.</p>`;
  const current = stages.find((stage) => ["running", "waiting", "failed", "stopped"].includes(stage.status));
  if (current) return html`<p class="soft">${current.name} ${IS[current.status]}.</p>`;
  const next = stages.find((stage) => stage.status === "pending");
  if (status === "InProgress" && next) return html`<p class="soft">Waits to enter ${next.name}: one release at a time.</p>`;
  return html`<p class="soft">${status === "Succeeded" ? "Everything is done." : "Nothing runs any more."}</p>`;
}

function stagesPart({ stages, said, workflow, id, status: whole }: ReleaseView, now: Date): Html {
  const problems = stages.filter(({ status, message }) => status === "failed" && message);
  return html`<ol class="stages">
      ${stages.map((stage) => html`<li><strong>${stage.name}</strong> ${stageBadge(stage.status)} <span class="soft">${time(stage, now)}</span></li>`)}
    </ol>
    ${problems.map(({ name, message }) => html`<p class="error" role="alert"><strong>${name}:</strong> ${message}</p>`)}
    ${
      said.length > 0
        ? html`<details open>
            <summary>The end of what it wrote</summary>
            <pre class="log">${said.join("\n")}</pre>
          </details>`
        : ""
    }
    ${!isFirst(whole) && problems.some(({ name }) => name !== NAMES.approvalStage) ? html`<p class="soft">All of it: <code>omx release logs ${workflow} --execution ${id}</code>. To try it again from there: <code>omx release retry ${workflow} --execution ${id}</code></p>` : ""}`;
}

function time({ started, ended, status }: Stage, now: Date): Html | string {
  if (!started) return "";
  if (status === "waiting") return html`since ${moment(started)}`;
  return duration((ended ?? now).getTime() - started.getTime());
}
