import { html } from "hono/html";
import { isReport } from "../files.ts";
import { type Evidence, type EvidenceFile, LISTED } from "../read/evidence.ts";
import { hasEnded, type ReleaseView } from "../read/release.ts";
import type { BuildRecord } from "../../release/publish/build-record.ts";
import { summarize, type TestResult } from "../../release/testrun/report.ts";
import { readableSize } from "../../kit/readable-size.ts";
import { duration, mark } from "./format.ts";
import { imagesPart } from "./images.ts";
import { type Html, nameOf, releasePath } from "./layout.ts";

type Change = BuildRecord["differences"]["parameters"][number];

/** Everything an approver should look at: tests, changes, images, files, where it comes from. */
export function evidencePart(release: ReleaseView): Html {
  const { evidence } = release;
  if (!evidence)
    return html`<section class="card">
      <h2>Evidence</h2>
      <p class="soft">${hasEnded(release) ? "This release ended before its build left any." : "There is none yet: the build leaves it."}</p>
    </section>`;
  return html`${production(evidence.released)}${tests(release, evidence)}${changes(evidence.build)}${imagesPart(evidence.build)}
    <section class="card">
      <h2>Reports and records</h2>
      ${fileList(release, evidence.reports)}
    </section>
    ${origin(evidence.build)}`;
}

/** What became of it in each production account, once it was promoted. */
function production(released: Evidence["released"]): Html {
  if (!released) return html``;
  return html`<section class="card">
    <h2>Production</h2>
    <ul class="plain">
      ${released.results.map(({ account, region, status, message, workflowId }) => html`<li>${mark(status === "ACTIVE")}<code>${account}</code> ${region}: ${message}${workflowId ? html`<br /><span class="soft">workflow <code>${workflowId}</code></span>` : ""}</li>`)}
    </ul>
    <p class="soft">
      ${released.promote === "copy" ? "Runs there use copies of the images in that account." : "Runs there read the images of this account."}
    </p>
  </section>`;
}

function tests(release: ReleaseView, { tests: report, outputs }: Evidence): Html {
  if (!report)
    return html`<section class="card">
      <h2>Tests</h2>
      <p class="soft">Not done yet.</p>
    </section>`;
  return html`<section class="card">
    <h2>${mark(report.passed)} Tests</h2>
    <p>
      ${report.passed ? summarize(report) : `${report.tests.filter(({ passed }) => !passed).length} of ${report.tests.length} tests failed`}
    </p>
    ${report.tests.map((test) => testSection(release, test, outputs[test.name] ?? []))}
  </section>`;
}

function testSection(release: ReleaseView, test: TestResult, files: readonly EvidenceFile[]): Html {
  return html`<h3>${mark(test.passed)} ${test.name}</h3>
    <p class="soft">
      ${test.status}${test.runId ? html`, run <code>${test.runId}</code>` : ""}${test.seconds === undefined ? "" : `, ${duration(test.seconds * 1000)}`}${test.ranOn ? `, ${RAN_ON[test.ranOn] ?? `tasks ran on ${test.ranOn}`}` : ""}
    </p>
    ${test.message ? html`<p class="error">${test.message}</p>` : ""}
    <ul class="plain">
      ${test.judgements.map(({ passed, expected, found }) => html`<li>${mark(passed)}${expected}${found ? html`<br /><span class="soft">found ${found}</span>` : ""}</li>`)}
    </ul>
    ${
      files.length > 0
        ? html`<details>
            <summary>
              ${files.length} output ${files.length === 1 ? "file" : "files"} of
              ${test.name}${files.length === LISTED ? " (there may be more: only these are listed)" : ""}
            </summary>
            ${fileList(release, files)}
          </details>`
        : ""
    }`;
}

const RAN_ON: Readonly<Record<string, string>> = {
  omics: "tasks ran in HealthOmics",
  docker: "tasks ran in Docker",
  podman: "tasks ran in Podman",
  host: "tasks ran on the host, not isolated",
};

