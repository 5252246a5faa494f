import type { ImageUse, UnresolvedImage } from "../inspection.ts";
import { readConfig, type Config } from "./config/read-config.ts";
import { asValue } from "./config/settings.ts";
import type { Value, ValueMap } from "./evaluate/types.ts";
import { taskOf, type Task } from "./images/containers.ts";
import { describeImages, findImages, type Found } from "./images/find-images.ts";
import type { Project } from "./project.ts";
import { findInvocations } from "./script/invocations.ts";
import { loadMain, type Module } from "./script/module.ts";
import type { SourceFile } from "./syntax/source-file.ts";

/** A pipeline under the default configuration. */
export interface Pipeline {
  readonly config: Config;
  readonly main: Module;
  readonly tasks: readonly Task[];
}

/** Loads the pipeline as a run with these profiles would see it; without profiles, as a run that names none. */
export function loadPipeline(project: Project, file: SourceFile, profiles?: readonly string[]): Pipeline {
  const config = readConfig(project, profiles);
  const provided = scriptNames(config, profiles);
  const main = loadMain(project, file, { params: new Map(config.params), builtin: (name) => provided.get(name) });
  const tasks = findInvocations(main).map((invocation) => taskOf(invocation, config));
  return { config, main, tasks };
}

function scriptNames({ root }: Config, profiles: readonly string[] | undefined): ValueMap {
  const manifest = root.get("manifest");
  const workflow: ValueMap = new Map<string, Value>([
    // HealthOmics runs every task in an OCI container; singularity and conda branches are never taken there.
    ["containerEngine", "docker"],
    ["profile", profiles?.join(",") ?? "standard"],
    ["manifest", manifest === undefined ? new Map() : asValue(manifest)],
    ["stubRun", false],
    // A definition is no Git checkout for the engine.
    ["revision", null], ["commitId", null], ["repository", null],
  ]);
  return new Map<string, Value>([["workflow", workflow]]);
}

/** Every image of the pipeline: what a run without a profile uses, then what its profiles add. */
export function imagesOf(project: Project, pipeline: Pipeline): { readonly images: readonly ImageUse[]; readonly unresolved: readonly UnresolvedImage[] } {
  const found = pipeline.tasks.flatMap((task) => findImages(task, pipeline.config));
  const known = new Set(found.map((each) => imageKey(each)));
  const extra: Found[] = [];
  for (const profile of pipeline.config.profiles) {
    if (profile === "standard") continue;
    const other = loadPipeline(project, pipeline.main.file, [profile]);
    for (const each of other.tasks.flatMap((task) => findImages(task, other.config).slice(0, 1))) {
      if (each.image === undefined || known.has(imageKey(each))) continue;
      extra.push({ ...each, how: "profile", condition: `-profile ${profile}` });
    }
  }
  return describeImages([...found, ...extra]);
}

const imageKey = ({ task, image }: Found): string => JSON.stringify([task.invocation.fullName, image]);

