/** The types of operators with two operands. */
import type { BinaryExpression } from "../ast.ts";
import { BOOLEAN, FLOAT, INT, printType, STRING, type Type, withOptional } from "../types.ts";
import { areComparable, areEquatable, coerces } from "./coercion.ts";
import { type Scope, wrong } from "./typing.ts";

export interface Operands {
  readonly left: Type;
  readonly right: Type;
}

export function inferBinary(expression: BinaryExpression, operands: Operands, scope: Scope): Type | undefined {
  const { operator } = expression;
  const { left, right } = operands;
  switch (operator) {
    case "&&":
    case "||":
      if (printType(left) === "Boolean" && printType(right) === "Boolean") return BOOLEAN;
      return operandFailure(expression, operands, scope);
    case "==":
    case "!=":
      return areEquatable(left, right) ? BOOLEAN : operandFailure(expression, operands, scope);
    case "<":
    case "<=":
    case ">":
    case ">=":
      return areComparable(left, right) ? BOOLEAN : operandFailure(expression, operands, scope);
    case "%":
      return coerces(left, INT) && coerces(right, INT) ? INT : operandFailure(expression, operands, scope);
    case "+":
      return inferSum(expression, operands, scope);
    default:
      return inferArithmetic(expression, operands, scope);
  }
}

function operandFailure({ operator, ...at }: BinaryExpression, { left, right }: Operands, scope: Scope): undefined {
  return wrong(scope, `"${operator}" does not take ${printType(left)} and ${printType(right)}`, at);
}

function inferSum(expression: BinaryExpression, operands: Operands, scope: Scope): Type | undefined {
  const { left, right } = operands;
  const isTextual = left.kind === "String" || right.kind === "String";
  if (!isTextual) return inferArithmetic(expression, operands, scope);
  const maybeText = withOptional(STRING, true);
  if (scope.interpolated && (left.optional || right.optional) && coerces(left, maybeText) && coerces(right, maybeText)) return maybeText;
  // The String operand itself may not be absent either, but miniwdl looks at the other one only.
  const other = left.kind === "String" ? right : left;
  return coerces(other, STRING) ? STRING : operandFailure(expression, operands, scope);
}

function inferArithmetic(expression: BinaryExpression, operands: Operands, scope: Scope): Type | undefined {
  const { left, right } = operands;
  const type = left.kind === "Float" || right.kind === "Float" ? FLOAT : INT;
  if (!coerces(left, type) || !coerces(right, type)) return operandFailure(expression, operands, scope);
  if (expression.operator === "/" && type === FLOAT)
    scope.report("wdl-float-division", "the fraction of this quotient is cut off until 30 November 2026", expression);
  return type;
}
