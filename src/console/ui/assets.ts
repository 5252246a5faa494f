/** The console's only script: a page works without it, and stays current with it. */
export const SCRIPT = `"use strict";
const live = document.querySelector("[data-live]");
const notice = document.getElementById("connection");
if (live) {
  const source = new EventSource(live.dataset.live);
  const say = (text) => { if (notice) { notice.textContent = text; notice.hidden = text === ""; } };
  source.addEventListener("part", (event) => {
    say("");
    const { id, digest, html } = JSON.parse(event.data);
    const element = document.getElementById(id);
    // What is there already stays: a comment may be half written in it.
    if (!element || element.dataset.digest === digest) return;
    element.dataset.digest = digest;
    element.innerHTML = html;
  });
  source.addEventListener("problem", (event) => say("Updates are held up: " + event.data));
  source.addEventListener("ended", () => { say(""); source.close(); });
  source.addEventListener("error", () => say("Not connected. Trying again\\u2026"));
}
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented) return;
  // Disabled a moment later: the button that was pressed belongs to the form's data.
  queueMicrotask(() => { for (const button of event.target.querySelectorAll("button")) button.setAttribute("aria-disabled", "true"); });
});
`;

/** The console's style sheet; light and dark as the system says. */
export const STYLE = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--paper:#fff;--back:#f6f7f9;--line:#d8dde3;--link:#0b57d0;--good:#176b3a;--good-back:#e3f4e9;--bad:#b3261e;--bad-back:#fce8e6;--wait:#7a4d00;--wait-back:#fff1d6;--run:#0b57d0;--run-back:#e5effd}
@media (prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#a2abb5;--paper:#1c2127;--back:#13171b;--line:#343b43;--link:#8ab4f8;--good:#81d39e;--good-back:#143523;--bad:#f6aea9;--bad-back:#451d1a;--wait:#f4c66a;--wait-back:#3d2d0c;--run:#8ab4f8;--run-back:#172d4d}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
a{color:var(--link)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-99rem}.skip:focus{left:1rem;top:.5rem;background:var(--paper);padding:.5rem;z-index:1}
header.top{background:var(--paper);border-bottom:1px solid var(--line)}
header.top>div,main{max-width:72rem;margin:0 auto;padding:.75rem 1.25rem}
header.top>div{display:flex;gap:.25rem 1.5rem;align-items:baseline;justify-content:space-between;flex-wrap:wrap}
.brand{font-weight:700;font-size:1.15rem;text-decoration:none;color:var(--ink)}
.who,.soft{color:var(--soft);font-size:.875rem}
main{padding-top:1.5rem;padding-bottom:4rem}
h1{font-size:1.6rem;line-height:1.25;margin:.25rem 0 .25rem}
h2{font-size:1.1rem;margin:0 0 .75rem}
h3{font-size:1rem;margin:1rem 0 .25rem}
code,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,"Liberation Mono",monospace;font-size:.875em;overflow-wrap:anywhere}
.card{background:var(--paper);border:1px solid var(--line);border-radius:.6rem;padding:1.1rem 1.25rem;margin:0 0 1.1rem;min-width:0}
.columns{display:grid;grid-template-columns:minmax(0,2fr) minmax(17rem,1fr);gap:0 1.1rem;align-items:start}
.side{position:sticky;top:1rem}
@media (max-width:60rem){.columns{grid-template-columns:minmax(0,1fr)}.side{position:static;order:-1}}
.badge{display:inline-block;border-radius:1rem;padding:.05rem .6rem;font-size:.8125rem;font-weight:600;white-space:nowrap;background:var(--back);color:var(--soft);border:1px solid var(--line)}
.succeeded{color:var(--good);background:var(--good-back);border-color:transparent}.failed{color:var(--bad);background:var(--bad-back);border-color:transparent}
.waiting{color:var(--wait);background:var(--wait-back);border-color:transparent}.running{color:var(--run);background:var(--run-back);border-color:transparent}
ol.stages{list-style:none;display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.6rem;margin:0;padding:0}
ol.stages li{border:1px solid var(--line);border-radius:.5rem;padding:.6rem .75rem;min-width:0}
ol.stages strong{display:block}
@media (max-width:34rem){ol.stages{grid-template-columns:1fr}ol.stages li{display:flex;flex-wrap:wrap;gap:.25rem .75rem;align-items:center}ol.stages strong{flex:1}}
.error{border-left:4px solid var(--bad);background:var(--bad-back);padding:.6rem .9rem;border-radius:.3rem;margin:.75rem 0 0;overflow-wrap:anywhere;white-space:pre-wrap}
.warn{border-left:4px solid var(--wait);background:var(--wait-back);padding:.6rem .9rem;border-radius:.3rem;margin:.5rem 0}
.scroll{overflow-x:auto}
time,.amount{white-space:nowrap}
h1,h2,h3,p,td:nth-child(2),summary,.who{overflow-wrap:anywhere}
.error+details{margin-top:.6rem}
pre.log{margin:.5rem 0;padding:.6rem .9rem;border:1px solid var(--line);border-radius:.3rem;background:var(--back);font:.8125rem/1.45 ui-monospace,SFMono-Regular,Menlo,"Liberation Mono",monospace;white-space:pre-wrap;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;font-size:.9375rem}
th{text-align:left;color:var(--soft);font-size:.8125rem;font-weight:600}
th,td{padding:.4rem .75rem .4rem 0;border-bottom:1px solid var(--line);vertical-align:top}
tr:last-child td{border-bottom:0}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.3rem 1rem;margin:0}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
@media (max-width:34rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}table.stack thead{position:absolute;left:-99rem}table.stack tr{display:block;border-bottom:1px solid var(--line);padding:.4rem 0}table.stack td{display:block;border:0;padding:.1rem 0}}
ul.plain{list-style:none;padding:0;margin:.25rem 0}ul.plain li{padding:.2rem 0;overflow-wrap:anywhere}
.mark{font-weight:700;margin-right:.35rem}.mark.ok{color:var(--good)}.mark.no{color:var(--bad)}
label{display:block;font-weight:600;margin-bottom:.25rem}
textarea{width:100%;min-height:6rem;font:inherit;color:inherit;background:var(--back);border:1px solid var(--soft);border-radius:.4rem;padding:.5rem;resize:vertical}
.buttons{display:flex;gap:.6rem;margin-top:.75rem;flex-wrap:wrap}
button{font:inherit;font-weight:600;border-radius:.4rem;padding:.5rem 1.1rem;border:1px solid transparent;cursor:pointer;flex:1}
button.approve{background:#176b3a;color:#fff}button.reject{background:transparent;color:var(--bad);border-color:var(--bad)}
button[aria-disabled=true]{opacity:.5;pointer-events:none}
blockquote{margin:.5rem 0 0;padding:.1rem 0 .1rem .8rem;border-left:3px solid var(--line);white-space:pre-wrap;overflow-wrap:anywhere}
details summary{cursor:pointer;color:var(--link)}
iframe.report{width:100%;height:75vh;border:1px solid var(--line);border-radius:.4rem;background:#fff}
#connection{position:fixed;right:1rem;bottom:1rem;margin:0;box-shadow:0 2px 8px #0004}
`;
