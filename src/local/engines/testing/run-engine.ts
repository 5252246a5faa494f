import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { systemClock } from "../../../kit/clock.ts";
import { openChildren } from "../../children/children.ts";
import { openDatabase } from "../../storage/database.ts";
import type { EngineEvent, EngineName, EngineResult, InputUri, LocalInputs, Refusal, TaskGrant, TaskRequest } from "../engine.ts";
import { startEngine, type Engine, type EngineHost } from "../launch.ts";
import { answer, runFolder, type RunFolder } from "../run-folder.ts";

/** A run of an engine with a person in the place of the local accounts, who grants everything unless told otherwise. */
export interface Rehearsal {
  readonly files: Readonly<Record<string, string>>;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly engine?: EngineName;
  readonly containers?: "docker" | "podman" | "host";
  /** Variables of the machine, beside PATH and HOME. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly main?: string;
  grant?(request: TaskRequest): Partial<TaskGrant> | Refusal;
  bring?(uris: readonly InputUri[]): LocalInputs | Refusal;
  onEvent?(event: EngineEvent, engine: Engine): void | Promise<void>;
}

export interface Performance {
  readonly result: EngineResult;
  readonly events: readonly EngineEvent[];
  readonly folder: RunFolder;
}

/** Where rehearsals of one test file lie, with the files that they bring. */
export interface Stage {
  readonly folder: string;
  /** A read-only file, as one that was brought from S3. */
  file(name: string, text: string): string;
  rehearse(play: Rehearsal): Promise<Performance>;
  /** Removes all of it. */
  close(): void;
}

export function openStage(): Stage {
  const folder = mkdtempSync(join(tmpdir(), "omx-engine-"));
  return {
    folder,
    file(name, text) {
      const file = join(mkdtempSync(join(folder, "brought-")), name);
      writeFileSync(file, text, { mode: 0o444 });
      return file;
    },
    rehearse: (play) => rehearse(play, folder),
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export const machine = (): Readonly<Record<string, string>> => ({ PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "" });

/** @param parent where the host's data folder is made: whoever gives it removes it */
export function engineHost(parent: string, environment: Readonly<Record<string, string>> = {}): EngineHost {
  const dataDir = mkdtempSync(join(parent, "data-"));
  const children = openChildren(openDatabase(join(dataDir, "state.sqlite")), systemClock);
  return { children, clock: systemClock, dataDir, environment: { ...machine(), ...environment } };
}

export function writeTree(root: string, files: Readonly<Record<string, string>>): string {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return root;
}

const grantOnHost = (request: TaskRequest): TaskGrant => ({
  containers: "host",
  executable: "docker",
  run: "rehearsal",
  network: "none",
  cpus: Math.min(request.cpus, 2),
  memoryBytes: request.memoryBytes,
  environment: { PATH: machine()["PATH"] ?? "" },
  mounts: [],
});

async function rehearse(play: Rehearsal, stage: string): Promise<Performance> {
  const host = engineHost(stage, play.environment);
  const folder = runFolder(join(host.dataDir, "run"));
  const definition = writeTree(join(host.dataDir, "definition"), play.files);
  mkdirSync(folder.root, { recursive: true });
  const spec = {
    engine: play.engine ?? "WDL",
    root: stage,
    definition,
    main: play.main ?? "main.wdl",
    inputs: play.inputs ?? {},
    runUuid: "11111111-2222-3333-4444-555555555555",
    containers: play.containers ?? "host",
    concurrentTasks: 25,
  };
  const engine = await startEngine({ owner: "omics/run/1", folder, spec }, host);
  const events: EngineEvent[] = [];
  for await (const { event } of engine.events(0, new AbortController().signal)) {
    events.push(event);
    if (event.type === "task.request") {
      const granted = play.grant?.(event) ?? {};
      answer(folder, event.ask, "refused" in granted ? granted : { ...grantOnHost(event), ...granted });
    }
    if (event.type === "inputs.request") answer(folder, event.ask, play.bring?.(event.uris) ?? { paths: {} });
    await play.onEvent?.(event, engine);
  }
  return { result: engine.result(), events, folder };
}
