import { bounded, limited } from "./bounds.ts";
import { contains } from "./list-methods.ts";
import { wholeMatcher } from "../config/pattern.ts";
import type { Quantity, Value } from "./types.ts";
import { equal, isList, isMap, isQuantity, isUnknown, numeric, textOf } from "./values.ts";

/** What a binary operator gives of two known values, or undefined where that is not known here. */
export function applyOperator(operator: string, left: Value, right: Value): Value | undefined {
  const isSame = operator === "==" || operator === "===" ? equal(left, right) : undefined;
  if (isSame !== undefined) return isSame;
  if (operator === "!=" || operator === "!==") return negated(equal(left, right));
  if (operator === "in") return isIn(left, right);
  if (operator === "!in") return negated(isIn(left, right));
  if (isUnknown(left) || isUnknown(right)) return undefined;
  if (operator === "==~" || operator === "=~") return matched(left, right, operator === "==~");
  if (operator === "+") return plus(left, right);
  if (operator === "*" && typeof left === "string") return repeated(left, numeric(right));
  if (operator === "-" && (isList(left) || typeof left === "string")) return minus(left, right);
  if (operator === "..") return range(left, right);
  const numbers = comparable(left, right);
  return numbers === undefined ? undefined : arithmetic(operator, numbers, isQuantity(left) ? left : undefined);
}

const negated = (value: boolean | undefined): boolean | undefined => (value === undefined ? undefined : !value);

function isIn(value: Value, container: Value): boolean | undefined {
  if (isList(container)) return contains(container, value);
  if (isMap(container)) return typeof value === "string" ? container.has(value) : undefined;
  return undefined;
}

function plus(left: Value, right: Value): Value | undefined {
  if (typeof left === "string" || typeof right === "string") {
    const texts = [textOf(left), textOf(right)];
    return texts.includes(undefined) ? undefined : limited(texts.join(""));
  }
  if (isList(left)) return bounded([...left, ...(isList(right) ? right : [right])]);
  if (isMap(left) && isMap(right)) return bounded(new Map([...left, ...right]));
  const sum = (numeric(left) ?? Number.NaN) + (numeric(right) ?? Number.NaN);
  if (!Number.isNaN(sum)) return sum;
  if (isQuantity(left) && isQuantity(right) && left.kind === right.kind) return { kind: left.kind, amount: left.amount + right.amount };
  return undefined;
}

/** `==~` asks for the whole text, `=~` for any part of it; what the latter gives is asked for its truth alone. */
function matched(left: Value, right: Value, isWhole: boolean): boolean | undefined {
  const text = textOf(left);
  if (text === undefined || typeof right !== "string") return undefined;
  return wholeMatcher(isWhole ? right : `[\\s\\S]*(?:${right})[\\s\\S]*`)?.(text);
}

const repeated = (text: string, count: number | undefined): string | undefined =>
  count === undefined || count < 0 || count * text.length > 1_000 ? undefined : text.repeat(count);

const MOST_COMPARED = 100_000;

/** Groovy's `-`: a list without the items, a string without the first occurrence. */
export function minus(left: string | readonly Value[], right: Value): Value | undefined {
  if (typeof left === "string") {
    const text = textOf(right);
    return text === undefined ? undefined : left.replace(text, () => "");
  }
  const removed = isList(right) ? right : [right];
  if (left.length * removed.length > MOST_COMPARED) return undefined;
  const kept = left.map((item) => contains(removed, item));
  return kept.includes(undefined) ? undefined : left.filter((_, at) => kept[at] === false);
}

const LONGEST_RANGE = 10_000;

function range(from: Value, to: Value): Value | undefined {
  if (typeof from !== "number" || typeof to !== "number" || Math.abs(to - from) > LONGEST_RANGE) return undefined;
  const step = to < from ? -1 : 1;
  return Array.from({ length: Math.abs(to - from) + 1 }, (_, at) => from + at * step);
}

interface Operands {
  readonly left: number;
  readonly right: number;
  readonly isLeftQuantity: boolean;
  readonly isRightQuantity: boolean;
}

function comparable(left: Value, right: Value): Operands | undefined {
  const a = amount(left);
  const b = amount(right);
  if (a === undefined || b === undefined) return undefined;
  return { left: a, right: b, isLeftQuantity: isQuantity(left), isRightQuantity: isQuantity(right) };
}

const amount = (value: Value): number | undefined => (isQuantity(value) ? value.amount : numeric(value));

function arithmetic(operator: string, operands: Operands, unit: Quantity | undefined): Value | undefined {
  const { left, right, isLeftQuantity, isRightQuantity } = operands;
  if (operator === "<") return left < right;
  if (operator === "<=") return left <= right;
  if (operator === ">") return left > right;
  if (operator === ">=") return left >= right;
  if (operator === "<=>") return Math.sign(left - right);
  const result = calculated(operator, left, right);
  if (result === undefined || !Number.isFinite(result)) return undefined;
  if (unit === undefined) return isRightQuantity ? undefined : result;
  return isLeftQuantity && (operator === "*" || operator === "/") === isRightQuantity ? undefined : { kind: unit.kind, amount: result };
}

function calculated(operator: string, left: number, right: number): number | undefined {
  if (operator === "*") return left * right;
  if (operator === "-") return left - right;
  if (operator === "/") return left / right;
  if (operator === "%") return left % right;
  return operator === "**" ? left ** right : undefined;
}
