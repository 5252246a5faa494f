import { wholeMatcher } from "./pattern.ts";
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
  const rules = rulesOf(scope);
  for (const rule of rules) if (rule.category === "withLabel" && matchesLabels(labels, rule)) apply(rule, into);
  for (const name of new Set([names.base, names.simple, names.full])) {
    for (const rule of rules) if (rule.category === "withName" && matchesName(name, rule)) apply(rule, into);
  }
  takeDefaults(scope, into);
  return into;
}

interface Into {
  readonly settings: Map<string, Selected>;
  readonly ext: Map<string, Selected>;
}

interface SelectorRule {
  readonly category: "withLabel" | "withName";
  readonly isNegated: boolean;
  readonly matches: (text: string) => boolean;
  readonly entries: ConfigMap;
  /** What a name must end with to match; "" where the pattern does not tell. */
  readonly tail: string;
}

const matchesName = (name: string, { matches, isNegated, tail }: SelectorRule): boolean =>
  (name.endsWith(tail) && matches(name)) !== isNegated;

/** Most selectors end with a process's name (`.*:SUB:NAME`): looking at it first saves nearly all of the matching. */
const tailOf = (pattern: string): string => (/[|\\]/.test(pattern) ? "" : (/\w*$/.exec(pattern)?.[0] ?? ""));

const RULES = new WeakMap<ConfigMap, readonly SelectorRule[]>();

/** The selectors of the scope, read once: every call of every process asks for them. */
function rulesOf(scope: ConfigMap): readonly SelectorRule[] {
  const known = RULES.get(scope);
  if (known !== undefined) return known;
  const rules = [...scope].flatMap(([key, entries]): readonly SelectorRule[] => {
    const category = key.startsWith("withLabel:") ? "withLabel" : key.startsWith("withName:") ? "withName" : undefined;
    if (category === undefined || !isScope(entries)) return [];
    const pattern = key.slice(category.length + 1).trim();
    const isNegated = pattern.startsWith("!");
    const positive = isNegated ? pattern.slice(1).trim() : pattern;
    const matches = wholeMatcher(positive);
    return matches === undefined ? [] : [{ category, isNegated, matches, entries, tail: tailOf(positive) }];
  });
  RULES.set(scope, rules);
  return rules;
}

function apply({ entries }: SelectorRule, { settings, ext }: Into): void {
  for (const [name, entry] of entries) {
    if (name === "ext" && isScope(entry)) takeExt(entry, ext, "selector");
    else if (!isScope(entry)) settings.set(name, { setting: entry, how: "selector" });
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

function matchesLabels(labels: readonly string[], { matches, isNegated }: SelectorRule): boolean {
  // A process without labels has the empty one, as in Nextflow.
  const all = labels.length > 0 ? labels : [""];
  return all.some(matches) !== isNegated;
}
