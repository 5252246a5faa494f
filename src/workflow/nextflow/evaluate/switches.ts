import type { Compound, Expr, Statement } from "../syntax/ast.ts";
import { evaluate } from "./evaluate.ts";
import { contains } from "./list-methods.ts";
import { observe, sourceText } from "./scope.ts";
import type { Scope, Value } from "./types.ts";
import { equal, isList } from "./values.ts";

/** A way a switch may go. */
export interface SwitchSide {
  readonly body: readonly Statement[];
  /** What must hold for it; absent for the way taken by default. */
  readonly condition?: string;
  readonly inputs: readonly string[];
}

/** The ways of a switch, the default first; one where no parameter could choose otherwise. */
export function switchSides({ expressions, cases = [], sometimes }: Compound, scope: Scope): readonly SwitchSide[] {
  const [subject] = expressions;
  if (subject === undefined || cases.length === 0) return [];
  const { result, inputs, isVolatile } = observe(scope.evaluation, () => evaluate(subject, scope));
  const taken = takenCase(result, cases, scope);
  const sides = cases.map((value, at): SwitchSide => {
    const body = bodyFrom(sometimes, at);
    if (at === taken) return { body, inputs };
    const condition =
      value === undefined ? `no case of ${sourceText(scope, subject)}` : `${sourceText(scope, subject)} == ${sourceText(scope, value)}`;
    return { body, inputs, condition };
  });
  const usual = sides.filter((_, at) => at === taken);
  return usual.length > 0 && !isVolatile ? usual : [...usual, ...sides.filter((_, at) => at !== taken)];
}

function takenCase(subject: Value, cases: readonly (Expr | undefined)[], scope: Scope): number {
  const matched = cases.findIndex((value) => value !== undefined && matches(subject, evaluate(value, scope)));
  return matched >= 0 ? matched : cases.indexOf(undefined);
}

const matches = (subject: Value, value: Value): boolean => (isList(value) ? contains(value, subject) : equal(subject, value)) === true;

/** A case without a `break` falls through to the next. */
function bodyFrom(bodies: readonly (readonly Statement[])[], from: number): readonly Statement[] {
  const body: Statement[] = [];
  for (const statement of bodies.slice(from).flat()) {
    if (statement.kind === "compound" && statement.word === "break") break;
    body.push(statement);
    if (statement.kind === "return") break;
  }
  return body;
}
