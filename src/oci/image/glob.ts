/** A pattern that nothing can fit, because it is not whole; the message says why. */
export class BadPattern extends Error {
  override readonly name = "BadPattern";
}

/** Whether a text has anything that a pattern could stand for. */
export const isGlob = (text: string): boolean => /[*?[]/.test(text);

/**
 * A pattern of Go's filepath.Match as a regular expression for whole paths: `*` and `?` stop at slashes.
 * @see https://pkg.go.dev/path/filepath#Match
 * @throws BadPattern
 */
export function globPattern(pattern: string): RegExp {
  const parts: string[] = [];
  for (let at = 0; at < pattern.length;) {
    const part = globPart(pattern, at);
    parts.push(part.source);
    at = part.next;
  }
  return wholePath(parts.join(""));
}

/** What stands at a place of a pattern, and where the next part begins. */
export interface GlobPart {
  readonly source: string;
  readonly next: number;
}

/** @throws BadPattern */
export function globPart(pattern: string, at: number): GlobPart {
  const char = charAt(pattern, at);
  if (char === "*") return { source: "[^/]*", next: at + 1 };
  if (char === "?") return { source: "[^/]", next: at + 1 };
  if (char === "[") return classAt(pattern, at);
  const literal = literalAt(pattern, at);
  return { source: escaped(literal.char), next: literal.next };
}

export const wholePath = (source: string): RegExp => new RegExp(`^${source}$`, "su");

function classAt(pattern: string, start: number): GlobPart {
  const isNegated = pattern[start + 1] === "^";
  const ranges: string[] = [];
  let at = start + (isNegated ? 2 : 1);
  while (ranges.length === 0 || charAt(pattern, at) !== "]") {
    const first = boundAt(pattern, at);
    const last = pattern[first.next] === "-" ? boundAt(pattern, first.next + 1) : first;
    at = last.next;
    ranges.push(first.char <= last.char ? `${escapedInClass(first.char)}-${escapedInClass(last.char)}` : "");
  }
  const inside = ranges.join("");
  // A range that runs backwards fits nothing, as in Go.
  return { source: inside === "" ? (isNegated ? "." : "(?!)") : `[${isNegated ? "^" : ""}${inside}]`, next: at + 1 };
}

function boundAt(pattern: string, at: number): { readonly char: string; readonly next: number } {
  const char = charAt(pattern, at);
  if (char === "-" || char === "]") throw new BadPattern(`"${char}" stands where a character of [...] is expected`);
  return literalAt(pattern, at);
}

function literalAt(pattern: string, at: number): { readonly char: string; readonly next: number } {
  const isEscape = pattern[at] === "\\";
  const char = charAt(pattern, isEscape ? at + 1 : at, isEscape);
  return { char, next: at + char.length + (isEscape ? 1 : 0) };
}

/** A character by its code point. */
function charAt(pattern: string, at: number, isEscaped = false): string {
  const code = pattern.codePointAt(at);
  if (code === undefined) throw new BadPattern(isEscaped ? "a backslash at the end escapes nothing" : "a [ has no ] at its end");
  return String.fromCodePoint(code);
}

const escaped = (char: string): string => char.replace(/[\^$\\.*+?()[\]{}|/]/u, "\\$&");
const escapedInClass = (char: string): string => char.replace(/[\^\\[\]-]/u, "\\$&");
