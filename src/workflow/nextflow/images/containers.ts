import { openedChoices } from "../evaluate/choices.ts";
import type { Choice, Scope } from "../evaluate/types.ts";
import { configure, type Configured, type Selected } from "../config/selectors.ts";
import type { Config } from "../config/read-config.ts";
import type { Invocation } from "../script/invocations.ts";
import { chooseFirst, directivesOf, labelsOf, type Directive } from "./directives.ts";
import { taskScope } from "./task-scope.ts";

/** What is known of a process as it is called. */
export interface Task {
  readonly invocation: Invocation;
  readonly directives: readonly Directive[];
  readonly labels: readonly string[];
  readonly configured: Configured;
  /** Evaluates a directive of the process, or the setting that stands in its place. */
  readonly scope: Scope;
  /** The directives that something evaluated so far asked `task` for. */
  readonly asked: ReadonlySet<string>;
}

/** A container as a task may have it, and what set it. */
export interface ContainerChoice extends Choice {
  /** Where a configuration and not the script gave it. */
  readonly selected?: Selected;
}

export function taskOf(invocation: Invocation, config: Config): Task {
  const { module, process, name, fullName } = invocation;
  const directives = directivesOf(process, module.scope);
  const labels = labelsOf(directives);
  const configured = configure(config.root, { base: process.name, simple: name, full: fullName }, labels);
  const asked = new Set<string>();
  const scope = taskScope({ process: fullName, directives, labels, configured, outer: module.scope, asked });
  return { invocation, directives, labels, configured, asked, scope };
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
