/** Going on after an error: where the next part of a document can begin. */
import { type Cursor, SyntaxFailure } from "./cursor.ts";

const DOCUMENT_PART = /^[ \t]*(?:(?:task|workflow|struct)[ \t]+\w+\s*\{|import[ \t]+["'])/gm;
const INNER_PART =
  /^[ \t]*(?:\}|(?:call|scatter|if|input|output|meta|parameter_meta|hints|runtime|requirements|command)\b(?![ \t]*[=:])|(?:env[ \t]+)?[A-Z]\w*(?:\[[^\]\n]*\]+)?[?+]*[ \t]+[A-Za-z]\w*[ \t]*(?:=|$|#)|(?:task|workflow|struct)[ \t]+\w+\s*\{)/gm;

/** Collects what a repeated part of a document gives; a part that cannot be read is noted and stepped over. */
export interface Recovery {
  /** True after the first failure. */
  broken: boolean;
}

/**
 * Runs `read`. On a syntax failure the cursor goes to the next line where a part can begin:
 * of the document (`outer`), or of the body it stands in.
 */
export function recovering(cursor: Cursor, recovery: Recovery, step: { readonly outer: boolean; read(): void }): void {
  const { start } = cursor.peek();
  try {
    step.read();
  } catch (error) {
    if (!(error instanceof SyntaxFailure)) throw error;
    // What follows the first failure is often its echo: one diagnostic a file.
    if (!recovery.broken) cursor.findings.push(error.finding);
    recovery.broken = true;
    const { text } = cursor.source;
    const from = nextLine(text, Math.max(start, Math.min(error.finding.start, text.length)));
    cursor.resume(findFrom(step.outer ? DOCUMENT_PART : INNER_PART, text, from));
  }
}

function nextLine(text: string, from: number): number {
  const newline = text.indexOf("\n", from);
  return newline < 0 ? text.length : newline + 1;
}

function findFrom(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
}
