import type { Value } from "./types.ts";
import { bounded } from "./bounds.ts";
import { isList, isMap, textOf, truth } from "./values.ts";

type Call = (item: Value) => Value | undefined;

/** What a collection's method gives that is called with a closure; undefined for a method that is not known here. */
export function callWithClosure(object: Value, name: string, call: Call): Value | undefined {
  if (isList(object)) return ofItems(object, name, call);
  if (!isMap(object)) return undefined;
  const entries = [...object].map(
    ([key, value]) =>
      new Map<string, Value>([
        ["key", key],
        ["value", value],
      ]),
  );
  return name === "findAll" ? undefined : ofItems(entries, name, call);
}

function answersOf(items: readonly Value[], call: Call): readonly Value[] | undefined {
  const answers: Value[] = [];
  for (const item of items) {
    const answer = call(item);
    if (answer === undefined) return undefined;
    answers.push(answer);
  }
  return answers;
}

function ofItems(items: readonly Value[], name: string, call: Call): Value | undefined {
  if (!["collect", "collectEntries", "find", "findAll", "any", "every"].includes(name)) return undefined;
  const values = answersOf(items, call);
  if (values === undefined) return undefined;
  if (name === "collect") return bounded(values);
  if (name === "collectEntries") return entriesOf(values);
  const answers = values.map(truth);
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
  return bounded(map);
}
