/** What typing an expression needs to know, and how it reports. */
import type { Expression, Span } from "../ast.ts";
import type { StructTable, Type } from "../types.ts";
import { mismatch } from "./coercion.ts";

/** What an expression can refer to, and where its problems go. */
export interface Scope {
  readonly rank: number;
  readonly structs: StructTable;
  /** Whether `stdout()`, `stderr()` and `glob()` are there: in a task's outputs. */
  readonly inTaskOutput?: boolean;
  /** Inside an interpolation `+` takes absent operands. */
  readonly interpolated?: boolean;
  typeOf(name: string): Type | undefined;
  /** The outputs of a call; undefined when no call has the name. */
  outputsOf(call: string): ReadonlyMap<string, Type> | undefined;
  report(rule: string, message: string, at: Span): void;
}

/** Reports a wrong type, and gives none. */
export function wrong(scope: Scope, message: string, at: Span): undefined {
  scope.report("wdl-type", message, at);
  return undefined;
}

export function unknownName(scope: Scope, message: string, at: Span): undefined {
  scope.report("wdl-unknown-name", message, at);
  return undefined;
}

interface Expectation {
  readonly type: Type;
  readonly expected: Type;
  /** What the message begins with. */
  readonly what?: string;
}

/** Whether a type may stand where `expected` is; reports when not. */
export function expectType(scope: Scope, at: Expression, { type, expected, what = "" }: Expectation): boolean {
  // The empty array literal is an array of anything.
  if (at.kind === "array" && at.items.length === 0 && expected.kind === "Array") return true;
  const problem = mismatch(type, expected);
  if (problem !== undefined) scope.report("wdl-type", what + problem, at);
  return problem === undefined;
}
