/** The standard library's functions that need no file and no run. All others give an unknown value. */
import type { ApplyExpression, Expression } from "../ast.ts";
import type { Names } from "./names.ts";
import { basename, substitute } from "./text-functions.ts";
import { joinItems, symbolOf, textOf } from "./text.ts";
import { boolean, both, each, failure, list, nothing, number, type SingleValue, traced, union, unknown, type Value } from "./values.ts";

interface Site {
  readonly names: Names;
  readonly start: number;
}

type Builtin = (values: readonly SingleValue[], site: Site) => Value | undefined;

/** The value of a call of a function. Arguments that are choices are tried in each combination that can be. */
export function applyFunction(expression: ApplyExpression, names: Names, evaluate: (argument: Expression) => Value): Value {
  const values = expression.arguments.map(evaluate);
  const builtin = Object.hasOwn(BUILTINS, expression.name) ? BUILTINS[expression.name] : undefined;
  if (!builtin || values.length === 0)
    return unknown(`${expression.name}@${names.source.file}:${expression.start}`, decidingInputs(values));
  return combine(values, (singles) => builtin(singles, { names, start: expression.start }) ?? unanswered(expression.name, singles));
}

/** Unknown because an argument is; or, with all known, because a run alone tells (a file is read, a size taken). */
function unanswered(name: string, values: readonly SingleValue[]): Value {
  return unknown(`${name}(${values.map(symbolOf).join(",")})`, decidingInputs(values));
}

function decidingInputs(values: readonly Value[]): readonly string[] {
  const undecided = values.filter(({ kind }) => kind === "unknown");
  return (undecided.length > 0 ? undecided : values).reduce<readonly string[]>((all, { inputs }) => union(all, inputs), []);
}

function combine(values: readonly Value[], use: (singles: readonly SingleValue[]) => Value): Value {
  const [first, second, third, fourth] = values;
  if (!first) return use([]);
  if (!second) return each(first, (a) => use([a]));
  if (!third) return both(first, second, (a, b) => use([a, b]));
  if (fourth) return unknown("arity");
  return both(first, second, (a, b) => each(third, (c) => use([a, b, c])));
}

const BUILTINS: Readonly<Record<string, Builtin>> = {
  defined: ([value]) => {
    if (value?.kind === "unknown") return value.present ? boolean(true, value) : unknown(`defined(${value.symbol})`, value.inputs);
    return value && boolean(value.kind !== "null", value);
  },
  select_first: ([array, fallback]) => (array?.kind === "list" ? firstPresent(array.items, fallback, array.inputs) : undefined),
  select_all: ([array]) => (array?.kind === "list" ? presentItems(array.items, array) : undefined),
  length: ([value]) => {
    const length = value && lengthOf(value);
    return length === undefined ? undefined : number(length, false, value);
  },
  basename: ([path, suffix], site) => basename(path, suffix, siteOrigin(site)),
  sub: ([text, pattern, replacement], site) => substitute([text, pattern, replacement], siteOrigin(site)),
  sep: ([separator, items], site) =>
    separator?.kind === "text" && items?.kind === "list"
      ? joinItems(items.items, separator.text, { ...siteOrigin(site), by: items })
      : undefined,
  prefix: ([prefix, items], site) =>
    affix(items, (item) => joinItems([prefix ?? nothing(), item], "", { ...siteOrigin(site), by: nothing() })),
  suffix: ([suffix, items], site) =>
    affix(items, (item) => joinItems([item, suffix ?? nothing()], "", { ...siteOrigin(site), by: nothing() })),
  range: ([count]) => (count?.kind === "number" && count.value <= MAX_ITEMS ? rangeOf(count.value, count) : undefined),
  zip: ([a, b]) => (a?.kind === "list" && b?.kind === "list" ? zip(a.items, b.items) : undefined),
  cross: ([a, b]) => (a?.kind === "list" && b?.kind === "list" ? cross(a.items, b.items) : undefined),
  flatten: ([lists]) => (lists?.kind === "list" ? flatten(lists.items) : undefined),
  as_pairs: ([map]) =>
    map?.kind === "map"
      ? list(
          map.entries.map(([left, right]) => pair(left, right)),
          map,
        )
      : undefined,
  as_map: ([pairs]) => (pairs?.kind === "list" ? asMap(pairs.items) : undefined),
  keys: ([map]) =>
    map?.kind === "map"
      ? list(
          map.entries.map(([key]) => key),
          map,
        )
      : undefined,
  values: ([map]) =>
    map?.kind === "map"
      ? list(
          map.entries.map(([, value]) => value),
          map,
        )
      : undefined,
  floor: ([value]) => rounded(value, Math.floor),
  ceil: ([value]) => rounded(value, Math.ceil),
  round: ([value]) => rounded(value, Math.round),
  min: ([a, b]) => extreme(a, b, Math.min),
  max: ([a, b]) => extreme(a, b, Math.max),
  contains: ([items, wanted]) => (items?.kind === "list" && wanted ? contains(items.items, wanted) : undefined),
};

