import { createReadStream, existsSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { formatS3Uri, joinS3Uri, parseS3Uri } from "../../../kit/s3-uri.ts";
import type { EngineResult } from "../../engines/engine.ts";
import type { S3Access } from "../s3-access.ts";
import type { Run } from "../store.ts";
import { exportedFiles, type ExportedFile } from "./exported-files.ts";
import type { RunFolders } from "./folders.ts";
import { RunFailure } from "./run-failure.ts";

/** Where a run's outputs lie below its runOutputUri (guide, "Run outputs"; prefix observed with the run id alone). */
const OUTPUTS = "out";

export interface Exporting {
  readonly run: Run;
  readonly folders: RunFolders;
  readonly result: EngineResult;
}

/**
 * Writes a run's outputs and logs to S3 with the run's role: `logs/engine.log`, `out/{output}/{file}`, `logs/outputs.json`. A run
 * that failed writes what it had by then, without a document that lists its outputs. Doing it again writes the same again.
 * @throws RunFailure EXPORT_FAILED
 */
export async function exportRun(s3: S3Access, { run, folders, result }: Exporting): Promise<void> {
  const base = parseS3Uri(run.runOutputUri);
  const put = async (key: string, body: Parameters<S3Access["write"]>[1], type?: string): Promise<void> => {
    const uri = formatS3Uri(joinS3Uri(base, key));
    await s3.write(uri, body, type).catch((error: unknown) => {
      throw new RunFailure(
        "EXPORT_FAILED",
        `${uri} can't be written with the run's role: ${error instanceof Error ? error.message : String(error)}`,
      );
    });
  };
  if (run.logLevel !== "OFF" && existsSync(folders.engine.engineLog))
    await put("logs/engine.log", readFileSync(folders.engine.engineLog), "text/plain");
  const out = join(folders.engine.root, "run", OUTPUTS);
  for (const { key, file } of result.outcome === "cancelled" ? [] : outputsOf(run, { out, root: folders.root }))
    await put(key, createReadStream(file));
  if (result.outcome !== "completed" || run.engine === "NEXTFLOW") return;
  const outputs = withUris(result.outputs, { folder: out, uri: formatS3Uri(joinS3Uri(base, OUTPUTS)) });
  await put("logs/outputs.json", JSON.stringify(outputs, null, 2), "application/json");
}

// Nextflow has no outputs of its own: what it published lies below these, and nothing else is exported.
const PUBLISHED = ["output", "pubdir"];

function outputsOf({ engine }: Run, { out, root }: { readonly out: string; readonly root: string }): readonly ExportedFile[] {
  const places = engine === "NEXTFLOW" ? PUBLISHED.map((name) => [name, join(out, name)] as const) : [[OUTPUTS, out] as const];
  return places.flatMap(([prefix, folder]) => exportedFiles(folder, root).map(({ key, file }) => ({ key: `${prefix}/${key}`, file })));
}

/** Local paths in an outputs document become the URIs of what was written. */
export function withUris(value: unknown, place: { readonly folder: string; readonly uri: string }): unknown {
  if (typeof value === "string")
    return value.startsWith(place.folder + sep) ? `${place.uri}/${value.slice(place.folder.length + 1)}` : value;
  if (Array.isArray(value)) return value.map((item) => withUris(item, place));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withUris(item, place)]));
}
