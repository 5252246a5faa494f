import type { Hono } from "hono";
import type { AwsClients } from "../aws/clients.ts";
import type { Clock } from "../kit/clock.ts";
import { artifactsBucket } from "../release/names.ts";
import { listen, type Listener } from "./listen.ts";
import type { Door } from "./protection.ts";
import { createEvidenceReader } from "./read/evidence.ts";
import { reportsApp } from "./reports.ts";
import { consoleApp } from "./routes.ts";
import { createSessions } from "./session.ts";

export interface ConsoleOptions {
  /** Called as whoever looks and answers: an approver, to approve. */
  readonly clients: AwsClients;
  readonly region: string;
  /** The cicd account. */
  readonly account: string;
  /** @default "127.0.0.1"; the console asks nobody for a password, so anything but loopback lets others approve */
  readonly host?: string;
  /** 0: a free one. */
  readonly port: number;
  readonly clock: Clock;
  /** Further host names to answer under, without a port. @default none but those of loopback */
  readonly hosts?: readonly string[];
}

export interface Console {
  /** Where the pages are, without a slash at the end. */
  readonly url: string;
  /** The other origin, where reports made by workflows are shown from. */
  readonly reportsUrl: string;
  close(): Promise<void>;
}

// CodePipeline's own limits are a few requests a second for an account.
const LOCAL_POLL_MS = 1000;
const AWS_POLL_MS = 5000;

/**
 * Starts the console: the pages on `port`, reports of workflows on a free port of their own.
 * @throws Error when the port is in use
 */
export async function startConsole(options: ConsoleOptions): Promise<Console> {
  const { clients, region, account, clock, host = "127.0.0.1", port, hosts = [] } = options;
  // Each of the two asks for the other's address, which is known once both listen.
  const listening: { pages?: Listener; reports?: Listener } = {};
  const door = (which: "pages" | "reports"): Door => ({ hosts, port: () => listening[which]?.port ?? 0 });
  const closing = new AbortController();
  const sessions = createSessions(door("pages").port);
  const app = consoleApp({
    clients,
    clock,
    evidence: createEvidenceReader(clients.s3, artifactsBucket(account, region)),
    sessions,
    everyMs: clients.target.endpoint ? LOCAL_POLL_MS : AWS_POLL_MS,
    door: door("pages"),
    closing: closing.signal,
    reportsOrigin: () => listening.reports?.origin ?? "",
  });
  const pages = await listen(app, { host, port });
  listening.pages = pages;
  const consoles = () => originsOf(pages);
  const reports = await listenBeside(pages, reportsApp({ s3: clients.s3, sessions, door: door("reports"), consoles }), host);
  listening.reports = reports;
  return {
    url: pages.origin,
    reportsUrl: reports.origin,
    async close() {
      closing.abort();
      await Promise.all([pages.close(), reports.close()]);
    },
  };
}

/** Serves an app on a free port; where that can't be had, the pages are not served either. */
async function listenBeside(pages: Listener, app: Hono, host: string): Promise<Listener> {
  try {
    return await listen(app, { host, port: 0 });
  } catch (error) {
    await pages.close();
    throw error;
  }
}

const originsOf = ({ origin, port }: Listener): readonly string[] => [
  ...new Set([origin, `http://localhost:${port}`, `http://127.0.0.1:${port}`]),
];
