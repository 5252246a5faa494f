/** One call of a function, and the demands on its arguments. */
import type { ApplyExpression, Expression } from "../ast.ts";
import { ANY, printType, type Type } from "../types.ts";
import { mismatch } from "./coercion.ts";

/** What the typing of a call may look at beside the arguments' types. */
export interface Signature {
  readonly expression: ApplyExpression;
  readonly types: readonly Type[];
  readonly rank: number;
}

/** A call that cannot be: why, and the argument that is to blame. */
export class CallProblem extends Error {
  readonly at: Expression | undefined;
  constructor(message: string, at?: Expression) {
    super(message);
    this.at = at;
  }
}

/** @throws CallProblem unless the call has that many arguments */
export function arity({ types }: Signature, least: number, most = least): void {
  if (types.length >= least && types.length <= most) return;
  const wanted = least === most ? String(least) : `${least} to ${most}`;
  throw new CallProblem(`takes ${wanted} arguments, not ${types.length}`);
}

/** The argument's type. @throws CallProblem when it cannot become `expected` */
export function argument(signature: Signature, index: number, expected: Type): Type {
  const type = signature.types[index] ?? ANY;
  const at = signature.expression.arguments[index];
  const isEmptyArray = at?.kind === "array" && at.items.length === 0 && expected.kind === "Array";
  const problem = isEmptyArray ? undefined : mismatch(type, expected);
  if (problem !== undefined) throw new CallProblem(`argument ${index + 1}: ${problem}`, at);
  return type;
}

/** @throws CallProblem always: the argument has a type that the function does not take */
export function refuse(signature: Signature, index: number, wanted: string): never {
  const type = signature.types[index] ?? ANY;
  throw new CallProblem(`argument ${index + 1}: expected ${wanted}, found ${printType(type)}`, signature.expression.arguments[index]);
}
