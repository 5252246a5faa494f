import { existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import type { Containers } from "../../engines/engine.ts";
import { startEngine } from "../../engines/launch.ts";
import { EngineUnavailable } from "../../engines/python-environment.ts";
import type { Omics } from "../omics.ts";
import type { Run } from "../store.ts";
import { unpackZip } from "../workflows/unpack.ts";
import { changeRun, type RunKey } from "./find.ts";
import { foldersOf, makeMountPoints, ownerOf } from "./folders.ts";
import { secondsAllowed } from "./time-limit.ts";
import { logRunEvent, mayLog } from "./logs.ts";
import { nextflowVersion } from "./nextflow-version.ts";
import { runPrincipal } from "./role.ts";
import { RunFailure } from "./run-failure.ts";

/**
 * Brings a run from STARTING to RUNNING: takes its role, unpacks the definition, starts the engine. An engine that a
 * former process started is found, never started twice.
 * @throws RunFailure ASSUME_ROLE_FAILED, WORKFLOW_VER_VALIDATION_FAILED, WORKFLOW_RUN_FAILED
 */
export async function beginRun(omics: Omics, key: RunKey, containers: Containers): Promise<void> {
  const run = omics.store.runs.get(key);
  if (run === undefined) return;
  const role = runPrincipal(omics, run);
  const engineVersion = run.engine === "NEXTFLOW" ? { engineVersion: versionOf(run) } : {};
  const known = changeRun(omics, key, { containers, ...engineVersion, ...(!mayLog(omics, run, role) && { cannotLog: true }) });
  if (known !== undefined && !hasBegun(omics, known)) {
    logRunEvent(omics, known, { logMessage: "SET_WORKFLOW_TIMEOUT", message: `${secondsAllowed(omics, known)} seconds` });
    await launch(omics, known);
  }
  running(omics, key);
}

const versionOf = ({ nextflow, engineSettings }: Run): string => {
  const asked = (engineSettings as { readonly engineVersion?: string } | undefined)?.engineVersion;
  return nextflowVersion({ required: nextflow?.required, isDsl1: nextflow?.isDsl1 ?? false, asked });
};

/** An engine that said anything, or is there, or left a result, was started before. */
function hasBegun(omics: Omics, run: Run): boolean {
  const { engine } = foldersOf(omics, run);
  const hasSpoken = existsSync(engine.events) && statSync(engine.events).size > 0;
  const isThere = omics.core.children.of(ownerOf(run)).some((record) => omics.core.children.isAlive(record));
  return hasSpoken || isThere || existsSync(engine.result);
}

async function launch(omics: Omics, run: Run): Promise<void> {
  const folders = foldersOf(omics, run);
  rmSync(folders.root, { recursive: true, force: true });
  mkdirSync(folders.engine.root, { recursive: true });
  await unpackZip(omics.core.blobs.path(run.zip), folders.definition);
  if (run.containers !== "host") makeMountPoints(folders, run.uuid);
  const spec = {
    engine: run.engine === "WDL_LENIENT" ? ("WDL" as const) : run.engine,
    root: folders.root,
    definition: folders.definition,
    main: run.main,
    inputs: run.parameters as Readonly<Record<string, unknown>>,
    runUuid: run.uuid,
    containers: run.containers ?? "host",
    concurrentTasks: omics.quotas.tasksPerRun,
    isLenient: run.engine === "WDL_LENIENT",
    environment: { AWS_REGION: run.place.region, AWS_WORKFLOW_RUN: run.arn, AWS_WORKFLOW_RUN_ID: run.id, AWS_WORKFLOW_RUN_UUID: run.uuid },
    ...(run.engineSettings !== undefined && { engineSettings: run.engineSettings }),
  };
  await startEngine({ owner: ownerOf(run), folder: folders.engine, spec }, omics.engines).catch((error: unknown) => {
    throw error instanceof EngineUnavailable ? new RunFailure("WORKFLOW_RUN_FAILED", error.message) : error;
  });
}

const ON_THE_HOST = "Tasks run on the host, not isolated: neither Docker nor Podman answers";

function running(omics: Omics, key: RunKey): void {
  omics.store.transaction(() => {
    const run = changeRun(omics, key, ({ status, startTime, tags, containers }) => ({
      tags: withPlace(tags, containers),
      status: status === "STARTING" ? "RUNNING" : status,
      startTime: startTime ?? omics.core.clock.now().toISOString(),
      // Nobody should take for isolated what is not, unless they asked for it: this stays unless the run fails.
      ...(containers === "host" && omics.core.settings.containers === "auto" && { statusMessage: ON_THE_HOST }),
    }));
    if (run === undefined) return;
    const where = run.containers === "host" ? "tasks run on the host, not isolated" : `tasks run in ${run.containers}`;
    const version =
      run.engineVersion === undefined
        ? ""
        : `; HealthOmics would run Nextflow ${run.engineVersion}, here the one of this machine runs (see the engine log)`;
    logRunEvent(omics, run, { logMessage: "RUNNING_WORKFLOW", message: where + version });
  });
}

/** Tells a release of omx where its test ran, for its evidence; every other run keeps its tags as they were sent. */
function withPlace(tags: Run["tags"], containers: Containers = "host"): Run["tags"] {
  return Object.keys(tags).some((key) => key.startsWith("omx:")) ? { ...tags, "omx:local:containers": containers } : tags;
}
