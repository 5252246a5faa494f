/** Expressions that are values as they stand, as JSON. */
import type { Expression } from "./ast.ts";
import { decodeEscapes } from "./strings.ts";

/** The value of a literal as JSON, or undefined when the expression has to be computed. */
export function literalOf(expression: Expression): unknown {
  switch (expression.kind) {
    case "boolean":
    case "int":
    case "float":
      return expression.value;
    case "none":
      return null;
    case "string":
      return expression.form === "quoted" ? plainText(expression.parts) : undefined;
    case "array":
      return all(expression.items.map(literalOf));
    case "pair":
      return all([literalOf(expression.left), literalOf(expression.right)], ([left, right]) => ({ left, right }));
    case "map":
      return objectOf(expression.entries.map(({ key, value }) => [literalOf(key), literalOf(value)]));
    case "object":
      return objectOf(expression.members.map(({ name, value }) => [name, literalOf(value)]));
    default:
      return undefined;
  }
}

/** The text of a string without interpolations, or undefined. */
export function plainText(parts: readonly unknown[]): string | undefined {
  return parts.every((part) => typeof part === "string") ? parts.map((part) => decodeEscapes(part)).join("") : undefined;
}

function all(values: readonly unknown[], shape: (values: readonly unknown[]) => unknown = (list) => list): unknown {
  return values.includes(undefined) ? undefined : shape(values);
}

function objectOf(entries: readonly (readonly [unknown, unknown])[]): unknown {
  if (entries.some(([key, value]) => key === undefined || value === undefined)) return undefined;
  return Object.fromEntries(entries.map(([key, value]) => [String(key), value]));
}
