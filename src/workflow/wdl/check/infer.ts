/** The type of an expression where it stands. What cannot have one is reported once and has none. */
import type { ConditionalExpression, Expression, Interpolation, MapExpression, ObjectExpression, Span, StringExpression } from "../ast.ts";
import { ANY, arrayOf, BOOLEAN, FLOAT, INT, mapOf, NONE, pairOf, printType, STRING, type StructType, type Type } from "../types.ts";
import { unify } from "./coercion.ts";
import { functionType } from "./library.ts";
import { inferBinary } from "./operator-types.ts";
import { expectType, type Scope, unknownName, wrong } from "./typing.ts";

/** The expression's type, or undefined after a report. */
export function infer(expression: Expression, scope: Scope): Type | undefined {
  switch (expression.kind) {
    case "boolean":
      return BOOLEAN;
    case "int":
      return INT;
    case "float":
      return FLOAT;
    case "none":
      return NONE;
    case "string":
      return inferString(expression, scope);
    case "name":
      return scope.typeOf(expression.name) ?? unknownName(scope, `nothing is called "${expression.name}" here`, expression);
    case "member":
      return inferMember(expression, scope);
    case "array":
      return inferArray(expression, scope);
    case "pair":
      return withAll([expression.left, expression.right], scope, ([left = ANY, right = ANY]) => pairOf(left, right));
    case "map":
      return inferMap(expression, scope);
    case "object":
      return inferObject(expression, scope);
    default:
      return inferOperation(expression, scope);
  }
}

type Operation = Extract<Expression, { kind: "if" | "index" | "apply" | "not" | "negative" | "binary" }>;

function inferOperation(expression: Operation, scope: Scope): Type | undefined {
  switch (expression.kind) {
    case "if":
      return inferConditional(expression, scope);
    case "index":
      return withAll([expression.of, expression.at], scope, ([of = ANY, at = ANY]) => inferIndex(expression, { of, at }, scope));
    case "apply":
      return withAll(expression.arguments, scope, (types) => functionType(expression, types, scope));
    case "not":
      return withAll([expression.of], scope, ([type = ANY]) =>
        expectType(scope, expression.of, { type, expected: BOOLEAN }) ? BOOLEAN : undefined,
      );
    case "negative":
      return withAll([expression.of], scope, ([type = ANY]) =>
        expectType(scope, expression.of, { type, expected: FLOAT }) ? type : undefined,
      );
    case "binary":
      return withAll([expression.left, expression.right], scope, ([left = ANY, right = ANY]) =>
        inferBinary(expression, { left, right }, scope),
      );
  }
}

/** Goes on with the types of all parts, or with nothing when one has none. */
function withAll(parts: readonly Expression[], scope: Scope, use: (types: readonly Type[]) => Type | undefined): Type | undefined {
  const types = parts.map((part) => infer(part, scope));
  const known = types.filter((type) => type !== undefined);
  return known.length === types.length ? use(known) : undefined;
}

function inferString(string: StringExpression, scope: Scope): Type | undefined {
  const inner: Scope = { ...scope, interpolated: true };
  const fine = string.parts.map((part) => typeof part === "string" || checkInterpolation(part, inner));
  return fine.every(Boolean) ? STRING : undefined;
}

function checkInterpolation({ value, options }: Interpolation, scope: Scope): boolean {
  const type = infer(value, scope);
  if (!type) return false;
  const problem = interpolationProblem(type, options);
  if (problem) scope.report("wdl-type", problem, value);
  return !problem;
}

function interpolationProblem(type: Type, options: Readonly<Record<string, string>>): string | undefined {
  const hasSeparator = "sep" in options;
  if (type.kind === "Array" && !hasSeparator) return 'an array in a string needs a separator, as in ~{sep=" " items}';
  if (type.kind !== "Array" && hasSeparator) return `"sep" is for arrays, this is ${printType(type)}`;
  const choices = Number("true" in options) + Number("false" in options);
  if (choices === 0) return undefined;
  if (type.kind !== "Boolean") return `"true" and "false" are for a Boolean, this is ${printType(type)}`;
  return choices === 1 ? '"true" and "false" go together' : undefined;
}

function inferArray(expression: Extract<Expression, { kind: "array" }>, scope: Scope): Type | undefined {
  return withAll(expression.items, scope, (types) => {
    if (types.length === 0) return arrayOf(ANY);
    if (types.some((type) => type.kind === "Any" && !type.optional)) return arrayOf(ANY, true);
    if (types.every((type) => type.kind === "Any")) return arrayOf(NONE, true);
    const item = unify(types, true);
    if (item.kind === "Any") return wrong(scope, "the items of this array have no type in common", expression);
    return arrayOf(item, true);
  });
}

function inferMap({ entries, ...at }: MapExpression, scope: Scope): Type | undefined {
  const keys = entries.map((entry) => entry.key);
  return withAll([...keys, ...entries.map((entry) => entry.value)], scope, (types) => {
    if (entries.length === 0) return { ...mapOf(ANY, ANY), literalKeys: new Set() };
    const key = unify(types.slice(0, entries.length));
    const value = unify(types.slice(entries.length), true);
    if (key.kind === "Any" || value.kind === "Any") return wrong(scope, "the entries of this map have no type in common", at);
    const literalKeys = printType(key) === "String" ? literalKeysOf(keys) : undefined;
    return { ...mapOf(key, value), ...(literalKeys && { literalKeys }) };
  });
}

