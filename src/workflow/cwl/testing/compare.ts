import type { Reading } from "../../inspection.ts";

/** What cwltool says of a document (bench/inspect/cwltool_oracle.py). */
export interface CwltoolAnswer {
  readonly inputs: readonly { readonly name: string; readonly type: string; readonly optional: boolean }[];
  /** `image` as it is written: an expression where it is one. */
  readonly images: readonly { readonly task: string; readonly image: string }[];
}

/** The first difference between cwltool's answer and ours, or undefined. */
export function differenceFrom(answer: CwltoolAnswer, reading: Reading): string | undefined {
  const inputs = inputLines(reading.parameters);
  const theirs = inputLines(answer.inputs);
  if (inputs !== theirs) return `inputs ${inputs}, cwltool ${theirs}`;
  const images = sorted(reading.images.filter(({ how }) => how === "literal"));
  const literal = answer.images.filter(({ image }) => !isExpression(image));
  const expected = sorted(literal.map(({ task, image }) => ({ task: task === "main" ? (reading.name ?? "") : task, image })));
  return images === expected ? undefined : `images ${images}, cwltool ${expected}`;
}

/** cwltool sorts the inputs that are written as a map. */
const inputLines = (inputs: CwltoolAnswer["inputs"]): string =>
  JSON.stringify(inputs.map(({ name, type, optional }) => `${name}: ${withoutNull(type)}${optional ? ", optional" : ""}`).sort());

const isExpression = (image: string): boolean => /\$[({]/.test(image);

/** cwltool adds null to the type of every input with a default. */
const withoutNull = (type: string): string =>
  type
    .replace(/\?$/, "")
    .replace(/\[null, /, "[")
    .replace(/, null(?=[,\]])/, "");

const sorted = (images: readonly { readonly task: string; readonly image: string }[]): string =>
  JSON.stringify([...new Set(images.map(({ task, image }) => `${task}: ${image}`))].sort());
