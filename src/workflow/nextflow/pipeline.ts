import type { ImageUse, UnresolvedImage } from "../inspection.ts";
import { readConfig, type Config, type ConfigOptions } from "./config/read-config.ts";
import { asValue, isScope, settingAt, type ConfigMap, type Setting } from "./config/settings.ts";
import type { Value, ValueMap } from "./evaluate/types.ts";
import { isClosure, isList, isMap } from "./evaluate/values.ts";
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
export function loadPipeline(project: Project, file: SourceFile, options: ConfigOptions = {}): Pipeline {
  const config = readConfig(project, options);
  const provided = scriptNames(config, options.profiles);
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
    ["revision", null],
    ["commitId", null],
    ["repository", null],
  ]);
  return new Map<string, Value>([["workflow", workflow]]);
}

/** Every image of the pipeline: what a run without a profile uses, then what profiles and other parameters would. */
export function imagesOf(
  project: Project,
  pipeline: Pipeline,
): { readonly images: readonly ImageUse[]; readonly unresolved: readonly UnresolvedImage[] } {
  const found = pipeline.tasks.flatMap((task) => findImages(task, pipeline.config));
  const known = new Set(found.map(imageKey));
  const usual = fingerprint(pipeline.config);
  const extra = [...variantsOf(pipeline.config)].flatMap(({ options, change }) => {
    if (fingerprint(readConfig(project, options)) === usual) return [];
    const other = loadPipeline(project, pipeline.main.file, options);
    const changed = other.tasks.flatMap((task) => findImages(task, other.config).slice(0, 1));
    return changed.filter((each) => each.image !== undefined && !known.has(imageKey(each))).map((each) => change(each));
  });
  return describeImages([...found, ...extra]);
}

interface Variant {
  readonly options: ConfigOptions;
  /** What to tell of an image that only this variant has. */
  readonly change: (found: Found) => Found;
}

/** Each costs one more reading of the configuration. */
const MOST_VARIANTS = 100;

function variantsOf({ profiles, forks }: Config): readonly Variant[] {
  const byProfile = [...profiles]
    .filter((profile) => profile !== "standard")
    .map((profile): Variant => ({
      options: { profiles: [profile] },
      change: (found) => ({ ...found, how: "profile", condition: `-profile ${profile}` }),
    }));
  const byFork = [...forks].map(
    ([
      flipped,
      {
        condition,
        inputs: [input],
      },
    ]): Variant => ({
      options: { flipped },
      change: (found) => ({ ...found, condition, ...(input !== undefined && { input }) }),
    }),
  );
  return [...byFork, ...byProfile].slice(0, MOST_VARIANTS);
}

/** All of a configuration that a container can hang on. Most profiles choose an engine or an executor and change nothing of it. */
function fingerprint({ root, params }: Config): string {
  const lines: string[] = [];
  const add = (entry: Setting | ConfigMap | undefined, path: string): void => {
    if (!isScope(entry)) return void (entry && lines.push(`${path} ${entry.file} ${entry.offset} ${texts(entry)}`));
    for (const [name, each] of entry) if (isScope(each) || name === "container" || path.endsWith(" ext")) add(each, `${path} ${name}`);
  };
  add(root.get("process"), "process");
  add(settingAt(root, "docker", "registry"), "registry");
  add(settingAt(root, "docker", "registryOverride"), "override");
  return `${lines.join("\n")}\n${JSON.stringify(plainValue(params))}`;
}

const texts = (setting: Setting): string => JSON.stringify(setting.choices.map(({ value }) => plainValue(value)));

function plainValue(value: Value): unknown {
  if (isMap(value)) return [...value].map(([name, each]) => [name, plainValue(each)]);
  if (isList(value)) return value.map(plainValue);
  return isClosure(value) ? [value.closure.start] : value;
}

const imageKey = ({ task, image }: Found): string => JSON.stringify([task.invocation.fullName, image]);
