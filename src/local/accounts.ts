import { chmodSync, mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../kit/clock.ts";
import type { Random } from "../kit/random.ts";
import { openChildren } from "./children/children.ts";
import { dockerShim } from "./codebuild/docker-shim.ts";
import { renderConfigFile } from "./config-file.ts";
import { createDispatcher } from "./gateway/dispatcher.ts";
import { type Gateway, listen } from "./gateway/server.ts";
import type { Core, LogSink, Service, Settings } from "./gateway/service.ts";
import { createDirectory } from "./iam/directory.ts";
import { createLogSink } from "./logs/log-sink.ts";
import { createOutbox } from "./events/outbox.ts";
import { serviceFactories } from "./services.ts";
import { openBackground } from "./background.ts";
import { openBlobs } from "./storage/blobs.ts";
import { type Database, openDatabase } from "./storage/database.ts";
import { lockDataDir } from "./storage/lock.ts";

const DAY_MS = 86_400_000;

export interface StartOptions {
  readonly settings: Settings;
  /** The folder that holds all state; made when it is not there. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly random: Random;
  /** The operator's log, a line at a time. */
  log(line: string): void;
}

/** Local accounts that answer. */
export interface LocalAccounts {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  /** The AWS config file that was written. */
  readonly configFile: string;
  readonly core: Core;
  /** Ends background work, children of running work excepted (they are adopted at the next start), and closes. */
  stop(): Promise<void>;
}

/**
 * Starts the local accounts on a data folder and resumes what was interrupted.
 * @throws an Error that says what to do when the port or the folder is taken
 */
export async function startLocalAccounts(options: StartOptions): Promise<LocalAccounts> {
  const { settings, dataDir } = options;
  mkdirSync(join(dataDir, "work"), { recursive: true });
  closeToOthers(dataDir);
  const lock = lockDataDir(dataDir);
  keepOwnModules(dataDir);
  const database = openDatabase(join(dataDir, "state.sqlite"));
  let url = "";
  const { core, services, gateway, background } = assemble(options, { database, endpoint: () => url });
  const { server, port } = await listen(gateway).catch((error: unknown) => {
    database.close();
    lock.release();
    throw error;
  });
  url = `http://${settings.host}:${port}`;
  const configFile = writeConfig(core, url);
  writeDocker(core, url);
  sweep(core, services);
  for (const service of services.values()) await service.recover?.();
  background.run("storage", (signal) => sweepDaily(core, services, signal));
  return {
    url,
    port,
    configFile,
    core,
    async stop() {
      for (const service of [...services.values()].reverse()) await service.stop?.();
      await background.stop();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      database.close();
      lock.release();
    },
  };
}

/**
 * Keys of the administrators, secrets and everybody's objects lie in the data folder; one of before is closed too. A folder where all may
 * write, as /tmp is one, is everybody's and stays open.
 */
function closeToOthers(dataDir: string): void {
  const isForAll = (statSync(dataDir).mode & 0o002) !== 0;
  if (!isForAll) chmodSync(dataDir, 0o700);
}

function assemble(options: StartOptions, { database, endpoint }: { readonly database: Database; endpoint(): string }) {
  const { settings, clock, random, dataDir } = options;
  const log = (service: string, message: string) => options.log(`${clock.now().toISOString()} ${service}: ${message}`);
  const services = new Map<string, Service>();
  const directory = createDirectory({ database, clock, random, settings, log });
  const dispatcher = createDispatcher({ services, directory, clock, random, endpoint });
  const background = openBackground(log);
  const logs: LogSink = createLogSink({ database, clock });
  const outbox = createOutbox({ database, clock, random });
  const core: Core = {
    outbox,
    clock,
    random,
    database,
    directory,
    dispatcher,
    settings,
    dataDir,
    log,
    logs,
    endpoint,
    blobs: openBlobs(join(dataDir, "blobs"), { clock, random }),
    children: openChildren(database, clock),
    resourceProviders: () => [...services.values()].flatMap((service) => service.resources ?? []),
    announce(event) {
      for (const service of services.values()) service.onEvent?.(event);
    },
    emit: (event) => outbox.put(event),
    background: (name, work) => background.run(name, work),
  };
  for (const factory of serviceFactories) {
    const service = factory(core);
    services.set(service.name, service);
  }
  const paths = [...services.values()].flatMap((service) => service.paths ?? []).sort((a, b) => b.prefix.length - a.prefix.length);
  const gateway: Gateway = { services, paths, routers: new Map(), dispatcher, directory, clock, random, settings, endpoint, log };
  return { core, services, gateway, background };
}

function writeConfig(core: Core, endpoint: string): string {
  const file = join(core.dataDir, "aws-config");
  writeFileSync(file, renderConfigFile(core.directory.identities(), { endpoint, region: core.settings.region }), { mode: 0o600 });
  return file;
}

/** A `docker` for programs that push to ECR's own address, the CDK's image assets first of all: `bin/docker` of the data folder. */
function writeDocker({ dataDir, settings }: Core, endpoint: string): void {
  const bin = join(dataDir, "bin");
  mkdirSync(bin, { recursive: true });
  writeFileSync(
    join(bin, "docker"),
    dockerShim({ endpoint, bin, upstreams: settings.upstreams, folder: join(dataDir, "work", "dockerfiles") }),
    { mode: 0o755 },
  );
}

async function sweepDaily(core: Core, services: ReadonlyMap<string, Service>, signal: AbortSignal): Promise<void> {
  for (;;) {
    await core.clock.sleep(DAY_MS, signal);
    sweep(core, services);
  }
}

function sweep(core: Core, services: ReadonlyMap<string, Service>): void {
  const inUse = new Set<string>();
  for (const service of services.values()) for (const sha256 of service.blobsInUse?.() ?? []) inUse.add(sha256);
  const swept = core.blobs.sweep(inUse);
  if (swept > 0) core.log("storage", `${swept} blobs that nothing refers to were deleted`);
}

/**
 * Node decides by the nearest package.json whether a `.js` file is a module: functions and builds below this folder must not
 * be read by the settings of whatever the folder lies in, this clone among them.
 */
const keepOwnModules = (dataDir: string): void => writeFileSync(join(dataDir, "package.json"), "{}\n");
