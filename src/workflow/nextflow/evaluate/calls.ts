import type { Argument, FormalParameter } from "../syntax/ast.ts";
import { interpolated } from "../syntax/interpolation.ts";
import { inner, observe, unknown } from "./scope.ts";
import type { Choice, ClosureValue, FunctionValue, Scope, Value } from "./types.ts";
import { isMap } from "./values.ts";

/** Functions that call functions deeper than this only recur: each level multiplies the work. */
const DEEPEST_CALL = 6;

/** Runs a function, unless too many are being run already; undefined then. */
export function guarded(scope: Scope, called: FunctionValue, run: (definition: FunctionValue["definition"]) => Value): Value | undefined {
  if (scope.evaluation.calls >= DEEPEST_CALL) return undefined;
  scope.evaluation.calls++;
  try {
    return run(called.definition);
  } finally {
    scope.evaluation.calls--;
  }
}

/** What is passed to a function, each by default. */
export const choicesOf = (args: readonly Argument[], scope: Scope): readonly (readonly Choice[])[] =>
  args.map(({ value }) => {
    const { result, inputs } = observe(scope.evaluation, () => scope.evaluation.value(value, scope));
    return [{ value: result, conditions: [], inputs, how: "variable", file: scope.file, offset: value.start }];
  });

/** The scope of a body with its parameters bound, those not given to their defaults. */
export function bodyScope(outer: Scope, parameters: readonly FormalParameter[], args: readonly (readonly Choice[])[]): Scope {
  const scope = inner(outer);
  parameters.forEach(({ name, default: tokens }, at) => {
    const given = args[at] ?? defaultOf(tokens, scope);
    if (given !== undefined) scope.variables.set(name, given);
  });
  return scope;
}

function defaultOf(tokens: FormalParameter["default"], scope: Scope): readonly Choice[] | undefined {
  const value = tokens && interpolated(tokens);
  if (value === undefined) return undefined;
  return [
    { value: scope.evaluation.value(value, scope), conditions: [], inputs: [], how: "variable", file: scope.file, offset: value.start },
  ];
}

/** A closure of two parameters takes an entry apart. Undefined once all work is done that one reading may do. */
export function applied(closure: ClosureValue, item: Value, scope: Scope): Value | undefined {
  if (scope.evaluation.steps-- <= 0) return undefined;
  const isEntry = closure.closure.parameters.length > 1 && isMap(item);
  return callClosure(closure, isEntry ? [item.get("key") ?? null, item.get("value") ?? null] : [item], scope);
}

/** What the closure gives for these arguments by default. */
export function callClosure(value: ClosureValue, args: readonly Value[], scope: Scope): Value {
  if (scope.evaluation.calls >= DEEPEST_CALL) return unknown(scope, value.closure);
  scope.evaluation.calls++;
  const bound = args.map((each): readonly Choice[] => [
    { value: each, conditions: [], inputs: [], how: "variable", file: scope.file, offset: value.closure.start },
  ]);
  const result = scope.evaluation.run(value.closure.body, bodyScope(value.scope, value.closure.parameters, bound));
  scope.evaluation.calls--;
  return result;
}
