import type { Argument, Binary, Call, Cast, Expr, Index, ListLiteral, MapLiteral, Name, Property, Template } from "../syntax/ast.ts";
import { interpolated } from "../syntax/interpolation.ts";
import type { Token } from "../syntax/tokens.ts";
import { bounded, limited } from "./bounds.ts";
import { callWithClosure } from "./collections.ts";
import { converted } from "./converted.ts";
import { folderMember, itemAt } from "./members.ts";
import { applied, bodyScope, callClosure, choicesOf, guarded } from "./calls.ts";
import { callFormat, callMath, callMethod } from "./methods.ts";
import { applyOperator } from "./operators.ts";
import { observe, sourceText, unknown, variable } from "./scope.ts";
import type { Scope, Value, ValueMap } from "./types.ts";
import { isClosure, isList, isMap, isUnknown, known, numeric, quantity, textOf, truth } from "./values.ts";

/** The value of an expression where every parameter has its default. Never throws; what can't be known is an Unknown. */
export function evaluate(expr: Expr, scope: Scope): Value {
  if (scope.evaluation.steps-- <= 0) return unknown(scope, expr);
  switch (expr.kind) {
    case "literal":
      return expr.digits === undefined ? expr.value : { kind: "decimal", amount: Number(expr.value), text: expr.digits };
    case "template":
      return evaluateTemplate(expr, scope);
    case "name":
      return evaluateName(expr, scope);
    case "property":
      return evaluateProperty(expr, scope);
    case "index":
      return evaluateIndex(expr, scope);
    case "call":
      return evaluateCall(expr, scope);
    case "list":
      return evaluateList(expr, scope);
    case "map":
      return evaluateMap(expr, scope);
    case "closure":
      return { kind: "closure", closure: expr, scope };
    case "ternary":
      return evaluateBranch(expr, scope);
    case "elvis":
      return evaluateElvis(expr.value, expr.otherwise, scope);
    case "unary":
      return evaluateUnary(expr, scope);
    case "binary":
      return evaluateBinary(expr, scope);
    case "cast":
      return evaluateCast(expr, scope);
    case "assignment":
      return evaluate(expr.value, scope);
    case "creation":
      return expr.args[0] && /(?:^|\.)(?:String|MemoryUnit|Duration|File)$/.test(expr.type)
        ? evaluate(expr.args[0].value, scope)
        : volatileUnknown(scope, expr);
  }
}

function volatileUnknown(scope: Scope, node: Expr, inputs: readonly string[] = []): Value {
  scope.evaluation.isVolatile = true;
  return unknown(scope, node, inputs);
}

function evaluateTemplate(template: Template, scope: Scope): Value {
  let text = "";
  for (const part of template.parts) {
    const piece = typeof part === "string" ? part : evaluatePart(part, scope);
    if (typeof piece !== "string") return { ...piece, expression: sourceText(scope, template), prefix: text + (piece.prefix ?? "") };
    text += piece;
  }
  return limited(text) ?? unknown(scope, template);
}

/** The text of an interpolation; an Unknown where it has none. A null is a mistake, never a part of a name. */
function evaluatePart(tokens: readonly Token[], scope: Scope) {
  const expression = interpolated(tokens);
  const span = { start: tokens[0]?.start ?? 0, end: tokens.at(-1)?.start ?? 0 };
  if (expression === undefined) return unknown(scope, span);
  const { result, inputs } = observe(scope.evaluation, () => evaluate(expression, scope));
  const value = isClosure(result) ? callClosure(result, [], scope) : result;
  return textOf(value) ?? (isUnknown(value) ? value : unknown(scope, expression, inputs));
}

/** What a name means by default. */
function evaluateName(expr: Name, scope: Scope): Value {
  const { name } = expr;
  const choice = variable(scope, name)?.[0];
  if (choice !== undefined) {
    for (const input of choice.inputs) scope.evaluation.inputs.add(input);
    if (choice.inputs.length > 0) scope.evaluation.isVolatile = true;
    return choice.value;
  }
  if (name === "params") return scope.params;
  const provided = scope.builtin(name);
  if (provided === undefined) return volatileUnknown(scope, expr);
  scope.evaluation.isVolatile = true;
  return provided;
}

/** What Nextflow provides with more members than are known here. */
const OPEN = new Set(["workflow", "task", "nextflow"]);

