import type { Expr, ParamsBlock, Statement } from "../syntax/ast.ts";
import type { SourceFile } from "../syntax/source-file.ts";
import { walkExpr, walkStatement } from "../syntax/walk.ts";

/** A parameter as a script or a configuration mentions it. */
export interface ScriptParam {
  readonly name: string;
  readonly file: SourceFile;
  readonly offset: number;
  /** What it is assigned; absent where it is only read or declared. */
  readonly value?: Expr;
  /** Of a typed declaration. */
  readonly type?: string;
}

/**
 * The parameters that a file assigns, declares or names, in their order; of several mentions the assignment counts.
 * As HealthOmics reads them (guide, "Parameter templates"): `params` stands on the left, nested names are dropped,
 * other blocks and what stands on the right of an assignment is ignored.
 */
export function paramsOf(file: SourceFile, reads: "all" | "statements"): ReadonlyMap<string, ScriptParam> {
  const found = new Map<string, ScriptParam>();
  const add = (param: ScriptParam): void => {
    const before = found.get(param.name);
    if (before === undefined || (before.value === undefined && before.type === undefined)) found.set(param.name, param);
  };
  collect(file.statements, { file, add, reads });
  return found;
}

interface Collector {
  readonly file: SourceFile;
  readonly add: (param: ScriptParam) => void;
  readonly reads: "all" | "statements";
}

function collect(statements: readonly Statement[], collector: Collector): void {
  for (const statement of statements) {
    if (statement.kind === "params") declare(statement, collector);
    else if (statement.kind === "if") {
      read(statement.condition, collector);
      collect(statement.then, collector);
      collect(statement.otherwise, collector);
    } else if (statement.kind === "compound") {
      for (const expression of statement.expressions) read(expression, collector);
      for (const block of [statement.always, ...statement.sometimes]) collect(block, collector);
    } else if (statement.kind === "expression") collectExpression(statement.expression, collector);
    else if (statement.kind === "process" || statement.kind === "workflow" || statement.kind === "function")
      collect(statement.body, collector);
    else if (statement.kind === "return") walkStatement(statement, readVisitor(collector));
  }
}

function declare(block: ParamsBlock, { file, add }: Collector): void {
  for (const { name, type, value, start } of block.declarations) {
    add({ name, file, offset: start, ...(value && { value }), ...(type !== undefined && { type }) });
  }
}

function collectExpression(expr: Expr, collector: Collector): void {
  const { file, add } = collector;
  if (expr.kind === "assignment") {
    const name = paramOf(expr.target);
    if (name !== undefined) add({ name, file, offset: expr.start, value: expr.value });
    return;
  }
  const name = paramOf(expr);
  if (name !== undefined) return add({ name, file, offset: expr.start });
  if (expr.kind === "call" && expr.callee.kind === "name" && expr.args.length === 1) {
    const body = expr.args[0]?.value;
    if (body?.kind === "closure" && expr.callee.name === "params") return collectBlock(body.body, collector);
  }
  read(expr, collector);
}

/** `params { x = 1 }`; blocks inside it are nested parameters. */
function collectBlock(statements: readonly Statement[], collector: Collector): void {
  const { file, add } = collector;
  for (const statement of statements) {
    if (statement.kind === "if") {
      collectBlock(statement.then, collector);
      collectBlock(statement.otherwise, collector);
    }
    if (statement.kind !== "expression" || statement.expression.kind !== "assignment") continue;
    const { target, value, start } = statement.expression;
    const name =
      target.kind === "name" ? target.name : target.kind === "literal" && typeof target.value === "string" ? target.value : undefined;
    if (name !== undefined) add({ name, file, offset: start, value });
  }
}

function read(expr: Expr, collector: Collector): void {
  if (collector.reads === "all") walkExpr(expr, readVisitor(collector));
}

const readVisitor =
  ({ file, add, reads }: Collector) =>
  (expr: Expr): boolean => {
    if (reads !== "all" || expr.kind === "assignment") return false;
    // A method of `params` itself is no parameter, and a member of a parameter makes it a nested one.
    if (expr.kind === "call" && expr.callee.kind === "property" && expr.callee.object.kind !== "name") {
      const name = paramOf(expr.callee.object);
      if (name !== undefined) add({ name, file, offset: expr.start });
    }
    if (expr.kind === "call" && paramOf(expr.callee) !== undefined) return true;
    if (expr.kind === "property" && paramOf(expr.object) !== undefined) return false;
    const name = paramOf(expr);
    if (name !== undefined && !METHODS.has(name)) add({ name, file, offset: expr.start });
    return true;
  };

/** What a map has; `params.containsKey('x')` reads no parameter of that name. */
const METHODS = new Set([
  "containsKey",
  "get",
  "each",
  "findAll",
  "collect",
  "keySet",
  "size",
  "subMap",
  "any",
  "toString",
  "getOrDefault",
  "put",
  "remove",
]);

/** `x` of `params.x`. */
function paramOf(expr: Expr): string | undefined {
  if (expr.kind === "index" && expr.object.kind === "name" && expr.object.name === "params") {
    return expr.index.kind === "literal" && typeof expr.index.value === "string" ? expr.index.value : undefined;
  }
  if (expr.kind !== "property" || typeof expr.name !== "string") return undefined;
  return expr.object.kind === "name" && expr.object.name === "params" ? expr.name : undefined;
}
