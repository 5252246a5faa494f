import { resolve } from "node:path";
import { readProxy } from "../../kit/proxy.ts";
import { parseAccountId } from "../../kit/account-id.ts";
import { startLocalAccounts } from "../../local/accounts.ts";
import type { Settings as AccountSettings } from "../../local/gateway/service.ts";
import { isDiskFull } from "../../local/storage/disk-full.ts";
import { identitiesOf } from "../../local/identities.ts";
import type { Cli } from "../cli.ts";
import { forgetRunning, recordRunning, type Running, startTimeOf } from "./data-dir.ts";
import { keepOptions, type KeptOptions } from "./kept-options.ts";

export interface Serving extends KeptOptions {
  readonly dataDir: string;
  readonly port: number;
}

const DEFAULT_ACCOUNTS = [
  { id: "111122223333", name: "cicd" },
  { id: "444455556666", name: "production" },
];

/**
 * Serves the local accounts in this process, until the user or the system ends it.
 * @param ready called when they answer
 * @throws an Error that says what to do when the port or the folder is taken
 */
export async function serveAccounts(cli: Cli, serving: Serving, ready: (running: Running) => void): Promise<void> {
  const { port, ...rest } = serving;
  const dataDir = resolve(rest.dataDir);
  const { dataDir: _given, ...options } = rest;
  const settings = accountSettings(cli, { port, options: keepOptions(dataDir, options) });
  const stopped = cli.untilStopped();
  outliveFullDisk(cli);
  const accounts = await startLocalAccounts({ settings, dataDir, clock: cli.clock, random: cli.random, log: cli.say });
  const running: Running = {
    url: accounts.url,
    port: accounts.port,
    pid: process.pid,
    startedAt: startTimeOf(process.pid) ?? "",
    dataDir,
    configFile: accounts.configFile,
    accounts: accountsOf(settings),
  };
  recordRunning(running);
  ready(running);
  await stopped;
  await accounts.stop();
  forgetRunning(dataDir);
}

/** What can't be written is refused where it is asked for; work behind the scenes fails, and is resumed at the next start. */
function outliveFullDisk(cli: Cli): void {
  process.on("uncaughtException", (error) => {
    if (!isDiskFull(error)) throw error;
    cli.say(`the disk is full: ${error.stack ?? error.message}`);
  });
}

/** How the machine's container engine is reached, and Nextflow's Java: what runs and builds need of the user's environment. */
const FOR_ENGINES = [
  "DOCKER_HOST",
  "DOCKER_CONTEXT",
  "DOCKER_CONFIG",
  "CONTAINERS_CONF",
  "CONTAINER_HOST",
  "XDG_RUNTIME_DIR",
  "XDG_DATA_HOME",
  "JAVA_HOME",
];

const pick = (from: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));

function accountSettings({ settings }: Cli, { port, options }: { readonly port: number; readonly options: KeptOptions }): AccountSettings {
  const proxy = readProxy(settings.inherited);
  return {
    host: "127.0.0.1",
    port,
    region: options.region ?? "us-east-1",
    upstreams: options.upstreams ?? {},
    containers: options.containers ?? "auto",
    accounts: (options.accounts ?? DEFAULT_ACCOUNTS).map(({ id, name }) => ({ id: parseAccountId(id), name })),
    environment: { ...pick(settings.inherited, FOR_ENGINES), PATH: settings.path, HOME: settings.home },
    ...(proxy && { proxy }),
  };
}

/** Every identity, by the account it belongs to. */
const accountsOf = (settings: AccountSettings): Running["accounts"] =>
  identitiesOf(settings).map(({ profile, account }) => ({
    id: account,
    name: settings.accounts.find(({ id }) => id === account)?.name ?? "",
    profile,
  }));
