/** Values as texts, and texts as values of a declared type. */
import type { Source } from "../source.ts";
import type { Type } from "../types.ts";
import { both, each, furtherOrigin, type SingleValue, traced, union, unknown, type Value } from "./values.ts";

/** Longer texts are no image's name; a hostile document could double one without end. */
export const MAX_TEXT = 4096;

/** The text that a value has in a string, or undefined when it has none. */
export function textOf(value: SingleValue): string | undefined {
  switch (value.kind) {
    case "text":
      return value.text;
    case "number":
      return value.float ? value.value.toFixed(6) : String(value.value);
    case "boolean":
      return String(value.value);
    case "null":
      return "";
    default:
      return undefined;
  }
}

/** The value as its declaration's type makes it: numbers become text or floats, maps become structs. */
export function coerce(value: Value, type: Type): Value {
  return each(value, (single) => coerceSingle(single, type));
}

function coerceSingle(value: SingleValue, type: Type): Value {
  switch (type.kind) {
    case "Float":
      return value.kind === "number" ? { ...value, float: true } : value;
    case "String":
      return value.kind === "number" || value.kind === "boolean" ? asText(value, textOf(value) ?? "") : value;
    case "Array":
      return value.kind === "list" ? { ...value, items: value.items.map((item) => coerce(item, type.item)) } : value;
    case "Struct":
      return coerceStruct(value, type.definition?.members);
    case "Map":
      return value.kind === "object"
        ? { ...value, kind: "map", entries: [...value.members].map(([name, member]) => [asText(value, name), member]) }
        : value;
    default:
      return value;
  }
}

function asText(value: SingleValue, name: string): SingleValue {
  const { how, inputs } = value;
  return { kind: "text", text: name, how, inputs, source: NO_SOURCE, start: 0 };
}
const NO_SOURCE = { file: "", text: "", position: () => ({ line: 1, column: 1 }) };

function coerceStruct(value: SingleValue, types: ReadonlyMap<string, Type> | undefined): Value {
  const members = membersOf(value);
  if (!members || !types) return value;
  const complete = new Map<string, Value>();
  for (const [name, type] of types) {
    const member = members.get(name);
    if (member) complete.set(name, coerce(member, type));
    else if (type.optional) complete.set(name, { kind: "null", how: value.how, inputs: value.inputs });
  }
  return { kind: "object", members: complete, how: value.how, inputs: value.inputs };
}

function membersOf(value: SingleValue): ReadonlyMap<string, Value> | undefined {
  if (value.kind === "object") return value.members;
  if (value.kind !== "map") return undefined;
  const members = new Map<string, Value>();
  for (const [key, member] of value.entries) if (key.kind === "text") members.set(key.text, member);
  return members;
}

/** Text after text, at the place where they are put together. */
export function append(left: SingleValue, right: SingleValue, origin: { source: Source; start: number }): Value {
  const inputs = union(left.inputs, right.inputs);
  if (left.kind === "unknown" || right.kind === "unknown") {
    const deciding = left.kind !== "unknown" ? right.inputs : right.kind === "unknown" ? inputs : left.inputs;
    return { ...unknown(`${symbolOf(left)}~${symbolOf(right)}`, deciding, true), ...patternOf(left, right) };
  }
  const start = textOf(left);
  const end = textOf(right);
  if (start === undefined || end === undefined || start.length + end.length > MAX_TEXT) return unknown("text");
  return { kind: "text", text: start + end, how: furtherOrigin(left.how, right.how), inputs, ...origin };
}

function patternOf(left: SingleValue, right: SingleValue): { readonly pattern?: string } {
  const [start, end] = [left, right].map((value) => (value.kind === "unknown" ? value.pattern : textOf(value)));
  return start === undefined || end === undefined || start.length + end.length > MAX_TEXT ? {} : { pattern: start + end };
}

/** A value in the symbol of another: equal values give equal symbols. */
export function symbolOf(value: Value): string {
  if (value.kind === "unknown") return value.symbol;
  if (value.kind === "choice") return "choice";
  return JSON.stringify(textOf(value) ?? value.kind);
}

/** The items as one text. */
export function joinItems(items: readonly Value[], separator: string, at: { source: Source; start: number; by: SingleValue }): Value {
  const origin = { source: at.source, start: at.start };
  const between: Value = { kind: "text", text: separator, how: "literal", inputs: [], ...origin };
  let whole: Value = { ...between, text: "" };
  items.forEach((item, index) => {
    if (index > 0) whole = both(whole, between, (left, right) => append(left, right, origin));
    whole = both(whole, item, (left, right) => append(left, right, origin));
  });
  return traced(whole, at.by);
}
