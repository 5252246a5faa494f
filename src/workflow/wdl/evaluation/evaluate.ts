/** Expressions, as far as their value is known before a run. */
import type { BinaryExpression, ConditionalExpression, Expression, Interpolation, StringExpression } from "../ast.ts";
import { decodeEscapes } from "../strings.ts";
import { applyFunction } from "./builtins.ts";
import type { Names } from "./names.ts";
import { arithmetic, compare, negate } from "./operators.ts";
import { within } from "./session.ts";
import { append, joinItems, symbolOf, textOf } from "./text.ts";
import {
  boolean,
  both,
  branch,
  each,
  failure,
  furtherOrigin,
  list,
  nothing,
  number,
  type SingleValue,
  traced,
  union,
  unknown,
  type UnknownValue,
  type Value,
} from "./values.ts";

export function evaluate(expression: Expression, names: Names): Value {
  return within(
    names.session,
    () => evaluateKind(expression, names),
    () => unknown(`deep@${expression.start}`),
  );
}

function evaluateKind(expression: Expression, names: Names): Value {
  switch (expression.kind) {
    case "boolean":
      return boolean(expression.value);
    case "int":
    case "float":
      return number(expression.value, expression.kind === "float");
    case "none":
      return nothing();
    case "string":
      return evaluateString(expression, names);
    case "name":
      return names.valueOf(expression.name) ?? unknown(`?${expression.name}`);
    case "member":
      return evaluateMember(expression, names);
    case "index":
      return evaluateIndex(expression, names);
    case "if":
      return evaluateConditional(expression, names);
    case "apply":
      return applyFunction(expression, names, (argument) => evaluate(argument, names));
    default:
      return evaluateCompound(expression, names);
  }
}

type Compound = Extract<Expression, { kind: "array" | "pair" | "map" | "object" | "not" | "negative" | "binary" }>;

function evaluateCompound(expression: Compound, names: Names): Value {
  switch (expression.kind) {
    case "array":
      return list(expression.items.map((item) => evaluate(item, names)));
    case "pair":
      return { kind: "pair", how: "literal", inputs: [], left: evaluate(expression.left, names), right: evaluate(expression.right, names) };
    case "map": {
      const entries = expression.entries.map(({ key, value }) => [evaluate(key, names), evaluate(value, names)] as const);
      return { kind: "map", how: "literal", inputs: [], entries };
    }
    case "object": {
      const members = new Map(expression.members.map(({ name, value }) => [name, evaluate(value, names)]));
      return { kind: "object", how: "literal", inputs: [], members };
    }
    case "not":
      return each(evaluate(expression.of, names), not);
    case "negative":
      return each(evaluate(expression.of, names), (value) => negate(value));
    case "binary":
      return evaluateBinary(expression, names);
  }
}

function not(value: SingleValue): Value {
  if (value.kind === "boolean") return { ...value, value: !value.value };
  if (value.kind !== "unknown") return unknown("?not");
  const symbol = value.symbol.startsWith("!") ? value.symbol.slice(1) : `!${value.symbol}`;
  return { ...value, symbol, ...(value.test && { test: { ...value.test, negated: !value.test.negated } }) };
}

function evaluateString(string: StringExpression, names: Names): Value {
  const origin = { source: names.source, start: string.start };
  let whole: Value = { kind: "text", text: "", how: "literal", inputs: [], ...origin };
  for (const part of string.parts) {
    const next: Value =
      typeof part === "string"
        ? { kind: "text", text: string.form === "command" ? part : decodeEscapes(part), how: "literal", inputs: [], ...origin }
        : evaluateInterpolation(part, names);
    whole = both(whole, next, (left, right) => append(left, right, origin));
  }
  return whole;
}

function evaluateInterpolation({ value, options, start }: Interpolation, names: Names): Value {
  const origin = { source: names.source, start };
  const text = (written: string, by: SingleValue): Value => ({ kind: "text", text: written, how: by.how, inputs: by.inputs, ...origin });
  return each(evaluate(value, { ...names, interpolated: true }), (single) => {
    if (single.kind === "null") return text(options["default"] ?? "", single);
    if (single.kind === "boolean") return text(options[String(single.value)] ?? String(single.value), single);
    if (single.kind === "list") return joinItems(single.items, options["sep"] ?? " ", { ...origin, by: single });
    const written = textOf(single);
    return written === undefined || single.kind === "text" ? single : text(written, single);
  });
}

function evaluateMember(expression: Extract<Expression, { kind: "member" }>, names: Names): Value {
  const path = [expression.member];
  let root = expression.of;
  for (; root.kind === "member"; root = root.of) path.unshift(root.member);
  if (root.kind === "name" && names.valueOf(root.name) === undefined) {
    const output = names.outputOf(root.name, path);
    if (output) return path.slice(output.used).reduce(memberOf, output.value);
  }
  return path.reduce(memberOf, evaluate(root, names));
}

