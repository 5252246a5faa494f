import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { delimiter, dirname } from "node:path";
import type { Clock } from "../../kit/clock.ts";
import type { ChildRecord, Children } from "../children/children.ts";
import { asset } from "./assets.ts";
import { commandOf } from "./command.ts";
import type { EngineResult, EngineSpec } from "./engine.ts";
import { followEvents, type LoggedEvent } from "./event-log.ts";
import { readResult, writeSpec, type RunFolder } from "./run-folder.ts";

export interface EngineHost {
  readonly children: Children;
  readonly clock: Clock;
  readonly dataDir: string;
  /** PATH and HOME of the machine. */
  readonly environment: Readonly<Record<string, string>>;
}

/** A run's engine, alive or not. */
export interface Engine {
  /** The events behind `position`, until the engine is gone and everything is read. */
  events(position: number, signal: AbortSignal): AsyncGenerator<LoggedEvent>;
  /** What it left. An engine that died without a result failed, and what it wrote last is the message. */
  result(): EngineResult;
  isAlive(): boolean;
  /** Asks it to stop, insists after some seconds, and removes what it left running. */
  cancel(): Promise<void>;
}

export interface EngineStart {
  /** Whose child it is: `omics/run/<id>`. */
  readonly owner: string;
  readonly folder: RunFolder;
  readonly spec: EngineSpec;
}

/**
 * Starts an engine in a process group of its own, recorded before it works.
 * @throws EngineUnavailable when the engine can't be had on this machine
 */
export async function startEngine({ owner, folder, spec }: EngineStart, host: EngineHost): Promise<Engine> {
  const command = await commandOf(spec.engine, folder, host);
  writeSpec(folder, { ...spec, ...(command.engine && { command: command.engine }) });
  const output = openSync(folder.console, "a");
  host.children.start({
    owner,
    kind: "engine",
    command: command.program,
    args: command.args,
    cwd: folder.root,
    env: engineEnvironment(host.environment, folder),
    stdio: ["ignore", output, output],
  });
  closeSync(output);
  return findEngine(owner, folder, host);
}

/** The engine of a run that was started before, perhaps by a process that is no more. */
export function findEngine(owner: string, folder: RunFolder, host: EngineHost): Engine {
  const records = (): readonly ChildRecord[] => host.children.of(owner).filter((record) => record.kind === "engine");
  const isAlive = (): boolean => records().some((record) => host.children.isAlive(record));
  return {
    isAlive,
    events: (from, signal) => followEvents({ file: folder.events, from, clock: host.clock, signal, isAlive }),
    result: () => readResult(folder) ?? { outcome: "failed", code: "WORKFLOW_RUN_FAILED", message: lastWords(folder) },
    async cancel() {
      for (const record of records()) await host.children.end(record, GRACE_MS);
    },
  };
}

// Time for the engine to stop its tasks by itself: a container takes a second or two.
const GRACE_MS = 8000;

/** The engine's own environment: nothing of ours but what it needs to find programs. Tasks get less. */
const engineEnvironment = (machine: Readonly<Record<string, string>>, { temporary }: RunFolder): Record<string, string> => ({
  // What it forgets goes with the run.
  TMPDIR: temporary,
  // cwltool evaluates JavaScript with the first `node` it finds: ours, where the machine has none.
  PATH: `${machine["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"}${delimiter}${dirname(process.execPath)}`,
  ...Object.fromEntries(
    [
      "HOME",
      "DOCKER_HOST",
      "DOCKER_CONTEXT",
      "DOCKER_CONFIG",
      "CONTAINERS_CONF",
      "CONTAINER_HOST",
      "XDG_RUNTIME_DIR",
      "XDG_DATA_HOME",
      "JAVA_HOME",
    ].flatMap((name) => (machine[name] === undefined ? [] : [[name, machine[name]]])),
  ),
  LANG: "C.UTF-8",
  PYTHONPATH: asset("python"),
  PYTHONDONTWRITEBYTECODE: "1",
});

function lastWords(folder: RunFolder): string {
  const said = existsSync(folder.console) ? readFileSync(folder.console, "utf8").trim() : "";
  return said === "" ? "The workflow engine ended without a result" : `The workflow engine ended without a result: ${said.slice(-2000)}`;
}
