import type { Configured } from "../config/selectors.ts";
import { openedChoices } from "../evaluate/choices.ts";
import { evaluate } from "../evaluate/evaluate.ts";
import type { Scope, Value, ValueMap } from "../evaluate/types.ts";
import { isList, isMap, numeric, parseQuantity } from "../evaluate/values.ts";
import { chooseFirst, type Directive } from "./directives.ts";

/** What `task` is made of. */
export interface TaskSource {
  /** The full name of the process. */
  readonly process: string;
  readonly directives: readonly Directive[];
  readonly labels: readonly string[];
  readonly configured: Configured;
  /** The scope of the script. */
  readonly outer: Scope;
  /** Takes the names of the directives that are asked for. */
  readonly asked: Set<string>;
}

type Names = (name: string) => Value | undefined;

/** The scope in which a container is evaluated: that of the script, and `task` with what is set for the process. */
export function taskScope(source: TaskSource): Scope {
  const { outer, process, asked } = source;
  const bare: Scope = { ...outer, builtin: taskNames(process, outer.builtin, () => new Map()) };
  const withExt = taskNames(process, outer.builtin, () => {
    asked.add("ext");
    return extOf(source, bare);
  });
  const beside: Scope = { ...outer, builtin: withExt };
  const builtin: Names = (name) => (name.startsWith("task.") ? directiveOf(source, name.slice(5), beside) : withExt(name));
  return { ...outer, builtin };
}

/** `task` is made when it is first asked for: nearly no container hangs on it, and `ext` may hold dozens of closures. */
function taskNames(process: string, outer: Names, ext: () => ValueMap): Names {
  let task: ValueMap | undefined;
  const made = (): ValueMap =>
    (task ??= new Map<string, Value>([
      ["ext", ext()],
      ["process", process],
      ["attempt", 1],
      ["index", 1],
    ]));
  return (name) => (name === "task" ? made() : outer(name));
}

function extOf({ directives, configured }: TaskSource, scope: Scope): ValueMap {
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

/** Directives that containers are chosen by, and what `task` has of each that nobody sets (tried with 24.10). */
const UNSET: ReadonlyMap<string, Value> = new Map<string, Value>([
  ["accelerator", null],
  ["arch", null],
  ["cpus", 1],
  ["disk", null],
  ["executor", "local"],
  ["machineType", null],
  ["memory", null],
  ["queue", null],
  ["time", null],
]);

/** `task.cpus`, `task.accelerator`: what a selector sets, else what the script says, else what `process` sets. */
function directiveOf({ directives, labels, configured, asked }: TaskSource, name: string, scope: Scope): Value | undefined {
  if (name === "label") return labels;
  const unset = UNSET.get(name);
  if (unset === undefined) return undefined;
  asked.add(name);
  const selected = configured.settings.get(name);
  const own = directives.findLast((each) => each.name === name && each.conditions.length === 0);
  if (own !== undefined && selected?.how !== "selector") return converted(name, chooseFirst(own, scope.builtin)[0]?.value ?? unset);
  const choice = selected && openedChoices(selected.setting.choices, scope)[0];
  return converted(name, choice?.value ?? unset);
}

/** As `task` gives it: an amount for a text, the request of an accelerator for its number. */
function converted(name: string, value: Value): Value {
  if (name === "accelerator" && !isMap(value)) {
    const request = numeric(isList(value) ? value[0] : value);
    return request === undefined
      ? value
      : new Map([
          ["request", request],
          ["limit", request],
        ]);
  }
  const isAmount = name === "memory" || name === "time" || name === "disk";
  return isAmount && typeof value === "string" ? (parseQuantity(value) ?? value) : value;
}
