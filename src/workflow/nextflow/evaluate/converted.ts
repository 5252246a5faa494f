import type { Value } from "./types.ts";
import { numeric, parseQuantity, textOf, truth } from "./values.ts";

const WHOLE = new Set(["int", "integer", "long"]);
const NUMBERS = new Set(["int", "integer", "long", "double", "float"]);

/** What `value as Type` gives; the value itself for a type that changes nothing of it, undefined where that can't be known. */
export function converted(value: Value, type: string): Value | undefined {
  const name = type.split(".").at(-1)?.toLowerCase() ?? "";
  if (NUMBERS.has(name)) {
    const number = typeof value === "string" ? Number(value) : numeric(value);
    if (number === undefined || !Number.isFinite(number)) return undefined;
    return WHOLE.has(name) ? Math.trunc(number) : number;
  }
  if ((name === "memoryunit" || name === "duration") && typeof value === "string") return parseQuantity(value);
  if (name === "string") return textOf(value) ?? value;
  return name === "boolean" ? truth(value) : value;
}
