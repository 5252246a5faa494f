import { existsSync, readdirSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { removeContainers } from "../../engines/container-engine.ts";
import { workFolders } from "../../engines/work-folder.ts";
import type { Omics } from "../omics.ts";
import type { Run } from "../store.ts";
import { foldersOf, ownerOf } from "./folders.ts";

/** Removes what a run that has ended left on this machine: processes, containers, its folder. */
export async function clearRun(omics: Omics, run: Run, signal: AbortSignal): Promise<void> {
  const { children } = omics.core;
  const records = children.of(ownerOf(run));
  const containers = records.flatMap(({ container }) => (container === undefined ? [] : [container.name]));
  if (run.containers === "docker" || run.containers === "podman")
    await removeContainers(omics.engines, { program: run.containers, run: run.uuid, awaited: containers, signal });
  // What could not be awaited is in the records, and goes at the next start.
  if (signal.aborted) return;
  for (const record of records) children.forget(record);
  // Thousands of files take seconds on a busy disk: nobody else may wait for that.
  await rm(foldersOf(omics, run).root, { recursive: true, force: true });
}

/**
 * Ends what runs of a former process left and nobody follows any more: a kill may come between the end of a run and the
 * removal of what it had. Called before any run begins.
 */
export async function clearLeft(omics: Omics): Promise<void> {
  const { core, store } = omics;
  const active = store.runs.find("active", "yes").map(({ value }) => value);
  const owners = new Set(active.map(ownerOf));
  const left = core.children.of("omics/run").filter(({ owner }) => !owners.has(owner));
  const folders = leftFolders(omics, active);
  await Promise.all(left.map((record) => core.children.end(record)));
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
}

function leftFolders(omics: Omics, active: readonly Run[]): readonly string[] {
  const used = new Set(active.map((run) => foldersOf(omics, run).root));
  const parents = [dirname(foldersOf(omics, { uuid: "any" }).root), workFolders(omics.engines)].filter(existsSync);
  return parents.flatMap((parent) => readdirSync(parent).map((name) => join(parent, name))).filter((folder) => !used.has(folder));
}
