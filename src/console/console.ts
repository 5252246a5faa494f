import type { AwsClients } from "../aws/clients.ts";
import type { Clock } from "../kit/clock.ts";
import { artifactsBucket } from "../release/names.ts";
import { listen } from "./listen.ts";
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
export async function startConsole({
  clients,
  region,
  account,
  host = "127.0.0.1",
  port,
  clock,
  hosts = [],
}: ConsoleOptions): Promise<Console> {
  const bound = { pages: 0, reports: 0, origin: "", reportsOrigin: "" };
  const closing = new AbortController();
  const door = (which: "pages" | "reports"): Door => ({ hosts, port: () => bound[which] });
  const sessions = createSessions(() => bound.pages);
  const evidence = createEvidenceReader(clients.s3, artifactsBucket(account, region));
  const everyMs = clients.target.endpoint ? LOCAL_POLL_MS : AWS_POLL_MS;

  const pages = await listen(
    consoleApp({
      clients,
      clock,
      evidence,
      sessions,
      everyMs,
      door: door("pages"),
      closing: closing.signal,
      reportsOrigin: () => bound.reportsOrigin,
    }),
    { host, port },
  );
  Object.assign(bound, { pages: pages.port, origin: pages.origin });
  const consoles = () => [...new Set([pages.origin, `http://localhost:${pages.port}`, `http://127.0.0.1:${pages.port}`])];
  const reports = await listen(reportsApp({ s3: clients.s3, sessions, door: door("reports"), consoles }), { host, port: 0 }).catch(
    async (error: Error) => {
      await pages.close();
      throw error;
    },
  );
  Object.assign(bound, { reports: reports.port, reportsOrigin: reports.origin });
  return {
    url: pages.origin,
    reportsUrl: reports.origin,
    async close() {
      closing.abort();
      await Promise.all([pages.close(), reports.close()]);
    },
  };
}