const memberOf = (value: Value, member: string): Value =>
  each(value, (single) => {
    if (single.kind === "unknown") return unknown(`${single.symbol}.${member}`, single.inputs);
    const found = takeMember(single, member);
    return found
      ? traced(found, { how: furtherOrigin(single.how, "member"), inputs: single.inputs })
      : unknown(`?.${member}`, single.inputs);
  });

function takeMember(value: SingleValue, member: string): Value | undefined {
  if (value.kind === "object") return value.members.get(member);
  if (value.kind === "pair") return member === "left" ? value.left : member === "right" ? value.right : undefined;
  if (value.kind !== "map") return undefined;
  return value.entries.findLast(([key]) => key.kind === "text" && key.text === member)?.[1];
}

function evaluateIndex(expression: Extract<Expression, { kind: "index" }>, names: Names): Value {
  const text = (): string => names.source.text.slice(expression.at.start, expression.at.end);
  return both(evaluate(expression.of, names), evaluate(expression.at, names), (of, at) =>
    of.kind === "map" && at.kind === "unknown" && of.entries.length > 0 ? anyEntry(of.entries, at, text()) : indexInto(of, at),
  );
}

/** A map looked into with a key that is not known: each of its values, if the key is theirs. */
function anyEntry(entries: readonly (readonly [Value, Value])[], at: UnknownValue, written: string): Value {
  return entries.reduceRight<Value>(
    (otherwise, [key, value]) => {
      const equal = key.kind === "choice" ? unknown("?key") : compare("==", at, key);
      if (equal.kind !== "unknown") return otherwise;
      const text = `${written} == ${symbolOf(key)}`;
      return branch(equal, text, { whenTrue: traced(value, { how: "member" }), whenFalse: otherwise });
    },
    failure("?key", at.inputs),
  );
}

function indexInto(of: SingleValue, at: SingleValue): Value {
  const inputs = union(of.inputs, at.inputs);
  const by = { how: furtherOrigin(of.how, "variable"), inputs } as const;
  if (of.kind === "list" && at.kind === "number") {
    const item = of.items[at.value];
    return item ? traced(item, by) : unknown("?index", inputs);
  }
  if ((of.kind === "map" || of.kind === "object") && at.kind !== "unknown") {
    const wanted = textOf(at);
    const found = of.kind === "object" ? of.members.get(wanted ?? "") : of.entries.findLast(([key]) => isText(key, wanted))?.[1];
    return found ? traced(found, { ...by, how: "member" }) : unknown("?key", inputs);
  }
  const deciding = [of, at].flatMap((value) => (value.kind === "unknown" ? value.inputs : []));
  return unknown(`${symbolOf(of)}[${symbolOf(at)}]`, deciding);
}

const isText = (value: Value, text: string | undefined): boolean => value.kind !== "choice" && textOf(value) === text;

function evaluateConditional(expression: ConditionalExpression, names: Names): Value {
  const { condition } = expression;
  const text = names.source.text.slice(condition.start, condition.end).replace(/\s+/g, " ");
  return each(evaluate(condition, names), (decided) => {
    if (decided.kind === "boolean") {
      const taken = evaluate(decided.value ? expression.whenTrue : expression.whenFalse, names);
      return traced(taken, { how: "ternary", inputs: decided.inputs });
    }
    if (decided.kind !== "unknown") return unknown("?if", decided.inputs);
    const whenTrue = evaluate(expression.whenTrue, names);
    const whenFalse = evaluate(expression.whenFalse, names);
    return branch(decided, text, { whenTrue, whenFalse });
  });
}

function evaluateBinary(expression: BinaryExpression, names: Names): Value {
  const { operator } = expression;
  const left = evaluate(expression.left, names);
  if (operator === "&&" || operator === "||") {
    return both(left, evaluate(expression.right, names), (a, b) => decide(operator === "||", a, b));
  }
  return both(left, evaluate(expression.right, names), (a, b) => {
    const inputs = union(a.inputs, b.inputs);
    const origin = { source: names.source, start: expression.start };
    if (operator === "+") {
      if (names.interpolated && (a.kind === "null" || b.kind === "null")) return nothing(inputs);
      const isTextual = a.kind === "text" || b.kind === "text";
      if (isTextual && a.kind !== "null" && b.kind !== "null") return append(a, b, origin);
    }
    return operator === "==" || operator === "!=" || operator.startsWith("<") || operator.startsWith(">")
      ? compare(operator, a, b)
      : arithmetic(operator, a, b);
  });
}

/** `||` is decided by a true operand, `&&` by a false one, wherever it stands. */
function decide(deciding: boolean, a: SingleValue, b: SingleValue): Value {
  const inputs = union(a.inputs, b.inputs);
  for (const value of [a, b]) if (value.kind === "boolean" && value.value === deciding) return boolean(deciding, value);
  if (a.kind === "boolean" && b.kind === "boolean") return boolean(!deciding, { how: "literal", inputs });
  if (a.kind === "boolean") return b;
  if (b.kind === "boolean") return a;
  return unknown(`(${symbolOf(a)}${deciding ? "||" : "&&"}${symbolOf(b)})`, inputs);
}
