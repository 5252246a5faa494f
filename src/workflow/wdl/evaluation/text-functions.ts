/** `basename` and `sub`. */
import type { Source } from "../source.ts";
import { type SingleValue, union, type Value } from "./values.ts";

interface Origin {
  readonly source: Source;
  readonly start: number;
}

export function basename(path: SingleValue | undefined, suffix: SingleValue | undefined, origin: Origin): Value | undefined {
  if (path?.kind !== "text" || (suffix && suffix.kind !== "text" && suffix.kind !== "null")) return undefined;
  const end = suffix?.kind === "text" && suffix.text !== "" && path.text.endsWith(suffix.text) ? -suffix.text.length : undefined;
  const text = path.text.slice(0, end);
  return { ...path, text: text.slice(text.lastIndexOf("/") + 1), inputs: union(path.inputs, suffix?.inputs ?? []), ...origin };
}

/** `sub(text, pattern, replacement)` where the pattern means the same to WDL's POSIX expressions and to JavaScript's. */
export function substitute(values: readonly (SingleValue | undefined)[], origin: Origin): Value | undefined {
  const [text, pattern, replacement] = values;
  if (text?.kind !== "text" || pattern?.kind !== "text" || replacement?.kind !== "text") return undefined;
  if (text.text.length > MAX_TEXT || !isSafePattern(pattern.text)) return undefined;
  const written = replacementOf(replacement.text);
  if (written === undefined) return undefined;
  try {
    const result = text.text.replace(new RegExp(pattern.text, "g"), written);
    return { ...text, text: result, inputs: union(text.inputs, union(pattern.inputs, replacement.inputs)), ...origin };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const MAX_TEXT = 512;
const MAX_PATTERN = 100;

/** No classes that only POSIX has, and no repetition of a repetition: matching must stay fast on any text. */
function isSafePattern(pattern: string): boolean {
  const repetitions = pattern.match(/[*+{]/g)?.length ?? 0;
  return pattern.length <= MAX_PATTERN && !pattern.includes("[:") && !/\)[*+{?]/.test(pattern) && repetitions <= 2;
}

/** The replacement in JavaScript's notation; undefined for what only another library understands. */
function replacementOf(text: string): string | undefined {
  const literal = text.replaceAll("$", "$$$$");
  return /\\(?![1-9])/.test(literal) ? undefined : literal.replace(/\\([1-9])/g, "$$$1");
}
