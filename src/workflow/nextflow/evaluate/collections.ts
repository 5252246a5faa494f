import type { Value } from "./types.ts";
import { isList, isMap, textOf, truth } from "./values.ts";

type Call = (item: Value) => Value;

/** What a collection's method gives that is called with a closure; undefined for a method that is not known here. */
export function callWithClosure(object: Value, name: string, call: Call): Value | undefined {
  if (isList(object)) return ofItems(object, name, call);
  if (!isMap(object)) return undefined;
  const entries = [...object].map(([key, value]) => new Map<string, Value>([["key", key], ["value", value]]));
  return name === "findAll" ? undefined : ofItems(entries, name, call);
}

function ofItems(items: readonly Value[], name: string, call: Call): Value | undefined {
  if (name === "collect") return items.map((item) => call(item));
  if (name === "collectEntries") return entriesOf(items.map((item) => call(item)));
  if (!["find", "findAll", "any", "every"].includes(name)) return undefined;
  const answers = items.map((item) => truth(call(item)));
  if (answers.includes(undefined)) return undefined;
  if (name === "find") return items[answers.indexOf(true)] ?? null;
  if (name === "findAll") return items.filter((_, at) => answers[at]);
  return name === "any" ? answers.includes(true) : !answers.includes(false);
}

/** Each closure's answer is a pair or a map of its own. */
function entriesOf(answers: readonly Value[]): Value | undefined {
  const map = new Map<string, Value>();
  for (const answer of answers) {
    if (isMap(answer)) for (const [key, value] of answer) map.set(key, value);
    else if (isList(answer) && answer.length === 2) map.set(textOf(answer[0] ?? null) ?? "", answer[1] ?? null);
    else return undefined;
  }
  return map;
}
