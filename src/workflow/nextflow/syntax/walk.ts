import type { Argument, Expr, Statement } from "./ast.ts";
import { interpolated } from "./interpolation.ts";

/** Called with each expression before those inside it; `false` leaves those out. */
export type Visit = (expr: Expr) => boolean | void;

/** Visits every expression of the statements, those in strings as well. */
export function walk(statements: readonly Statement[], visit: Visit): void {
  for (const statement of statements) walkStatement(statement, visit);
}

/** Visits the expressions of one statement and of those inside it. */
export function walkStatement(statement: Statement, visit: Visit): void {
  switch (statement.kind) {
    case "expression":
      return walkExpr(statement.expression, visit);
    case "declaration":
    case "return":
      return statement.value && walkExpr(statement.value, visit);
    case "if":
      walkExpr(statement.condition, visit);
      walk(statement.then, visit);
      return walk(statement.otherwise, visit);
    case "process":
    case "workflow":
    case "function":
      return walk(statement.body, visit);
    case "include":
      walkExpr(statement.from, visit);
      return statement.params && walkExpr(statement.params, visit);
    case "params":
      for (const { value } of statement.declarations) if (value !== undefined) walkExpr(value, visit);
      return;
    case "compound":
      for (const each of statement.expressions) walkExpr(each, visit);
      walk(statement.always, visit);
      for (const block of statement.sometimes) walk(block, visit);
      return;
    case "type":
    case "label":
  }
}

/** Visits the expression and every one inside it. */
export function walkExpr(expr: Expr, visit: Visit): void {
  if (visit(expr) === false) return;
  for (const child of children(expr)) walkExpr(child, visit);
  if (expr.kind === "closure") walk(expr.body, visit);
}

function children(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "literal":
    case "name":
    case "closure":
      return [];
    case "template":
      return expr.parts.flatMap((part) => (typeof part === "string" ? [] : (interpolated(part) ?? [])));
    case "property":
      return typeof expr.name === "string" ? [expr.object] : [expr.object, expr.name];
    case "index":
      return [expr.object, expr.index];
    case "call":
      return [expr.callee, ...values(expr.args)];
    case "creation":
      return values(expr.args);
    case "list":
      return expr.items;
    case "map":
      return expr.entries.flatMap(({ key, value }) => [key, value]);
    case "ternary":
      return [expr.condition, expr.then, expr.otherwise];
    case "elvis":
      return [expr.value, expr.otherwise];
    case "unary":
      return [expr.operand];
    case "binary":
      return [expr.left, expr.right];
    case "cast":
      return [expr.value];
    case "assignment":
      return [expr.target, expr.value];
  }
}

const values = (args: readonly Argument[]): readonly Expr[] => args.map(({ value }) => value);
