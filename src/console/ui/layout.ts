import { createHash } from "node:crypto";
import { html, raw } from "hono/html";
import type { Explained } from "../errors.ts";

/** Escaped HTML: what the `html` tag makes. */
export type Html = ReturnType<typeof html>;

export interface PageParts {
  readonly title: string;
  /** The ARN the console works as. */
  readonly who: string;
  readonly body: Html;
}

/** A whole page. */
export const page = ({ title, who, body }: PageParts): Html =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · omx</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/style.css" />
        <script src="/script.js" defer></script>
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header class="top">
          <div><a class="brand" href="/">omx releases</a><span class="who">working as ${nameOf(who)} in ${accountOf(who)}</span></div>
        </header>
        <main id="content">${body}</main>
      </body>
    </html>`;

/** Where a release has its page. */
export const releasePath = ({ workflow, id }: { readonly workflow: string; readonly id: string }): string =>
  `/releases/${encodeURIComponent(workflow)}/${encodeURIComponent(id)}`;

/** What went wrong, and the way back. */
export const errorPage = ({ title, message, detail }: Explained, who: string): Html =>
  page({
    title,
    who,
    body: html`<div class="card" role="alert">
      <h1>${title}</h1>
      <p>${message}</p>
      ${
        detail
          ? html`<details>
              <summary>What AWS said</summary>
              <p class="error">${detail}</p>
            </details>`
          : ""
      }
      <p><a href="/">All workflows</a></p>
    </div>`,
  });

/** A part of a page that events replace; its digest tells the script whether anything changed. */
export const livePart = (id: string, content: string): Html =>
  html`<div id="${id}" data-digest="${digestOf(content)}">${raw(content)}</div>`;

export const digestOf = (text: string): string => createHash("sha256").update(text).digest("base64url").slice(0, 22);

/** The last part of a person's ARN: `approver` of `arn:aws:iam::1:user/approver`, role and session of an assumed role. */
export const nameOf = (arn: string): string =>
  arn.startsWith("arn:")
    ? arn
        .split(":")
        .slice(5)
        .join(":")
        .replace(/^(user|assumed-role)\//, "")
    : arn;

const accountOf = (arn: string): string => arn.split(":")[4] || "this account";