function literalKeysOf(keys: readonly Expression[]): ReadonlySet<string> | undefined {
  const texts = keys.map((key) => (key.kind === "string" && key.parts.length === 1 ? key.parts[0] : undefined));
  return texts.every((text) => typeof text === "string") ? new Set(texts) : undefined;
}

function inferObject(expression: ObjectExpression, scope: Scope): Type | undefined {
  const names = new Set<string>();
  for (const { name } of expression.members) {
    if (names.has(name)) return void scope.report("wdl-duplicate-name", `the member "${name}" is there twice`, expression);
    names.add(name);
  }
  return withAll(
    expression.members.map((member) => member.value),
    scope,
    (types) => {
      const members = new Map(expression.members.map(({ name }, index) => [name, types[index] ?? ANY]));
      const object: Type = { kind: "Object", members, optional: false };
      return expression.struct === undefined ? object : inferStruct(expression, object, scope);
    },
  );
}

function inferStruct(expression: ObjectExpression, object: Type, scope: Scope): Type | undefined {
  const name = expression.struct ?? "";
  const definition = scope.structs.get(name);
  if (!definition) return unknownName(scope, `there is no struct "${name}"`, expression);
  const struct: StructType = { kind: "Struct", name, definition, optional: false };
  const extra = expression.members.find((member) => !definition.members.has(member.name));
  if (extra) return wrong(scope, `struct ${name} has no member "${extra.name}"`, expression);
  return expectType(scope, expression, { type: object, expected: struct }) ? struct : undefined;
}

function inferConditional(expression: ConditionalExpression, scope: Scope): Type | undefined {
  return withAll(
    [expression.condition, expression.whenTrue, expression.whenFalse],
    scope,
    ([condition = ANY, then = ANY, otherwise = ANY]) => {
      if (printType(condition) !== "Boolean")
        return wrong(scope, `a condition is a Boolean, this is ${printType(condition)}`, expression.condition);
      const branches = [then, otherwise];
      if (branches.some((type) => type.kind === "Any" && !type.optional)) return ANY;
      if (branches.every((type) => type.kind === "Any")) return NONE;
      const type = unify(branches);
      if (type.kind !== "Any") return type;
      return wrong(scope, `the branches have no type in common: ${printType(then)} and ${printType(otherwise)}`, expression);
    },
  );
}

function inferIndex(expression: Extract<Expression, { kind: "index" }>, types: { of: Type; at: Type }, scope: Scope): Type | undefined {
  const { of, at } = types;
  if (of.kind === "Array") {
    if (expression.of.kind === "array" && expression.of.items.length === 0) return wrong(scope, "an empty array has no items", expression);
    return expectType(scope, expression.at, { type: at, expected: INT, what: "array index: " }) ? of.item : undefined;
  }
  if (of.kind === "Map") return expectType(scope, expression.at, { type: at, expected: of.key, what: "map key: " }) ? of.value : undefined;
  if (of.kind === "Any" && !of.optional) return ANY;
  return wrong(scope, `only an array or a map has items, this is ${printType(of)}`, expression.of);
}

function inferMember(expression: Extract<Expression, { kind: "member" }>, scope: Scope): Type | undefined {
  const path = [expression.member];
  let root = expression.of;
  for (; root.kind === "member"; root = root.of) path.unshift(root.member);
  if (root.kind !== "name" || scope.typeOf(root.name)) return membersOf(infer(root, scope), path, { at: expression, scope });
  const outputs = scope.outputsOf(root.name);
  if (!outputs) return unknownName(scope, `nothing is called "${root.name}" here`, root);
  for (let used = 1; used <= path.length; used += 1) {
    const output = outputs.get(path.slice(0, used).join("."));
    if (output) return membersOf(output, path.slice(used), { at: expression, scope });
  }
  return unknownName(scope, `call "${root.name}" has no output "${path[0] ?? ""}"`, expression);
}

interface Site {
  readonly at: Span;
  readonly scope: Scope;
}

function membersOf(type: Type | undefined, path: readonly string[], site: Site): Type | undefined {
  let current = type;
  for (const name of path) {
    if (!current) return undefined;
    current = memberOf(current, name, site);
  }
  return current;
}

function memberOf(type: Type, name: string, { at, scope }: Site): Type | undefined {
  if (type.kind === "Any" && !type.optional) return ANY;
  if (type.kind !== "Pair" && type.kind !== "Struct") return wrong(scope, `${printType(type)} has no member "${name}"`, at);
  if (type.optional) return wrong(scope, `this may be absent: ${printType(type)}; use select_first before taking a member`, at);
  if (type.kind === "Struct") return type.definition?.members.get(name) ?? wrong(scope, `struct ${type.name} has no member "${name}"`, at);
  if (name === "left") return type.left;
  return name === "right" ? type.right : wrong(scope, `a Pair has left and right, not "${name}"`, at);
}
