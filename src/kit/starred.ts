/**
 * The plain parts of a pattern in which `*` stands for any text. A backslash makes what follows plain.
 * @param escapable what a backslash may stand before; before anything else it is plain itself
 */
export function starredParts(pattern: string, escapable = /[\\*]/): readonly string[] {
  const parts: string[] = [];
  let part = "";
  for (let at = 0; at < pattern.length; at++) {
    const [char = "", next] = [pattern[at], pattern[at + 1]];
    if (char === "*") {
      parts.push(part);
      part = "";
    } else if (char === "\\" && next !== undefined && escapable.test(next)) {
      part += next;
      at++;
    } else part += char;
  }
  return [...parts, part];
}

/**
 * Whether a text is these parts in their order, with any text between two of them. Each is looked for once, behind the one before it: a
 * regular expression would try every way to share the text among the stars, which nobody waits for.
 */
export function matchesParts([first = "", ...others]: readonly string[], text: string): boolean {
  const last = others.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const part of others) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}
