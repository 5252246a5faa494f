import { openedChoices } from "../evaluate/choices.ts";
import type { Choice, Scope, Value, ValueMap } from "../evaluate/types.ts";
import { configure, type Configured, type Selected } from "../config/selectors.ts";
import type { Config } from "../config/read-config.ts";
import type { Invocation } from "../script/invocations.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import { chooseFirst, directivesOf, type Directive } from "./directives.ts";

/** What is known of a process as it is called. */
export interface Task {
  readonly invocation: Invocation;
  readonly directives: readonly Directive[];
  readonly labels: readonly string[];
  readonly configured: Configured;
  /** Evaluates a directive of the process, or the setting that stands in its place. */
  readonly scope: Scope;
  /** Whether something evaluated so far asked for `task`, and with it for `ext`. */
  readonly seen: { readonly isTask: boolean };
}

/** A container as a task may have it, and what set it. */
export interface ContainerChoice extends Choice {
  /** Where a configuration and not the script gave it. */
  readonly selected?: Selected;
}

export function taskOf(invocation: Invocation, config: Config): Task {
  const { module, process, name, fullName } = invocation;
  const directives = directivesOf(process, module.scope);
  const labels = directives
    .filter((each) => each.name === "label" && each.conditions.length === 0)
    .map((each) => chooseFirst(each, () => undefined)[0]?.value)
    .filter((label) => typeof label === "string");
  const configured = configure(config.root, { base: process.name, simple: name, full: fullName }, labels);
  const bare: Scope = { ...module.scope, builtin: taskNames(fullName, () => new Map(), module.scope) };
  const seen = { isTask: false };
  const ext = (): ValueMap => {
    seen.isTask = true;
    return extOf({ directives, configured, scope: bare });
  };
  return { invocation, directives, labels, configured, seen, scope: { ...module.scope, builtin: taskNames(fullName, ext, module.scope) } };
}

/** `task` is made when it is first asked for: nearly no container hangs on it, and `ext` may hold dozens of closures. */
function taskNames(process: string, ext: () => ValueMap, { builtin }: Scope): (name: string) => Value | undefined {
  let task: ValueMap | undefined;
  const made = (): ValueMap =>
    (task ??= new Map<string, Value>([
      ["ext", ext()],
      ["process", process],
      ["attempt", 1],
      ["index", 1],
    ]));
  return (name) => (name === "task" ? made() : builtin(name));
}

function extOf({ directives, configured, scope }: Pick<Task, "directives" | "configured" | "scope">): ValueMap {
  const ext: ValueMap = new Map();
  for (const { name, args } of directives) {
    if (name === "ext") for (const each of args) if (each.name !== undefined) ext.set(each.name, evaluate(each.value, scope));
  }
  for (const [name, { setting, how }] of configured.ext) {
    if (how === "config" && ext.has(name)) continue;
    ext.set(name, openedChoices(setting.choices, scope)[0]?.value ?? null);
  }
  return ext;
}

/** Every container the task may have: what a selector sets, else what the script says, else what `process` sets. */
export function containersOf(task: Task): readonly ContainerChoice[] {
  const { directives, configured, scope } = task;
  const selected = configured.settings.get("container");
  if (selected?.how === "selector") return selectedChoices(selected, scope);
  const own = directives.filter(({ name }) => name === "container");
  if (own.length === 0) return selected === undefined ? [] : selectedChoices(selected, scope);
  // The last one given by default counts; those under other conditions are what it may be instead.
  const byDefault = own.findLast(({ conditions }) => conditions.length === 0);
  const others = own.filter((each) => each.conditions.length > 0);
  const choices = [byDefault, ...others].flatMap((each) => (each === undefined ? [] : chooseFirst(each, scope.builtin)));
  if (byDefault !== undefined || selected === undefined) return choices;
  return [...selectedChoices(selected, scope), ...choices];
}

function selectedChoices(selected: Selected, scope: Scope): readonly ContainerChoice[] {
  return openedChoices(selected.setting.choices, scope).map((choice) => ({ ...choice, selected }));
}
