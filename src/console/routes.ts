import { GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { AwsClients } from "../aws/clients.ts";
import type { Clock } from "../kit/clock.ts";
import { decide } from "./decide.ts";
import { ConsoleError, explain } from "./errors.ts";
import { attachment, findFile, isReport, streamObject } from "./files.ts";
import { liveParts } from "./live.ts";
import { type Door, ownHostOnly, ownOriginOnly, pageHeaders } from "./protection.ts";
import type { EvidenceReader } from "./read/evidence.ts";
import { hasEnded, readRelease, type ReleaseKey } from "./read/release.ts";
import { listReleases, listWorkflows } from "./read/workflows.ts";
import { reportPath } from "./reports.ts";
import type { Sessions } from "./session.ts";
import { SCRIPT, STYLE } from "./ui/assets.ts";
import { reportBody } from "./ui/evidence.ts";
import { homeBody, workflowBody } from "./ui/home.ts";
import { errorPage, type Html, page, releasePath } from "./ui/layout.ts";
import { releaseBody, releaseParts } from "./ui/release.ts";

export interface ConsoleParts {
  readonly clients: AwsClients;
  readonly clock: Clock;
  readonly evidence: EvidenceReader;
  readonly sessions: Sessions;
  readonly door: Door;
  /** Milliseconds between two looks at a release that moves. */
  readonly everyMs: number;
  readonly closing: AbortSignal;
  /** The other origin, which serves reports. */
  reportsOrigin(): string;
}

const RELEASE = "/releases/:workflow/:id";
const SHOWN = 100;
const BODY_BYTES = 16 * 1024;

/** The pages of the console and what they ask for. */
export function consoleApp(parts: ConsoleParts): Hono {
  const app = new Hono();
  const who = identityOf(parts.clients);
  const show = async (context: Context, title: string, body: Html) => context.html(page({ title, who: await who(), body }));

  app.use(pageHeaders(parts.reportsOrigin));
  app.use(ownHostOnly(parts.door));
  app.use(ownOriginOnly);
  app.onError(async (error, context) => {
    const name = await who().catch(() => "The console's profile");
    const explained = explain(error, name);
    return context.html(errorPage(explained, name), explained.status);
  });
  app.notFound(() => {
    throw new ConsoleError(404, "There is no such page.");
  });

  app.get("/style.css", (context) => context.body(STYLE, 200, { "Content-Type": "text/css; charset=utf-8", "Cache-Control": "no-cache" }));
  app.get("/script.js", (context) =>
    context.body(SCRIPT, 200, { "Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "no-cache" }),
  );
  app.get("/", async (context) => show(context, "Workflows", homeBody(await listWorkflows(parts.clients.codepipeline))));
  app.get("/workflows/:workflow", async (context) => {
    const workflow = context.req.param("workflow");
    return show(context, workflow, workflowBody(workflow, await listReleases(parts.clients.codepipeline, workflow, SHOWN)));
  });
  releaseRoutes(app, parts, show);
  decisionRoute(app, parts);
  fileRoutes(app, parts, show);
  return app;
}

type Show = (context: Context, title: string, body: Html) => Promise<Response>;

function releaseRoutes(app: Hono, parts: ConsoleParts, show: Show): void {
  const { clients, evidence, sessions, clock } = parts;
  const render = async (context: Context, key: ReleaseKey) => {
    const release = await readRelease(clients, evidence, key);
    return { release, parts: await releaseParts({ release, csrf: sessions.token(context), now: clock.now() }) };
  };

  app.get(RELEASE, async (context) => {
    const { release, parts: rendered } = await render(context, keyOf(context));
    return show(context, `${release.workflow} ${release.evidence?.build.version ?? "release"}`, releaseBody(release, rendered));
  });
  app.get(`${RELEASE}/events`, (context) =>
    liveParts(context, {
      clock,
      everyMs: parts.everyMs,
      closing: parts.closing,
      read: async () => {
        const { release, parts: rendered } = await render(context, keyOf(context));
        return { parts: rendered, ended: hasEnded(release) };
      },
      explain: (error) => explain(error, "The console's profile").message,
    }),
  );
}

function decisionRoute(app: Hono, { clients, sessions }: ConsoleParts): void {
  const shortEnough = bodyLimit({
    maxSize: BODY_BYTES,
    onError: () => {
      throw new ConsoleError(413, "The comment is too long.");
    },
  });
  app.post(`${RELEASE}/decision`, shortEnough, async (context) => {
    const form = await context.req.parseBody();
    const field = (name: string): string => (typeof form[name] === "string" ? form[name] : "");
    if (!sessions.accepts(context, field("csrf")))
      throw new ConsoleError(403, "The form is not of this session of the console. Load the release's page again and answer there.");
    const key = keyOf(context);
    await decide(clients, key, { verdict: field("verdict"), comment: field("comment") });
    return context.redirect(releasePath(key), 303);
  });
}

function fileRoutes(app: Hono, { clients, evidence, sessions, reportsOrigin }: ConsoleParts, show: Show): void {
  const file = async (context: Context) => {
    const release = await readRelease(clients, evidence, keyOf(context));
    return { release, file: findFile(release, context.req.query("uri") ?? "") };
  };
  app.get(`${RELEASE}/download`, async (context) => {
    const { file: found } = await file(context);
    return streamObject(clients.s3, found.uri, {
      "Content-Type": "application/octet-stream",
      "Content-Disposition": attachment(found.path),
    });
  });
  app.get(`${RELEASE}/report`, async (context) => {
    const { release, file: found } = await file(context);
    if (!isReport(found)) throw new ConsoleError(400, "Only HTML reports are shown here; download the file instead.");
    return show(context, found.path, reportBody(release, found, `${reportsOrigin()}${reportPath(sessions, found.uri)}`));
  });
}

const keyOf = (context: Context): ReleaseKey => ({ workflow: context.req.param("workflow") ?? "", id: context.req.param("id") ?? "" });

/** Whom the console works as; asked once it is known. */
function identityOf({ sts }: AwsClients): () => Promise<string> {
  let known: string | undefined;
  return async () => {
    known ??= (await sts.send(new GetCallerIdentityCommand({}))).Arn ?? "unknown";
    return known;
  };
}