function changes({ differences }: BuildRecord): Html {
  const { since, isSinceUnreleased, parameters, images: changed, areImagesUnknown, files, breaking } = differences;
  if (since === undefined)
    return html`<section class="card">
      <h2>Changes</h2>
      <p class="soft">The first release: there is nothing to compare with.</p>
    </section>`;
  return html`<section class="card">
    <h2>Changes since ${since}</h2>
    ${isSinceUnreleased ? html`<p class="soft">No version is in production yet; ${since} is the last one that was built.</p>` : ""}
    ${breaking ? html`<p class="warn">${breaking}</p>` : ""}
    ${
      parameters.length === 0
        ? html`<p>Parameters are the same.</p>`
        : html`<div class="scroll">
            <table class="stack">
              <thead>
                <tr>
                  <th scope="col">Parameter</th>
                  <th scope="col">Change</th>
                </tr>
              </thead>
              <tbody>
                ${parameters.map(
                  (change) =>
                    html`<tr>
                      <td><code>${change.name}</code></td>
                      <td>${inWords(change)}</td>
                    </tr>`,
                )}
              </tbody>
            </table>
          </div>`
    }
    ${areImagesUnknown ? "" : html`<p>${imagesInWords(changed)}</p>`}
    <p>${files.length === 0 ? "The definition's bytes are the same." : html`Changed: ${files.join(", ")}.`}</p>
  </section>`;
}

const CHANGES_IN_WORDS = [
  ["added", "new"],
  ["removed", "removed"],
  ["changed", "with another digest"],
] as const;

/** In a sentence; each is told of where the images are listed. */
function imagesInWords(changes: BuildRecord["differences"]["images"]): string {
  const counts = CHANGES_IN_WORDS.flatMap(([kind, words]) => {
    const count = changes.filter(({ change }) => change === kind).length;
    return count === 0 ? [] : [`${count} ${words}`];
  });
  return counts.length === 0 ? "Images are the same." : `Images: ${counts.join(", ")}.`;
}

const inWords = ({ change, before, after }: Change): Html =>
  change === "changed"
    ? html`<code>${before}</code> → <code>${after}</code>`
    : html`${change}${(after ?? before) ? html` <code>${after ?? before}</code>` : ""}`;

function fileList(release: ReleaseView, files: readonly EvidenceFile[]): Html {
  const link = (action: string, { uri }: EvidenceFile) => `${releasePath(release)}/${action}?uri=${encodeURIComponent(uri)}`;
  return html`<ul class="plain">
    ${files.map((file) => html`<li><a href="${link("download", file)}" download>${file.path}</a> <span class="soft">${readableSize(file.bytes)}</span>${isReport(file) ? html` · <a href="${link("report", file)}" aria-label="View ${file.path}">view</a>` : ""}</li>`)}
  </ul>`;
}

const origin = (build: BuildRecord): Html =>
  html`<section class="card">
    <h2>Where it comes from</h2>
    <dl>
      ${
        build.author
          ? html`<dt>Author</dt>
              <dd>${build.author}</dd>`
          : ""
      }
      <dt>Started by</dt>
      <dd>${nameOf(build.startedBy)}</dd>
      <dt>Commit</dt>
      <dd><code>${build.commit}</code> on <code>${build.branch}</code></dd>
      <dt>Workflow</dt>
      <dd><code>${build.cicd.workflowId}</code> version <code>${build.version}</code></dd>
      <dt>Engine</dt>
      <dd>${build.engine}, main file <code>${build.main}</code></dd>
      <dt>Pipeline execution</dt>
      <dd><code>${build.pipelineExecutionId}</code></dd>
      ${build.files.map(
        ({ name, sha256 }) =>
          html`<dt>${name}</dt>
            <dd><code>sha256:${sha256}</code></dd>`,
      )}
    </dl>
  </section>`;

/** A report that a workflow made, in a frame of another origin that can reach nothing. */
export const reportBody = (release: ReleaseView, file: EvidenceFile, source: string): Html =>
  html`<p class="soft"><a href="${releasePath(release)}">Back to the release</a></p>
    <h1>${file.path}</h1>
    <p class="soft">Made by the workflow or its tests; shown in a frame that can't reach this page.</p>
    <iframe class="report" title="${file.path}" src="${source}" sandbox="allow-scripts" referrerpolicy="no-referrer"></iframe>`;
