import { html } from "hono/html";
import type { BuildRecord } from "../../release/publish/build-record.ts";
import { readableSize } from "../../kit/readable-size.ts";
import type { Html } from "./layout.ts";

type Image = BuildRecord["images"][number];
type Change = BuildRecord["differences"]["images"][number];

/** Every image of a release, what it is, and what became of it since the last; those that are gone too. */
export function imagesPart({ images, differences }: BuildRecord): Html {
  const { since, images: changes, areImagesUnknown } = differences;
  const changed = new Map(changes.map((change) => [change.name, change]));
  const removed = changes.filter(({ change }) => change === "removed");
  const isCompared = since !== undefined && !areImagesUnknown;
  if (images.length + removed.length === 0)
    return html`<section class="card">
      <h2>Images</h2>
      <p class="soft">The workflow names none.</p>
    </section>`;
  return html`<section class="card">
    <h2>Images</h2>
    <div class="scroll">
      <table class="stack">
        <thead>
          <tr>
            <th scope="col">Image</th>
            <th scope="col">Platform</th>
            <th scope="col">Size</th>
            ${isCompared ? html`<th scope="col">Since ${since}</th>` : ""}
          </tr>
        </thead>
        <tbody>
          ${images.map((image) => row(image, isCompared ? fate(image, changed.get(image.image)) : undefined))} ${removed.map(gone)}
        </tbody>
      </table>
    </div>
    ${summary(images, areImagesUnknown ? since : undefined)}
  </section>`;
}

const row = ({ image, source, target, digest, platforms, bytes }: Image, became: Html | undefined): Html =>
  html`<tr>
    <td>
      <code>${image}</code>${source === image ? "" : html`<br /><span class="soft">from <code>${source}</code></span>`}<br /><span
        class="soft"
        ><code>${target.replace(`@${digest}`, "")}</code><br /><code>${digest}</code></span
      >
    </td>
    <td>
      ${platforms === undefined ? html`<span class="soft">not known</span>` : platforms.map((platform, index) => html`${index > 0 ? ", " : ""}<span class="amount">${platform}</span>`)}
    </td>
    <td>${bytes === undefined ? html`<span class="soft">not known</span>` : html`<span class="amount">${readableSize(bytes)}</span>`}</td>
    ${became === undefined ? "" : html`<td>${became}</td>`}
  </tr>`;

function fate({ bytes }: Image, change: Change | undefined): Html {
  if (!change) return html`<span class="soft">the same</span>`;
  if (change.change === "added") return html`<span class="badge waiting">new</span>`;
  const { before, bytesBefore } = change;
  return html`<span class="badge waiting">other digest</span><br /><span class="soft"
      >was <code>${before}</code>${
        bytes === undefined || bytesBefore === undefined || bytes === bytesBefore
          ? ""
          : html`, ${readableSize(Math.abs(bytes - bytesBefore))} ${bytes > bytesBefore ? "larger" : "smaller"}`
      }</span
    >`;
}

const gone = ({ name, before, bytesBefore }: Change): Html =>
  html`<tr>
    <td>
      <code>${name}</code><br /><span class="soft"><code>${before}</code></span>
    </td>
    <td></td>
    <td>${bytesBefore === undefined ? "" : readableSize(bytesBefore)}</td>
    <td><span class="badge waiting">removed</span></td>
  </tr>`;

function summary(images: readonly Image[], uncompared: string | undefined): Html {
  const sizes = images.flatMap(({ bytes }) => bytes ?? []);
  const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
  return html`${
    sizes.length > 0
      ? html`<p class="soft">
          Sizes are those of the compressed
          layers${sizes.length > 1 ? html`, ${readableSize(total)} together; layers that images share are counted with each` : ""}.
        </p>`
      : ""
  }${uncompared === undefined ? "" : html`<p class="soft">What they were in ${uncompared} is not known: that version left no record of its images.</p>`}`;
}
