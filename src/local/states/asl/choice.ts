import { matchesParts, starredParts } from "../../../kit/starred.ts";
import type { ChoiceRule } from "./definition.ts";
import { StatesError } from "./errors.ts";
import { lookUp, read, type Scope } from "./jsonpath.ts";
import { isArray, isObject, type Json } from "./json.ts";
import { failure } from "./run.ts";
import { readTimestamp } from "./timestamps.ts";

type Comparison = (value: Json, expected: Json) => boolean;
type Reader<T> = (value: Json) => T | undefined;

const asText: Reader<string> = (value) => (typeof value === "string" ? value : undefined);
const asNumber: Reader<number> = (value) => (typeof value === "number" ? value : undefined);
const asBoolean: Reader<boolean> = (value) => (typeof value === "boolean" ? value : undefined);
const asTimestamp: Reader<number> = (value) => (typeof value === "string" ? readTimestamp(value) : undefined);

/** Values of another type never match: such a comparison is false, not an error. */
const compare =
  <T>(reader: Reader<T>, test: (value: T, expected: T) => boolean): Comparison =>
  (value, expected) => {
    const [left, right] = [reader(value), reader(expected)];
    return left !== undefined && right !== undefined && test(left, right);
  };

const ordered = <T extends string | number>(type: string, reader: Reader<T>): Record<string, Comparison> => ({
  [`${type}Equals`]: compare(reader, (value, expected) => value === expected),
  [`${type}LessThan`]: compare(reader, (value, expected) => value < expected),
  [`${type}GreaterThan`]: compare(reader, (value, expected) => value > expected),
  [`${type}LessThanEquals`]: compare(reader, (value, expected) => value <= expected),
  [`${type}GreaterThanEquals`]: compare(reader, (value, expected) => value >= expected),
});

/** Comparisons with a literal, or, where the operator's name ends in `Path`, with what a path finds. */
const COMPARISONS: Readonly<Record<string, Comparison>> = {
  ...ordered("String", asText),
  ...ordered("Numeric", asNumber),
  ...ordered("Timestamp", asTimestamp),
  BooleanEquals: compare(asBoolean, (value, expected) => value === expected),
  StringMatches: compare(asText, matchesPattern),
};

/** Tests of what kind of value it is; they are given whether that is wanted. */
const KINDS: Readonly<Record<string, (value: Json) => boolean>> = {
  IsNull: (value) => value === null,
  IsNumeric: (value) => typeof value === "number",
  IsString: (value) => typeof value === "string",
  IsBoolean: (value) => typeof value === "boolean",
  IsTimestamp: (value) => asTimestamp(value) !== undefined,
};

/**
 * Whether a JSONPath choice rule holds for the data.
 * @throws StateFailed when Variable finds nothing (IsPresent excepted), as Step Functions does
 * @see https://states-language.net/#choice-state
 */
export function holds(rule: ChoiceRule, scope: Scope): boolean {
  const { And: all, Or: any, Not: not } = rule;
  if (isArray(all)) return all.every((inner) => isObject(inner) && holds(inner, scope));
  if (isArray(any)) return any.some((inner) => isObject(inner) && holds(inner, scope));
  if (isObject(not)) return !holds(not, scope);
  return holdsForVariable(rule, scope);
}

function holdsForVariable(rule: ChoiceRule, scope: Scope): boolean {
  const variable = String(rule["Variable"]);
  const value = lookUp(variable, scope);
  if (typeof rule["IsPresent"] === "boolean") return (value !== undefined) === rule["IsPresent"];
  if (value === undefined)
    throw failure(
      scope.visit,
      StatesError.runtime,
      `Invalid path '${variable}': The choice state's condition path references an invalid value.`,
    );
  for (const [operator, expected] of Object.entries(rule)) {
    const kind = named(KINDS, operator);
    if (kind !== undefined) return kind(value) === expected;
    const literal = named(COMPARISONS, operator);
    if (literal !== undefined) return literal(value, expected);
    const byPath = operator.endsWith("Path") ? named(COMPARISONS, operator.slice(0, -"Path".length)) : undefined;
    if (byPath !== undefined) return byPath(value, read(String(expected), scope));
  }
  throw failure(scope.visit, StatesError.runtime, `A choice rule for '${variable}' has no comparison.`);
}

const named = <T>(table: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(table, name) ? table[name] : undefined;

/** `*` stands for any text; `\*` and `\\` for themselves. */
function matchesPattern(value: string, pattern: string): boolean {
  return matchesParts(starredParts(pattern, /[^]/), value);
}
