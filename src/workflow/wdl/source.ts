/** A file's text and where its lines begin. */
export interface Source {
  readonly file: string;
  readonly text: string;
  /** Line and column of an offset, both from 1. */
  position(offset: number): { readonly line: number; readonly column: number };
}

export function sourceOf(file: string, text: string): Source {
  let starts: number[] | undefined;
  return {
    file,
    text,
    position(offset) {
      starts ??= lineStarts(text);
      const line = lastAtOrBefore(starts, offset);
      return { line: line + 1, column: offset - (starts[line] ?? 0) + 1 };
    },
  };
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function lastAtOrBefore(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((sorted[middle] ?? 0) <= value) low = middle;
    else high = middle - 1;
  }
  return low;
}
