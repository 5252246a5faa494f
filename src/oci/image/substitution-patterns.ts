/** A substitution that nobody can carry out; the message says why. */
export class BadSubstitution extends Error {
  override readonly name: string = "BadSubstitution";
}

/** `${value#pattern}`, and `##` for the longest. @throws BadSubstitution */
export function withoutPrefix(value: string, pattern: string, isLongest: boolean): string {
  const found = patternOf(pattern, { isLongest, isAtStart: true }).exec(value);
  return found ? value.slice(found[0].length) : value;
}

/** `${value%pattern}`, and `%%` for the longest: the same from behind. @throws BadSubstitution */
export const withoutSuffix = (value: string, pattern: string, isLongest: boolean): string =>
  [...withoutPrefix([...value].reverse().join(""), reversePattern(pattern), isLongest)].reverse().join("");

/** `${value/pattern/other}`, and `//` for every place. @throws BadSubstitution */
export function replaced(
  value: string,
  { pattern, other, isEverywhere }: { readonly pattern: string; readonly other: string; readonly isEverywhere: boolean },
): string {
  const found = patternOf(pattern, { isLongest: true, isAtStart: false });
  if (!isEverywhere) return value.replace(found, () => other);
  const parts: string[] = [];
  let end = 0;
  for (const match of value.matchAll(new RegExp(found, "gu"))) {
    // Go, unlike JavaScript, finds no empty place right behind another one.
    if (match[0] === "" && match.index === end && parts.length > 0) continue;
    parts.push(value.slice(end, match.index), filledIn(other, match[0]));
    end = match.index + match[0].length;
  }
  return parts.join("") + value.slice(end);
}

/** Go's regexp.ReplaceAllString gives `$0` and `$$` a meaning; groups there are none. */
const filledIn = (other: string, found: string): string =>
  other.replace(/\$(?:(\$)|(\w+)|\{(\w+)\})/g, (_, dollar?: string, name?: string, braced?: string) => {
    if (dollar) return "$";
    return (name ?? braced) === "0" ? found : "";
  });

/** `*` and `?` of a shell, which stop at the end of a line; brackets are themselves. */
function patternOf(pattern: string, { isLongest, isAtStart }: { readonly isLongest: boolean; readonly isAtStart: boolean }): RegExp {
  const chars = [...pattern];
  let source = isAtStart ? "^" : "";
  for (let at = 0; at < chars.length; at += 1) {
    const char = chars[at] ?? "";
    if (char === "*") source += isLongest ? "[^\\n]*" : "[^\\n]*?";
    else if (char === "?") source += "[^\\n]";
    else if (char !== "\\") source += literal(char);
    else if (chars[at + 1] !== "}" && chars[at + 1] !== "/") {
      const escaped = chars[(at += 1)] ?? "";
      if (!["*", "?", "\\"].includes(escaped))
        throw new BadSubstitution(`the pattern ${pattern} has \\${escaped}; only * ? \\ } and / are escaped there`);
      source += literal(escaped);
    }
  }
  return new RegExp(source, "u");
}

const literal = (char: string): string => char.replace(/[\^$\\.*+?()[\]{}|/]/u, "\\$&");

/** From behind, an escape still in front of what it escapes. */
function reversePattern(pattern: string): string {
  const parts = pattern.match(/\\[\s\S]|[\s\S]/gu) ?? [];
  return parts.reverse().join("");
}
