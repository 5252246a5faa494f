import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAccountId } from "../../kit/account-id.ts";
import { type Clock, systemClock } from "../../kit/clock.ts";
import { systemRandom } from "../../kit/random.ts";
import { type LocalAccounts, startLocalAccounts } from "../accounts.ts";
import { endLeftChildren } from "../children/end-left.ts";
import type { Settings } from "../gateway/service.ts";

export const CICD = parseAccountId("111122223333");
export const PRODUCTION = parseAccountId("444455556666");
export const REGION = "us-east-1";

/** What every SDK client needs to reach the accounts as one of the identities. */
export interface ClientConfig {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly forcePathStyle: true;
  readonly disableHostPrefix: true;
  readonly maxAttempts: number;
  /** Milliseconds by which the accounts' clock is ahead: a client's first signature is made by it, then by the Date of answers. */
  readonly systemClockOffset?: number;
}

export interface TestAccounts extends AsyncDisposable {
  readonly accounts: LocalAccounts;
  readonly url: string;
  readonly dataDir: string;
  readonly configFile: string;
  /** Lines of the operator's log. */
  readonly log: readonly string[];
  /** `new S3Client(config("cicd"))` */
  config(profile?: "cicd" | "production" | "developer" | "approver"): ClientConfig;
  /** Stops and starts again on the same folder: what a restart sees. */
  restart(): Promise<void>;
}

/** Local accounts on a free port with a folder of their own, which goes when they are disposed of, as does what they started. */
export async function startAccounts(overrides: Partial<Settings> = {}, clock: Clock = systemClock): Promise<TestAccounts> {
  const dataDir = mkdtempSync(join(tmpdir(), "omx-accounts-"));
  const log: string[] = [];
  const settings: Settings = {
    host: "127.0.0.1",
    port: 0,
    region: REGION,
    upstreams: {},
    containers: "host",
    accounts: [
      { id: CICD, name: "cicd" },
      { id: PRODUCTION, name: "production" },
    ],
    environment: { PATH: process.env["PATH"] ?? "", HOME: dataDir },
    ...overrides,
  };
  const start = () => startLocalAccounts({ settings, dataDir, clock, random: systemRandom, log: (line) => log.push(line) });
  let accounts = await start();
  return {
    dataDir,
    log,
    get accounts() {
      return accounts;
    },
    get url() {
      return accounts.url;
    },
    get configFile() {
      return accounts.configFile;
    },
    config(profile = "cicd") {
      const identity = accounts.core.directory.identities().find((one) => one.profile === profile);
      if (!identity) throw new Error(`no profile ${profile}`);
      const { accessKeyId, secretAccessKey } = identity;
      return {
        endpoint: accounts.url,
        region: REGION,
        credentials: { accessKeyId, secretAccessKey },
        forcePathStyle: true,
        disableHostPrefix: true,
        maxAttempts: 1,
        systemClockOffset: clock.now().getTime() - systemClock.now().getTime(),
      };
    },
    async restart() {
      await accounts.stop();
      accounts = await start();
    },
    async [Symbol.asyncDispose]() {
      await accounts.stop();
      await endLeftChildren(dataDir, systemClock, 0);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
