import type { ImageOrigin } from "../inspection.ts";
import type { Json, Place } from "./nodes.ts";

/** One thing a value can be. */
export interface Alternative {
  /** Absent: only a run can tell. */
  readonly json?: Json;
  /** Inputs of the main process that decide it. */
  readonly inputs: readonly string[];
  /** How it was found. */
  readonly how: ImageOrigin;
  /** Where it is written, if it stands somewhere as it is. */
  readonly at?: Place;
  /** When it is this one and no other. */
  readonly condition?: string;
}

/** What a value can be, likeliest first; never empty. */
export type Value = readonly Alternative[];

/** More alternatives than any choice of images has: beyond, the value is unknown. */
const MAX_ALTERNATIVES = 16;

export const unknown = (inputs: readonly string[] = []): Value => [{ inputs, how: "variable" }];
export const known = (
  json: Json,
  how: ImageOrigin,
  rest: Omit<Alternative, "json" | "how" | "inputs"> & { inputs?: readonly string[] } = {},
): Value => [{ json, how, inputs: [], ...rest }];

export const isKnown = (alternative: Alternative): alternative is Alternative & { readonly json: Json } => alternative.json !== undefined;
export const isNullish = (alternative: Alternative): boolean => alternative.json === null;

/** All the inputs that a value depends on. */
export const inputsIn = (...values: readonly Value[]): readonly string[] => [...new Set(values.flat().flatMap(({ inputs }) => inputs))];

/** No more alternatives than are worth telling apart. */
export const limited = (value: Value): Value => (value.length > MAX_ALTERNATIVES ? unknown(inputsIn(value)) : value);

/** Puts `other` in the place of null, as a default does; what decided the null decides this too. */
export function orDefault(value: Value, other: Value): Value {
  return limited(
    value.flatMap((each) =>
      isNullish(each)
        ? other.map((instead) => ({
            ...instead,
            inputs: union(each.inputs, instead.inputs),
            ...both(each.condition, instead.condition),
          }))
        : [each],
    ),
  );
}

/** The value where a condition holds that only `inputs` can tell. */
export const under = (value: Value, condition: string, inputs: readonly string[]): Value =>
  value.map((each) => ({ ...each, how: "ternary", inputs: union(each.inputs, inputs), ...both(condition, each.condition) }));

/** Every alternative of the one with every one of the other. */
export function combined(left: Value, right: Value, make: (left: Json, right: Json) => Json | undefined): Value {
  if (left.length * right.length > MAX_ALTERNATIVES) return unknown(inputsIn(left, right));
  return left.flatMap((a) =>
    right.map((b): Alternative => {
      const json = isKnown(a) && isKnown(b) ? make(a.json, b.json) : undefined;
      const inputs = json === undefined ? union(isKnown(a) ? [] : a.inputs, isKnown(b) ? [] : b.inputs) : union(a.inputs, b.inputs);
      return { ...(json !== undefined && { json }), inputs, how: howOf(a, b), ...both(a.condition, b.condition) };
    }),
  );
}

const howOf = (a: Alternative, b: Alternative): ImageOrigin => (a.how === "ternary" || b.how === "ternary" ? "ternary" : "variable");

export const union = <T>(left: readonly T[], right: readonly T[]): readonly T[] => [...new Set([...left, ...right])];

const both = (left: string | undefined, right: string | undefined): { readonly condition?: string } => {
  const texts = [left, right].filter((text) => text !== undefined);
  return texts.length === 0 ? {} : { condition: [...new Set(texts)].join(" && ") };
};
