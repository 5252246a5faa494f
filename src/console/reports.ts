import type { S3Client } from "@aws-sdk/client-s3";
import { Hono } from "hono";
import { ConsoleError, explain } from "./errors.ts";
import { streamObject } from "./files.ts";
import { type Door, EVERYWHERE, ownHostOnly } from "./protection.ts";
import type { Sessions } from "./session.ts";

export interface ReportsParts {
  readonly s3: S3Client;
  readonly door: Door;
  readonly sessions: Sessions;
  /** Origins of the console: only its pages may frame a report. */
  consoles(): readonly string[];
}

// Reports such as MultiQC's carry their scripts within: they run, in an origin that is nobody's, and reach nothing.
const POLICY = [
  "sandbox allow-scripts",
  "default-src 'none'",
  "script-src 'unsafe-inline' 'unsafe-eval' data: blob:",
  "style-src 'unsafe-inline' data:",
  "img-src data: blob:",
  "font-src data:",
  "media-src data: blob:",
  "worker-src blob:",
  "connect-src 'none'",
  "form-action 'none'",
  "base-uri 'none'",
];

/** The other origin: HTML that workflows made, for a sandboxed frame of the console; sets no cookies and reads none. */
export function reportsApp({ s3, door, sessions, consoles }: ReportsParts): Hono {
  const app = new Hono();
  app.onError((error) => {
    const { status, message } = explain(error, "The console's profile");
    return new Response(message, {
      status,
      headers: { ...EVERYWHERE, "Content-Type": "text/plain; charset=utf-8", "Content-Security-Policy": "default-src 'none'; sandbox" },
    });
  });
  app.use(ownHostOnly(door));
  app.get("/report/:signature/:uri", async (context) => {
    const { signature, uri } = context.req.param();
    if (!sessions.verifies(uri, signature))
      throw new ConsoleError(403, "This address was not made by the console. Open the report on its release's page.");
    // On its own in a tab, a report could go anywhere; in the console's frame it can't leave this origin.
    if (context.req.header("sec-fetch-dest") === "document")
      throw new ConsoleError(403, "Reports open on their release's page of the console.");
    return streamObject(s3, Buffer.from(uri, "base64url").toString("utf8"), {
      ...EVERYWHERE,
      "Content-Type": "text/html; charset=utf-8",
      "Cache-Control": "no-store",
      "Content-Security-Policy": [...POLICY, `frame-ancestors ${consoles().join(" ")}`].join("; "),
    });
  });
  return app;
}

/** Where the reports' origin serves a file. */
export function reportPath(sessions: Sessions, uri: string): string {
  const encoded = Buffer.from(uri, "utf8").toString("base64url");
  return `/report/${sessions.sign(encoded)}/${encoded}`;
}
