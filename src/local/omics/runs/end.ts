import { existsSync } from "node:fs";
import { readResult } from "../../engines/run-folder.ts";
import type { EngineResult } from "../../engines/engine.ts";
import type { Omics } from "../omics.ts";
import { s3As, type S3Access } from "../s3-access.ts";
import type { Run, Verdict } from "../store.ts";
import { exportRun } from "./export.ts";
import { changeRun, type RunKey } from "./find.ts";
import { foldersOf } from "./folders.ts";
import { changedInput } from "./inputs.ts";
import { logRunEvent, streams } from "./logs.ts";
import { writeManifest } from "./manifest.ts";
import { runPrincipal } from "./role.ts";
import { RunFailure } from "./run-failure.ts";
import { overStorage, usedBytes } from "./storage.ts";

/** Brings a run with a verdict to its end: exports, writes the manifest. Undefined when it has ended or is gone. */
export async function endRun(omics: Omics, key: RunKey): Promise<Run | undefined> {
  const before = omics.store.runs.get(key);
  if (before?.verdict === undefined) return undefined;
  const stopping = changeRun(omics, key, { status: "STOPPING" });
  if (stopping === undefined) return undefined;
  logRunEvent(omics, stopping, "STOPPING_RUN");
  const bytes = await usedBytes(omics, stopping);
  logRunEvent(omics, stopping, { logMessage: "MAX_FILE_SYSTEM_USAGE", message: `${bytes} bytes` });
  const verdict = await exported(omics, stopping, { verdict: before.verdict, bytes });
  if (existsSync(foldersOf(omics, stopping).engine.engineLog))
    logRunEvent(omics, stopping, { logMessage: "ENGINE_LOG_GENERATED", message: streams.engine(stopping) });
  return omics.store.transaction(() => {
    const ended = changeRun(omics, key, {
      ...endOf(verdict),
      ...usedStorage(omics, stopping, bytes),
      stopTime: omics.core.clock.now().toISOString(),
    });
    if (ended === undefined) return undefined;
    logRunEvent(omics, ended, { logMessage: `RUN_${ended.status}`, message: ended.statusMessage });
    writeManifest(omics, ended);
    return ended;
  });
}

function endOf(verdict: Verdict): Pick<Run, "status" | "failureReason" | "statusMessage"> {
  return verdict.status === "FAILED"
    ? { status: "FAILED", failureReason: verdict.reason, statusMessage: verdict.message }
    : { status: verdict.status };
}

/** A dynamic run reports the most that it used; a static one what it was given. */
const usedStorage = ({ quotas }: Omics, { storageType }: Run, bytes: number): Partial<Run> =>
  storageType === "DYNAMIC" ? { storageCapacity: Math.ceil(bytes / quotas.bytesOfStorageGib) } : {};

interface Ending {
  readonly verdict: Verdict;
  readonly bytes: number;
}

/** A cancelled run exports nothing; a completed one that can't be exported has failed. */
async function exported(omics: Omics, run: Run, { verdict, bytes }: Ending): Promise<Verdict> {
  if (verdict.status === "CANCELLED") return verdict;
  try {
    const s3 = s3As(omics.core, runPrincipal(omics, run), run.place.region);
    const spoilt = verdict.status === "COMPLETED" ? await spoiltBy(omics, run, { s3, bytes }) : undefined;
    const decided = spoilt ?? verdict;
    await exportRun(s3, { run, folders: foldersOf(omics, run), result: exportable(omics, run, decided) });
    return decided;
  } catch (error) {
    if (verdict.status === "FAILED") return verdict;
    if (error instanceof RunFailure) return { status: "FAILED", reason: error.code, message: error.message };
    throw error;
  }
}

/** What the engine left, unless it did not come to an end or what it made is spoilt: then there are no outputs. */
function exportable(omics: Omics, run: Run, { status }: Verdict): EngineResult {
  const result = readResult(foldersOf(omics, run).engine);
  return result !== undefined && (status === "COMPLETED") === (result.outcome === "completed") ? result : { outcome: "cancelled" };
}

async function spoiltBy(
  omics: Omics,
  run: Run,
  { s3, bytes }: { readonly s3: S3Access; readonly bytes: number },
): Promise<Verdict | undefined> {
  const changed = await changedInput(s3, run.resourceDigests ?? {});
  if (changed !== undefined)
    return { status: "FAILED", reason: "MODIFIED_INPUT_RESOURCE", message: `${changed} was changed while the run used it` };
  return overStorage(omics, run, bytes);
}