/** The parameter's name, where the expression reads one: `params.x`, `params['x']`. */
export function paramName(expr: Expr, scope: Scope): string | undefined {
  if (expr.kind !== "property" && expr.kind !== "index") return undefined;
  if (expr.object.kind !== "name" || expr.object.name !== "params" || variable(scope, "params") !== undefined) return undefined;
  const key = expr.kind === "index" ? expr.index : expr.name;
  if (typeof key === "string") return key;
  const value = evaluate(key, scope);
  return typeof value === "string" ? value : undefined;
}

function readParam(name: string, scope: Scope): Value {
  scope.evaluation.inputs.add(name);
  scope.evaluation.isVolatile = true;
  return scope.params.get(name) ?? null;
}

function evaluateProperty(expr: Property, scope: Scope): Value {
  const param = paramName(expr, scope);
  if (param !== undefined && !["containsKey", "get"].includes(param)) return readParam(param, scope);
  const name = typeof expr.name === "string" ? expr.name : textOf(evaluate(expr.name, scope));
  const object = evaluate(expr.object, scope);
  if (name === undefined) return volatileUnknown(scope, expr);
  if (object === null) return null;
  if (isMap(object)) return object.get(name) ?? missing(object, name, { expr, scope });
  const amount = numeric(object);
  if (amount !== undefined) return quantity(amount, name) ?? unknown(scope, expr);
  if (isUnknown(object)) return unknown(scope, expr, object.inputs);
  const member = typeof object === "string" ? folderMember(object, name) : undefined;
  if (member !== undefined) return member;
  return (name === "length" || name === "size" ? callMethod(object, "size", []) : undefined) ?? volatileUnknown(scope, expr);
}

function missing(object: ValueMap, name: string, { expr, scope }: { readonly expr: Property; readonly scope: Scope }): Value {
  const isOpen = expr.object.kind === "name" && OPEN.has(expr.object.name) && !object.has(name);
  if (!isOpen) return null;
  const provided = scope.builtin(`${expr.object.name}.${name}`);
  if (provided === undefined) return volatileUnknown(scope, expr);
  scope.evaluation.isVolatile = true;
  return provided;
}

function evaluateIndex(expr: Index, scope: Scope): Value {
  const param = paramName(expr, scope);
  if (param !== undefined) return readParam(param, scope);
  const object = evaluate(expr.object, scope);
  const index = evaluate(expr.index, scope);
  if (object === null) return null;
  if (isMap(object)) {
    const key = textOf(index);
    return key === undefined ? unknown(scope, expr, isUnknown(index) ? index.inputs : []) : (object.get(key) ?? null);
  }
  return known(itemAt(object, index), () => unknown(scope, expr, isUnknown(object) ? object.inputs : []));
}

function evaluateList(expr: ListLiteral, scope: Scope): Value {
  const list = expr.items.flatMap((item): Value | readonly Value[] => {
    if (item.kind !== "unary" || item.operator !== "*") return [evaluate(item, scope)];
    const spread = evaluate(item.operand, scope);
    return isList(spread) ? spread : [unknown(scope, item)];
  });
  return bounded(list) ?? unknown(scope, expr);
}

function evaluateMap(expr: MapLiteral, scope: Scope): Value {
  const map: ValueMap = new Map();
  for (const { key, value } of expr.entries) {
    const item = evaluate(value, scope);
    if (key.kind === "name" && key.name === "*") {
      if (isMap(item)) for (const [name, each] of item) map.set(name, each);
      continue;
    }
    const name = textOf(evaluate(key, scope));
    if (name !== undefined) map.set(name, item);
  }
  return bounded(map) ?? unknown(scope, expr);
}

function evaluateBranch(expr: Extract<Expr, { kind: "ternary" }>, scope: Scope): Value {
  const isTrue = truth(evaluate(expr.condition, scope));
  if (isTrue === undefined) return unknown(scope, expr);
  return evaluate(isTrue ? expr.then : expr.otherwise, scope);
}

function evaluateElvis(value: Expr, otherwise: Expr, scope: Scope): Value {
  const first = evaluate(value, scope);
  const isTrue = truth(first);
  if (isTrue === undefined) return unknown(scope, { start: value.start, end: otherwise.end }, isUnknown(first) ? first.inputs : []);
  return isTrue ? first : evaluate(otherwise, scope);
}