/** Longer arrays are not spelled out. */
const MAX_ITEMS = 1000;

const siteOrigin = ({ names, start }: Site): { source: Names["source"]; start: number } => ({ source: names.source, start });

/** The first item that is not null. Nulls before it are passed over, and the inputs that left them null are remembered. */
function firstPresent(items: readonly Value[], fallback: SingleValue | undefined, passed: readonly string[]): Value {
  const [first, ...rest] = items;
  if (!first) return fallback ? traced(fallback, { inputs: passed }) : failure("select_first", passed);
  return each(first, (single) => {
    if (single.kind === "null") return firstPresent(rest, fallback, union(passed, single.inputs));
    return traced(single, { inputs: passed.length > 0 ? union(passed, single.inputs) : [] });
  });
}

function presentItems(items: readonly Value[], by: SingleValue): Value | undefined {
  if (items.some((item) => item.kind === "choice" || (item.kind === "unknown" && !item.present))) return undefined;
  return list(
    items.filter((item) => item.kind !== "null"),
    by,
  );
}

function lengthOf(value: SingleValue): number | undefined {
  if (value.kind === "list") return value.items.length;
  if (value.kind === "map") return value.entries.length;
  if (value.kind === "object") return value.members.size;
  return value.kind === "text" ? value.text.length : undefined;
}

const affix = (items: SingleValue | undefined, add: (item: Value) => Value): Value | undefined =>
  items?.kind === "list" ? list(items.items.map(add), items) : undefined;

const rangeOf = (count: number, by: SingleValue): Value =>
  list(
    Array.from({ length: count }, (_, index) => number(index, false)),
    by,
  );

const pair = (left: Value, right: Value): SingleValue => ({ kind: "pair", how: "literal", inputs: [], left, right });

const zip = (a: readonly Value[], b: readonly Value[]): Value | undefined =>
  a.length === b.length ? list(a.map((left, index) => pair(left, b[index] ?? nothing()))) : undefined;

const cross = (a: readonly Value[], b: readonly Value[]): Value | undefined =>
  a.length * b.length <= MAX_ITEMS ? list(a.flatMap((left) => b.map((right) => pair(left, right)))) : undefined;

function flatten(lists: readonly Value[]): Value | undefined {
  const items: Value[] = [];
  for (const each of lists) {
    if (each.kind !== "list" || items.length + each.items.length > MAX_ITEMS) return undefined;
    items.push(...each.items);
  }
  return list(items);
}

function asMap(pairs: readonly Value[]): Value | undefined {
  const entries: (readonly [Value, Value])[] = [];
  for (const each of pairs) {
    if (each.kind !== "pair") return undefined;
    entries.push([each.left, each.right]);
  }
  return { kind: "map", how: "literal", inputs: [], entries };
}

const rounded = (value: SingleValue | undefined, round: (value: number) => number): Value | undefined =>
  value?.kind === "number" ? number(round(value.value), false, value) : undefined;

function extreme(a: SingleValue | undefined, b: SingleValue | undefined, pick: (a: number, b: number) => number): Value | undefined {
  if (a?.kind !== "number" || b?.kind !== "number") return undefined;
  return number(pick(a.value, b.value), a.float || b.float, { how: "literal", inputs: union(a.inputs, b.inputs) });
}

function contains(items: readonly Value[], wanted: SingleValue): Value | undefined {
  const text = wanted.kind === "unknown" ? undefined : textOf(wanted);
  if (text === undefined || items.some((item) => item.kind === "unknown" || item.kind === "choice")) return undefined;
  return boolean(
    items.some((item) => item.kind !== "choice" && textOf(item) === text),
    wanted,
  );
}
