import type { ClosureValue, Decimal, Quantity, Unknown, Value, ValueMap } from "./types.ts";

export const isUnknown = (value: Value): value is Unknown => kindOf(value) === "unknown";
export const isClosure = (value: Value): value is ClosureValue => kindOf(value) === "closure";
export const isMap = (value: Value): value is ValueMap => value instanceof Map;
export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);
export const isDecimal = (value: Value): value is Decimal => kindOf(value) === "decimal";
export const isQuantity = (value: Value): value is Quantity => kindOf(value) === "memory" || kindOf(value) === "duration";

function kindOf(value: Value): string | undefined {
  return typeof value === "object" && value !== null && "kind" in value ? value.kind : undefined;
}

/** The value as a number; undefined for what is none. */
export const numeric = (value: Value | undefined): number | undefined =>
  typeof value === "number" ? value : value !== undefined && isDecimal(value) ? value.amount : undefined;

/** Groovy's truth; undefined where the value is not known. */
export function truth(value: Value): boolean | undefined {
  if (value === null) return false;
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return value !== 0;
  if (typeof value === "string") return value !== "";
  if (isList(value)) return value.length > 0;
  if (isMap(value)) return value.size > 0;
  if (isUnknown(value)) return value.isTruthy;
  return isQuantity(value) || isDecimal(value) ? value.amount !== 0 : true;
}

/** What the value looks like inside a string; undefined where that can't be known (or would be "null", which nobody means). */
export function textOf(value: Value): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (isDecimal(value)) return value.text;
  if (isQuantity(value) && value.kind === "memory") return memoryText(value.amount);
  if (!isList(value)) return undefined;
  const texts = value.map(textOf);
  return texts.includes(undefined) ? undefined : `[${texts.join(", ")}]`;
}

const UNITS = ["B", "KB", "MB", "GB", "TB", "PB"];

function memoryText(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  while (amount >= 1024 && unit < UNITS.length - 1 && (amount / 1024) % 0.25 === 0) {
    amount /= 1024;
    unit++;
  }
  return `${amount} ${UNITS[unit]}`;
}

const DURATIONS: readonly (readonly [RegExp, number])[] = [
  [/^(?:ms|millis?)$/, 1],
  [/^(?:s|sec|seconds?)$/, 1000],
  [/^(?:m|mins?|minutes?)$/, 60_000],
  [/^(?:h|hours?)$/, 3_600_000],
  [/^(?:d|days?)$/, 86_400_000],
];

/** `8.GB`, `30.min`: a number with a unit as its property. */
export function quantity(amount: number, unit: string): Quantity | undefined {
  const power = UNITS.indexOf(unit.length === 1 && unit !== "B" ? `${unit}B` : unit);
  if (power >= 0) return { kind: "memory", amount: amount * 1024 ** power };
  const milliseconds = DURATIONS.find(([pattern]) => pattern.test(unit))?.[1];
  return milliseconds === undefined ? undefined : { kind: "duration", amount: amount * milliseconds };
}

/** `'8 GB'`, `'8.GB'`, `'1d 2h'` as a directive or a cast takes it. */
export function parseQuantity(text: string): Quantity | undefined {
  const single = /^\s*(\d+(?:\.\d+)?)[.\s]*([A-Za-z]+)\s*$/.exec(text);
  if (single?.[1] !== undefined && single[2] !== undefined) {
    return quantity(Number(single[1]), /^[kmgtp]?b?$/i.test(single[2]) && !/^[mM]$/.test(single[2]) ? single[2].toUpperCase() : single[2]);
  }
  const parts = text.trim().split(/\s+/);
  if (parts.length < 2 || parts.length > 8) return undefined;
  let total = 0;
  for (const part of parts) {
    const match = /^(\d+(?:\.\d+)?)([a-z]+)$/.exec(part);
    const one = match?.[1] !== undefined && match[2] !== undefined ? quantity(Number(match[1]), match[2]) : undefined;
    if (one?.kind !== "duration") return undefined;
    total += one.amount;
  }
  return { kind: "duration", amount: total };
}

/** Whether Groovy's `==` holds; undefined where a side is not known. */
export function equal(left: Value, right: Value): boolean | undefined {
  if (isUnknown(left) || isUnknown(right)) return undefined;
  if (isDecimal(left) || isDecimal(right)) return numeric(left) === numeric(right);
  if (isQuantity(left) && isQuantity(right)) return left.kind === right.kind && left.amount === right.amount;
  if (isList(left) && isList(right)) {
    if (left.length !== right.length) return false;
    const each = left.map((value, at) => equal(value, right[at] ?? null));
    return each.includes(false) ? false : each.includes(undefined) ? undefined : true;
  }
  if (isMap(left) && isMap(right)) return left.size === 0 && right.size === 0 ? true : undefined;
  return left === right;
}

/** The value as JSON can hold it, to compare one with another; closures by their places. */
export function plainValue(value: Value): unknown {
  if (isMap(value)) return [...value].map(([name, each]) => [name, plainValue(each)]);
  if (isList(value)) return value.map(plainValue);
  return isClosure(value) ? [value.closure.start] : value;
}

/** The value, a null as well: `??` would take that for none. */
export const known = (value: Value | undefined, otherwise: () => Value): Value => (value === undefined ? otherwise() : value);

/** The first that is known, a null as well. */
export const firstKnown = (one: Value | undefined, other: Value | undefined): Value | undefined => (one === undefined ? other : one);