function evaluateUnary(expr: Extract<Expr, { kind: "unary" }>, scope: Scope): Value {
  const value = evaluate(expr.operand, scope);
  const isTrue = truth(value);
  if (expr.operator === "!" && isTrue !== undefined) return !isTrue;
  const number = numeric(value);
  if (number !== undefined && expr.operator === "-") return -number;
  if (number !== undefined && expr.operator === "+") return value;
  return unknown(scope, expr, isUnknown(value) ? value.inputs : []);
}

function evaluateBinary(expr: Binary, scope: Scope): Value {
  const left = evaluate(expr.left, scope);
  if (expr.operator === "&&" || expr.operator === "||") return evaluateLogic(expr, left, scope);
  const right = evaluate(expr.right, scope);
  const result = applyOperator(expr.operator, left, right);
  if (result !== undefined) return result;
  const inputs = [left, right].flatMap((side) => (isUnknown(side) ? side.inputs : []));
  return unknown(scope, expr, inputs);
}

function evaluateLogic(expr: Binary, left: Value, scope: Scope): Value {
  const decides = expr.operator === "||";
  const leftTruth = truth(left);
  if (leftTruth === decides) return decides;
  const right = truth(evaluate(expr.right, scope));
  if (right === decides) return decides;
  return leftTruth === undefined || right === undefined ? unknown(scope, expr) : right;
}

function evaluateCast(expr: Cast, scope: Scope): Value {
  return known(converted(evaluate(expr.value, scope), expr.type), () => unknown(scope, expr));
}

function evaluateCall(expr: Call, scope: Scope): Value {
  const { callee } = expr;
  if (callee.kind === "name") return callNamed(callee.name, expr, scope);
  if (callee.kind === "closure") return callClosure({ kind: "closure", closure: callee, scope }, positional(expr.args, scope), scope);
  if (callee.kind !== "property" || typeof callee.name !== "string") return volatileUnknown(scope, expr);
  const args = positional(expr.args, scope);
  if (callee.object.kind === "name" && callee.object.name === "System" && callee.name === "getenv")
    return environment(args[0], expr, scope);
  if (callee.object.kind === "name" && callee.object.name === "Math") return callMath(callee.name, args) ?? unknown(scope, expr);
  if (callee.object.kind === "name" && callee.object.name === "String" && callee.name === "format")
    return callFormat(args) ?? unknown(scope, expr, inputsOf(args));
  const object = evaluate(callee.object, scope);
  if (object === scope.params && typeof args[0] === "string") scope.evaluation.inputs.add(args[0]);
  if (object === null) return null;
  if (isClosure(object)) return callee.name === "call" ? callClosure(object, args, scope) : volatileUnknown(scope, expr);
  const [closure] = args;
  const given =
    closure !== undefined && isClosure(closure) ? callWithClosure(object, callee.name, (item) => applied(closure, item, scope)) : undefined;
  if (given !== undefined) return given;
  return known(callMethod(object, callee.name, args), () => volatileUnknown(scope, expr, isUnknown(object) ? object.inputs : []));
}

/** `System.getenv('X')`, and `env('X')` since 25.04: HealthOmics sets one that configurations ask for. */
function environment(name: Value | undefined, expr: Expr, scope: Scope): Value {
  scope.evaluation.isVolatile = true;
  return name === "AWS_WORKFLOW_RUN" ? { ...unknown(scope, expr), isTruthy: true } : null;
}

const inputsOf = (values: readonly Value[]): readonly string[] => values.flatMap((value) => (isUnknown(value) ? value.inputs : []));

const positional = (args: readonly Argument[], scope: Scope): readonly Value[] => args.map(({ value }) => evaluate(value, scope));

function callNamed(name: string, expr: Call, scope: Scope): Value {
  const bound = variable(scope, name)?.[0]?.value;
  if (bound !== undefined && isClosure(bound)) return callClosure(bound, positional(expr.args, scope), scope);
  const called = scope.functions.get(name);
  if (called === undefined && name === "env" && expr.args.length === 1) return environment(positional(expr.args, scope)[0], expr, scope);
  if (called === undefined) return volatileUnknown(scope, expr);
  const body = bodyScope(called.scope, called.definition.parameters, choicesOf(expr.args, scope));
  return known(
    guarded(scope, called, (definition) => scope.evaluation.run(definition.body, body)),
    () => volatileUnknown(scope, expr),
  );
}
