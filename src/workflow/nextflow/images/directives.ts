import { branches, choose, execute } from "../evaluate/choices.ts";
import { inner } from "../evaluate/scope.ts";
import type { Choice, Scope, Value } from "../evaluate/types.ts";
import { firstKnown, isList } from "../evaluate/values.ts";
import type { Argument, Expr, Process, Statement } from "../syntax/ast.ts";

/** A directive as a process gives it. */
export interface Directive {
  readonly name: string;
  readonly args: readonly Argument[];
  readonly offset: number;
  /** Where its expressions are to be evaluated. */
  readonly scope: Scope;
  /** What must hold for it to be given; empty for what is given by default. */
  readonly conditions: readonly string[];
  readonly inputs: readonly string[];
}

/** The directives of a process, those under an `if` with its condition. */
export function directivesOf(process: Process, scope: Scope): readonly Directive[] {
  const label = process.body.findIndex(({ kind }) => kind === "label");
  const head = label < 0 ? process.body : process.body.slice(0, label);
  return collect(head, inner(scope), { conditions: [], inputs: [] });
}

type Guard = Pick<Directive, "conditions" | "inputs">;

function collect(statements: readonly Statement[], scope: Scope, guard: Guard): readonly Directive[] {
  return statements.flatMap((statement): readonly Directive[] => {
    if (statement.kind === "if") return guarded(statement, scope, guard);
    if (statement.kind === "expression") return directive(statement.expression, scope, guard);
    execute(statement, scope);
    return [];
  });
}

function guarded(statement: Extract<Statement, { kind: "if" }>, scope: Scope, guard: Guard): readonly Directive[] {
  // Each side stands for itself as a choice, so that the condition is judged in one place.
  const side = (isThen: boolean): readonly Choice[] => [
    { value: isThen, conditions: [], inputs: [], how: "literal", file: scope.file, offset: statement.start },
  ];
  return branches(statement.condition, scope, side).flatMap(({ value, conditions, inputs }) =>
    collect(value === true ? statement.then : statement.otherwise, scope, {
      conditions: [...guard.conditions, ...conditions],
      inputs: [...guard.inputs, ...inputs],
    }),
  );
}

function directive(expression: Expr, scope: Scope, guard: Guard): readonly Directive[] {
  if (expression.kind === "call" && expression.callee.kind === "name") {
    return [{ name: expression.callee.name, args: expression.args, offset: expression.start, scope, ...guard }];
  }
  // `container = 'x'`, as in a configuration, sets the directive as well (tried with 24.10).
  if (expression.kind !== "assignment" || expression.operator !== "=") return [];
  const { target, value, start: offset } = expression;
  if (target.kind === "name") return [{ name: target.name, args: [{ value }], offset, scope, ...guard }];
  // `ext.image = 'x'` sets one entry of `ext`.
  if (target.kind !== "property" || target.object.kind !== "name" || typeof target.name !== "string") return [];
  return [{ name: target.object.name, args: [{ name: target.name, value }], offset, scope, ...guard }];
}

/** The labels of a process: each `label` may give several. */
export function labelsOf(directives: readonly Directive[]): readonly string[] {
  return directives.flatMap((each): readonly string[] => {
    if (each.name !== "label" || each.conditions.length > 0) return [];
    const values = each.args.map((argument) => chooseFirst({ ...each, args: [argument] }, () => undefined)[0]?.value ?? null);
    return values.flatMap((value) => (isList(value) ? value : [value])).filter((label) => typeof label === "string");
  });
}

/** The values of a directive's first argument, the default first. */
export function chooseFirst(
  { args, scope, conditions, inputs }: Directive,
  builtin: (name: string) => Value | undefined,
): readonly Choice[] {
  const value = args[0]?.value;
  if (value === undefined) return [];
  const seen = { ...scope, builtin: (name: string) => firstKnown(builtin(name), scope.builtin(name)) };
  return choose(value, seen).map((choice) => ({
    ...choice,
    conditions: [...conditions, ...choice.conditions],
    inputs: [...new Set([...choice.inputs, ...inputs])],
    how: conditions.length > 0 || inputs.length > 0 ? (choice.how === "closure" ? "closure" : "ternary") : choice.how,
  }));
}
