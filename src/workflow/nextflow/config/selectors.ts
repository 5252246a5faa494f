import { matchesWhole } from "./pattern.ts";
import { entryAt, isScope, type ConfigMap, type Setting } from "./settings.ts";

/** What the configuration says of one process, after all its selectors. */
export interface Configured {
  readonly settings: ReadonlyMap<string, Selected>;
  /** `task.ext`, as far as the configuration sets it. */
  readonly ext: ReadonlyMap<string, Selected>;
}

export interface Selected {
  readonly setting: Setting;
  readonly how: "config" | "selector";
}

/** The names a selector may match. */
export interface ProcessNames {
  /** As the script defines it. */
  readonly base: string;
  /** As it is called: the alias of its inclusion. */
  readonly simple: string;
  /** With the workflows around it. */
  readonly full: string;
}

/**
 * The settings in force for a process: labels first, then the names from the shortest to the longest, each in the
 * order of the configuration; at last `process` itself for what neither they nor the script give
 * (ProcessConfig.applyConfig of Nextflow).
 */
export function configure(root: ConfigMap, names: ProcessNames, labels: readonly string[]): Configured {
  const scope = entryAt(root, ["process"]);
  const settings = new Map<string, Selected>();
  const ext = new Map<string, Selected>();
  if (!isScope(scope)) return { settings, ext };
  const into = { settings, ext };
  apply(scope, "withLabel:", { into, matches: (pattern) => matchesLabels(labels, pattern) });
  for (const name of new Set([names.base, names.simple, names.full])) {
    apply(scope, "withName:", { into, matches: (pattern) => matchesName(name, pattern) });
  }
  takeDefaults(scope, into);
  return into;
}

interface Into {
  readonly settings: Map<string, Selected>;
  readonly ext: Map<string, Selected>;
}

function apply(scope: ConfigMap, category: string, { into, matches }: { readonly into: Into; readonly matches: (pattern: string) => boolean }): void {
  for (const [key, rule] of scope) {
    if (!key.startsWith(category) || !isScope(rule) || !matches(key.slice(category.length).trim())) continue;
    for (const [name, entry] of rule) {
      if (name === "ext" && isScope(entry)) takeExt(entry, into.ext, "selector");
      else if (!isScope(entry)) into.settings.set(name, { setting: entry, how: "selector" });
    }
  }
}

function takeExt(entries: ConfigMap, ext: Map<string, Selected>, how: Selected["how"]): void {
  for (const [name, entry] of entries) if (!isScope(entry) && !(how === "config" && ext.has(name))) ext.set(name, { setting: entry, how });
}

function takeDefaults(scope: ConfigMap, { settings, ext }: Into): void {
  for (const [name, entry] of scope) {
    if (name === "ext" && isScope(entry)) takeExt(entry, ext, "config");
    else if (!isScope(entry) && !settings.has(name)) settings.set(name, { setting: entry, how: "config" });
  }
}

function matchesName(name: string, pattern: string): boolean {
  const isNegated = pattern.startsWith("!");
  const matches = matchesWhole(isNegated ? pattern.slice(1).trim() : pattern, name);
  return matches !== undefined && matches !== isNegated;
}

function matchesLabels(labels: readonly string[], pattern: string): boolean {
  const isNegated = pattern.startsWith("!");
  const wanted = isNegated ? pattern.slice(1).trim() : pattern;
  // A process without labels has the empty one, as in Nextflow.
  const all = labels.length > 0 ? labels : [""];
  return all.some((label) => matchesWhole(wanted, label) === true) !== isNegated;
}
