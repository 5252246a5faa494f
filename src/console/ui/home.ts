import { html } from "hono/html";
import type { ReleaseSummary, WorkflowSummary } from "../read/workflows.ts";
import { isFirst, moment, releaseBadge, shortCommit } from "./format.ts";
import type { Html } from "./layout.ts";

/** Every workflow with its latest releases. */
export const homeBody = (workflows: readonly WorkflowSummary[]): Html =>
  html`<h1>Workflows</h1>
    ${
      workflows.length === 0
        ? html`<div class="card">
            <p>No workflow is released here yet. <code>omx workflow add NAME</code> adds one.</p>
          </div>`
        : ""
    }
    ${workflows.map(
      ({ workflow, releases }) =>
        html`<section class="card" aria-labelledby="w-${workflow}">
          <h2 id="w-${workflow}"><a href="/workflows/${workflow}">${workflow}</a></h2>
          ${releaseTable(workflow, releases)}
        </section>`,
    )}`;

/** One workflow's releases. */
export const workflowBody = (workflow: string, releases: readonly ReleaseSummary[]): Html =>
  html`<p class="soft"><a href="/">All workflows</a></p>
    <h1>${workflow}</h1>
    <section class="card" aria-label="Releases">${releaseTable(workflow, releases)}</section>`;

function releaseTable(workflow: string, releases: readonly ReleaseSummary[]): Html {
  if (releases.length === 0) return html`<p class="soft">Nothing was released yet: a push to the release branch starts the first.</p>`;
  return html`<table class="stack">
    <thead>
      <tr>
        <th scope="col">Status</th>
        <th scope="col">Commit</th>
        <th scope="col">Started</th>
        <th scope="col">Page</th>
      </tr>
    </thead>
    <tbody>
      ${releases.map(
        (release) =>
          html`<tr>
            <td>${releaseBadge(release.status)}</td>
            <td>
              ${release.summary || withoutSummary(release)}
              <code class="soft">${shortCommit(release.commit)}</code>
            </td>
            <td>${moment(release.started)}</td>
            <td>
              <a href="/releases/${workflow}/${release.id}" aria-label="Release ${shortCommit(release.commit)} of ${workflow}">open</a>
            </td>
          </tr>`,
      )}
    </tbody>
  </table>`;
}

function withoutSummary({ commit, status }: ReleaseSummary): string {
  if (commit) return "no message";
  return isFirst(status) ? "no commit: the pipeline's own start when it was made" : "no commit";
}
