import { evaluate } from "../evaluate/evaluate.ts";
import { inner, observe } from "../evaluate/scope.ts";
import { switchSides } from "../evaluate/switches.ts";
import type { Choice, Scope, Value } from "../evaluate/types.ts";
import { isList, isMap } from "../evaluate/values.ts";
import type { Call, Compound, Expr, Statement } from "../syntax/ast.ts";

/** Statements to be run, and what they see. */
export interface Round {
  readonly body: readonly Statement[];
  readonly scope: Scope;
}

/** The rounds of `list.each { … }`; undefined where the call is none of that kind. */
export function roundsOfCall({ callee, args }: Call, scope: Scope): readonly Round[] | undefined {
  if (callee.kind !== "property" || (callee.name !== "each" && callee.name !== "eachWithIndex")) return undefined;
  const closure = args[0]?.value;
  if (args.length !== 1 || closure?.kind !== "closure") return undefined;
  const names = closure.parameters.map(({ name }) => name);
  const isNumbered = callee.name === "eachWithIndex";
  return itemsOf(callee.object, scope).map((item, at) => {
    const values = item.kind === "entry" && names.length > (isNumbered ? 2 : 1) ? [item.key, item.value] : [item.whole];
    return { body: closure.body, scope: bound(scope, names, [...values, ...(isNumbered ? [at] : [])]) };
  });
}

/** What of a loop or a switch is run, in its order. */
export function roundsOfCompound(statement: Compound, scope: Scope): readonly Round[] {
  if (statement.word === "switch")
    return switchSides(statement, scope)
      .slice(0, 1)
      .map(({ body }) => ({ body, scope }));
  const [head] = statement.expressions;
  if (statement.word !== "loop" || head?.kind !== "binary" || head.operator !== "in" || head.left.kind !== "name") return [];
  const { name } = head.left;
  const [body = []] = statement.sometimes;
  return itemsOf(head.right, scope).map((item) => ({ body, scope: bound(scope, [name], [item.whole]) }));
}

type Item =
  | { readonly kind: "item"; readonly whole: Value }
  | { readonly kind: "entry"; readonly whole: Value; readonly key: Value; readonly value: Value };

function itemsOf(collection: Expr, scope: Scope): readonly Item[] {
  const { result } = observe(scope.evaluation, () => evaluate(collection, scope));
  if (isList(result)) return result.map((whole) => ({ kind: "item", whole }));
  if (!isMap(result)) return [];
  return [...result].map(([key, value]) => ({
    kind: "entry",
    whole: new Map<string, Value>([
      ["key", key],
      ["value", value],
    ]),
    key,
    value,
  }));
}

/** A round may include whole files: loops of loops are at their end after some ten thousand. */
const ROUND_STEPS = 100;

function bound(scope: Scope, names: readonly string[], values: readonly Value[]): Scope {
  scope.evaluation.steps -= ROUND_STEPS;
  const own = inner(scope);
  names.forEach((name, at) => {
    const choice: Choice = { value: values[at] ?? null, conditions: [], inputs: [], how: "variable", file: scope.file, offset: 0 };
    own.variables.set(name, [choice]);
  });
  return own;
}
