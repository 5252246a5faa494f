import type { Value } from "./types.ts";
import { isList, isMap } from "./values.ts";

/** No list or map that a pipeline means holds more, with all that is in it; `a = [a, a]` forty times would. */
const MOST_PARTS = 10_000;

/** The value, unless it holds more parts than any that is meant; one that holds itself has no end of them. */
export const bounded = (value: Value): Value | undefined => (partsLeft(value, MOST_PARTS) > 0 ? value : undefined);

function partsLeft(value: Value, budget: number): number {
  let left = budget - 1;
  if (!isList(value) && !isMap(value)) return left;
  for (const each of value.values()) {
    if (left <= 0) return 0;
    left = partsLeft(each, left);
  }
  return left;
}

/** A map or list of its own with the same in it, so that nothing comes to hold itself; undefined where it is too large. */
export function snapshot(value: Value): Value | undefined {
  return bounded(value) === undefined ? undefined : copied(value);
}

function copied(value: Value): Value {
  if (isMap(value)) return new Map([...value].map(([name, each]) => [name, copied(each)]));
  return isList(value) ? value.map(copied) : value;
}

/** Strings made by a script end here: `a = a + a` forty times would fill the memory. */
const LONGEST_TEXT = 100_000;

/** The text, unless it is longer than any that a workflow means. */
export function limited(value: string): string | undefined {
  return value.length <= LONGEST_TEXT ? value : undefined;
}
