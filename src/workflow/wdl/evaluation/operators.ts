/** Comparison and arithmetic on values that may be unknown. */
import type { BinaryOperator } from "../ast.ts";
import { textOf } from "./text.ts";
import { boolean, number, type SingleValue, type Trace, union, unknown, type UnknownValue, type Value } from "./values.ts";

const traceOf = (a: SingleValue, b: SingleValue): Trace => ({ how: "literal", inputs: union(a.inputs, b.inputs) });

/** The inputs that decide an operation of which something is unknown. */
function decidingInputs(a: SingleValue, b: SingleValue): readonly string[] {
  return union(a.kind === "unknown" ? a.inputs : [], b.kind === "unknown" ? b.inputs : []);
}

export function compare(operator: BinaryOperator, a: SingleValue, b: SingleValue): Value {
  if (a.kind === "unknown" || b.kind === "unknown") return compareUnknown(operator, a, b);
  if (operator === "==" || operator === "!=") {
    const equal = areEqual(a, b);
    return equal === undefined ? unknown("?==") : boolean(equal === (operator === "=="), traceOf(a, b));
  }
  const order = orderOf(a, b);
  if (order === undefined) return unknown(`?${operator}`);
  const holds = { "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0 }[operator as "<" | "<=" | ">" | ">="];
  return boolean(holds, traceOf(a, b));
}

function compareUnknown(operator: BinaryOperator, a: SingleValue, b: SingleValue): UnknownValue {
  const literal = a.kind === "unknown" ? b : a;
  const subject = a.kind === "unknown" ? a : b;
  const inputs = decidingInputs(a, b);
  const text = textOf(literal);
  if ((operator === "==" || operator === "!=") && subject.kind === "unknown" && text !== undefined) {
    const negated = operator === "!=";
    const test = { subject: subject.symbol, literal: `${literal.kind}:${text}`, negated };
    return { ...unknown(`${negated ? "!" : ""}(${subject.symbol}==${text})`, inputs, true), test };
  }
  const symbol = (value: SingleValue): string => (value.kind === "unknown" ? value.symbol : (textOf(value) ?? value.kind));
  return unknown(`(${symbol(a)}${operator}${symbol(b)})`, inputs, true);
}

function areEqual(a: SingleValue, b: SingleValue): boolean | undefined {
  if (a.kind === "null" || b.kind === "null") return a.kind === b.kind;
  if (a.kind === "number" && b.kind === "number") return a.value === b.value;
  if (a.kind === "boolean" && b.kind === "boolean") return a.value === b.value;
  return a.kind === "text" && b.kind === "text" ? a.text === b.text : undefined;
}

function orderOf(a: SingleValue, b: SingleValue): number | undefined {
  if (a.kind === "number" && b.kind === "number") return a.value - b.value;
  if (a.kind === "text" && b.kind === "text") return a.text < b.text ? -1 : a.text > b.text ? 1 : 0;
  return undefined;
}

export function arithmetic(operator: BinaryOperator, a: SingleValue, b: SingleValue): Value {
  if (a.kind !== "number" || b.kind !== "number") return unknown(`?${operator}`, decidingInputs(a, b));
  const float = a.float || b.float;
  const result = compute(operator, { a: a.value, b: b.value, float });
  return Number.isFinite(result) ? number(result, float, traceOf(a, b)) : unknown(`?${operator}`, traceOf(a, b).inputs);
}

function compute(operator: BinaryOperator, { a, b, float }: { a: number; b: number; float: boolean }): number {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return float ? a / b : Math.floor(a / b);
    case "%":
      return a - b * Math.floor(a / b);
    default:
      return operator === "**" ? a ** b : Number.NaN;
  }
}

export const negate = (value: SingleValue): Value =>
  value.kind === "number" ? { ...value, value: -value.value } : unknown("?-", value.inputs);
