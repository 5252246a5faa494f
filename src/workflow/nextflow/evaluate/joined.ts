import type { ImageOrigin } from "../../inspection.ts";
import { limited } from "./bounds.ts";
import { unknown } from "./scope.ts";
import type { Choice, Scope, Value } from "./types.ts";
import { isUnknown, textOf } from "./values.ts";

/** More values than these of one expression are combinations that nobody chose. */
export const MOST_CHOICES = 24;

export interface Span {
  readonly start: number;
  readonly end: number;
}

const RANK: readonly ImageOrigin[] = ["literal", "variable", "default", "member", "closure", "ternary"];

/** Marks a choice as come by also over `how`; the way that says most is told. */
export const through =
  (how: ImageOrigin) =>
  (choice: Choice): Choice => ({ ...choice, how: RANK.indexOf(how) > RANK.indexOf(choice.how) ? how : choice.how });

/** A value that stands there as it is. */
export const plain = (value: Value, offset: number, scope: Scope): Choice => ({
  value,
  conditions: [],
  inputs: [],
  how: "literal",
  file: scope.file,
  offset,
});

/** Each of the first with each of the second, as one text; the two defaults make the default. */
export function joined(first: readonly Choice[], second: readonly Choice[], at: { scope: Scope; span: Span }): readonly Choice[] {
  const all: Choice[] = [];
  for (const left of first) {
    for (const right of second) {
      if (all.length >= MOST_CHOICES) return all;
      const inputs = [...new Set([...left.inputs, ...right.inputs])];
      const value = joinedValue(left, right, at);
      // The place of a text that is one interpolation is the place of what is interpolated.
      const { file, offset } = left.value === "" ? right : left;
      all.push({ value, conditions: [...left.conditions, ...right.conditions], inputs, how: through(left.how)(right).how, file, offset });
    }
  }
  return all;
}

function joinedValue(left: Choice, right: Choice, { scope, span }: { scope: Scope; span: Span }): Value {
  const texts = [textOf(left.value), textOf(right.value)];
  const text = texts.includes(undefined) ? undefined : limited(texts.join(""));
  if (text !== undefined) return text;
  // Without a text it is a null, which nobody means in a name, or was unknown before: the parameters read decide.
  const inputs = [left, right].flatMap((side) => {
    if (textOf(side.value) !== undefined) return [];
    return isUnknown(side.value) && side.value.inputs.length > 0 ? side.value.inputs : side.inputs;
  });
  const prefix = isUnknown(left.value) ? left.value.prefix : `${texts[0] ?? ""}${isUnknown(right.value) ? (right.value.prefix ?? "") : ""}`;
  return { ...unknown(scope, span, [...new Set(inputs)]), ...(prefix !== undefined && { prefix }) };
}
