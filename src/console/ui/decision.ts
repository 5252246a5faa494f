import { html } from "hono/html";
import { COMMENT_LIMIT } from "../decide.ts";
import { hasEnded, type ReleaseView } from "../read/release.ts";
import { moment } from "./format.ts";
import { type Html, nameOf, releasePath } from "./layout.ts";

/** The form while an approval waits; afterwards who answered, when and why. */
export function decisionPart(release: ReleaseView, csrf: string): Html {
  if (release.decision) return answered(release.decision);
  if (release.token) return form(release, csrf);
  return html`<section class="card">
    <h2>Approval</h2>
    <p class="soft">${hasEnded(release) ? "This release ended without reaching an approval." : "Opens when the tests are done."}</p>
  </section>`;
}

const answered = ({ verdict, by, at, comment }: NonNullable<ReleaseView["decision"]>): Html =>
  html`<section class="card">
    <h2>Approval</h2>
    <p><span class="badge ${verdict === "approved" ? "succeeded" : "failed"}">${verdict}</span></p>
    <dl>
      <dt>By</dt>
      <dd>${nameOf(by)}<br /><code class="soft">${by}</code></dd>
      <dt>At</dt>
      <dd>${moment(at)}</dd>
    </dl>
    ${comment ? html`<blockquote>${comment}</blockquote>` : html`<p class="soft">without a comment</p>`}
  </section>`;

function form(release: ReleaseView, csrf: string): Html {
  const failed = release.evidence?.tests?.passed === false;
  return html`<section class="card">
    <h2>Approve or reject</h2>
    <p class="soft">
      Approving hands ${release.evidence ? `${release.workflow} ${release.evidence.build.version}` : "this release"} to production. It can't
      be taken back here.
    </p>
    ${release.altered ? html`<p class="error" role="alert">What is shown here is not what the Build stage made: its record was altered afterwards. Reject, and push again.</p>` : ""}
    ${failed ? html`<p class="warn">Tests failed.</p>` : ""}
    <form method="post" action="${releasePath(release)}/decision">
      <input type="hidden" name="csrf" value="${csrf}" /> <label for="comment">Why</label
      ><textarea id="comment" name="comment" required maxlength="${COMMENT_LIMIT}" aria-describedby="comment-help"></textarea>
      <p id="comment-help" class="soft">Kept in the record of the release, with your name and the time.</p>
      <div class="buttons">
        <button class="approve" name="verdict" value="approve">Approve</button
        ><button class="reject" name="verdict" value="reject">Reject</button>
      </div>
    </form>
  </section>`;
}
