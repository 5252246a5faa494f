/** The largest file that is read as text: no definition is near it, and a reader's time stays bounded. */
export const MAX_TEXT_BYTES = 8 * 1024 * 1024;

const BYTE_ORDER_MARK = "\uFEFF";

/**
 * The bytes as UTF-8 text without a byte order mark, or undefined when they are no text (a NUL byte).
 * Bytes that are not UTF-8 become U+FFFD: a Latin-1 comment must not hide a workflow.
 */
export function textOf(bytes: Buffer): string | undefined {
  if (bytes.includes(0)) return undefined;
  const text = bytes.toString("utf8");
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

/** Keeps what `read` answered, up to `maxCharacters` of text in all; the oldest go first. */
export function keepTexts(read: (path: string) => string | undefined, maxCharacters: number): (path: string) => string | undefined {
  const kept = new Map<string, string | undefined>();
  let characters = 0;
  return (path) => {
    if (kept.has(path)) return kept.get(path);
    const text = read(path);
    kept.set(path, text);
    characters += text?.length ?? 0;
    for (const [oldest, old] of kept) {
      if (characters <= maxCharacters) break;
      kept.delete(oldest);
      characters -= old?.length ?? 0;
    }
    return text;
  };
}
