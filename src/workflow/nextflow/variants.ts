import type { ImageUse, UnresolvedImage } from "../inspection.ts";
import { readConfig, type Config, type ConfigOptions } from "./config/read-config.ts";
import { isScope, settingAt, type ConfigMap, type Setting } from "./config/settings.ts";
import { observe } from "./evaluate/scope.ts";
import type { Value } from "./evaluate/types.ts";
import { plainValue } from "./evaluate/values.ts";
import { describeImages, findImages, type Found } from "./images/find-images.ts";
import { loadPipeline, type Pipeline } from "./pipeline.ts";
import type { Project } from "./project.ts";

/** Every image of the pipeline: what a run without a profile uses, then what profiles and other parameters would. */
export function imagesOf(
  project: Project,
  pipeline: Pipeline,
): { readonly images: readonly ImageUse[]; readonly unresolved: readonly UnresolvedImage[] } {
  const { config, tasks } = pipeline;
  const seen = observe(project.evaluation, () => tasks.flatMap((task) => findImages(task, config)));
  const asked = new Set(tasks.flatMap((task) => [...task.asked]));
  const matters: Matters = { params: new Set([...pipeline.inputs, ...seen.inputs]), directives: asked.add("container") };
  const known = new Set(seen.result.map(imageKey));
  const usual = fingerprint(config, matters);
  const extra = variantsOf(config, matters).flatMap(({ options, change }) => {
    if (fingerprint(readConfig(project, options), matters) === usual) return [];
    const other = loadPipeline(project, pipeline.main.file, options);
    const changed = other.tasks.flatMap((task) => findImages(task, other.config).slice(0, 1));
    return changed.filter((each) => each.image !== undefined && !known.has(imageKey(each))).map((each) => change(each));
  });
  return describeImages([...seen.result, ...extra]);
}

/** What the containers of a pipeline hang on: most profiles change nothing of it, and cost nothing then. */
interface Matters {
  readonly params: ReadonlySet<string>;
  readonly directives: ReadonlySet<string>;
}

interface Variant {
  readonly options: ConfigOptions;
  /** What to tell of an image that only this variant has. */
  readonly change: (found: Found) => Found;
}

/** Each costs one more reading of the configuration. */
const MOST_VARIANTS = 100;

function variantsOf(config: Config, matters: Matters): readonly Variant[] {
  const { profiles, forks } = config;
  // Naming any profile takes `standard` away, and with it what it set.
  const mayChange = (profile: string): boolean => profiles.has("standard") || changes(config, profile, matters);
  const byProfile = [...profiles]
    .filter((profile) => profile !== "standard" && mayChange(profile))
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

/** Whether a profile's own block sets anything that a container hangs on. */
function changes(config: Config, profile: string, { params, directives }: Matters): boolean {
  const only = config.only(profile);
  const same = [...params].every((name) => sameValue(only.params.get(name), config.params.get(name)));
  return !same || containerLines(only.root, directives).length > 0;
}

const sameValue = (one: Value | undefined, other: Value | undefined): boolean =>
  JSON.stringify(plainValue(one ?? null)) === JSON.stringify(plainValue(other ?? null));

/** All of a configuration that a container hangs on. */
function fingerprint({ root, params }: Config, matters: Matters): string {
  const values = [...matters.params].map((name) => [name, plainValue(params.get(name) ?? null)]);
  return `${containerLines(root, matters.directives).join("\n")}\n${JSON.stringify(values)}`;
}

function containerLines(root: ConfigMap, directives: ReadonlySet<string>): readonly string[] {
  const lines: string[] = [];
  const add = (entry: Setting | ConfigMap | undefined, path: string): void => {
    if (!isScope(entry)) return void (entry && lines.push(`${path} ${entry.file} ${entry.offset} ${texts(entry)}`));
    for (const [name, each] of entry) {
      const counts = isScope(each) ? name !== "ext" || directives.has(name) : directives.has(name) || path.endsWith(" ext");
      if (counts) add(each, `${path} ${name}`);
    }
  };
  add(root.get("process"), "process");
  add(settingAt(root, "docker", "registry"), "registry");
  add(settingAt(root, "docker", "registryOverride"), "override");
  return lines;
}

const texts = (setting: Setting): string => JSON.stringify(setting.choices.map(({ value }) => plainValue(value)));

const imageKey = ({ task, image }: Found): string => JSON.stringify([task.invocation.fullName, image]);
