import type { Statement } from "./ast.ts";
import { Cursor } from "./cursor.ts";
import { lex } from "./lexer.ts";
import { readBlock, readProgram } from "./statements.ts";
import type { Problem } from "./tokens.ts";

/** A script or a configuration, read. */
export interface SourceFile {
  /** Relative to the tree. */
  readonly path: string;
  readonly text: string;
  readonly statements: readonly Statement[];
  /** The first fault. What follows from it is not reported again. */
  readonly problem: Problem | undefined;
}

/** Reads a file of Groovy. Never throws: what can't be read is left out and the first fault told. */
export function parseSource(path: string, text: string): SourceFile {
  const { tokens, problem } = lex(text);
  const cursor = new Cursor(tokens, readBlock);
  const statements = readProgram(cursor);
  const first = problem !== undefined && problem.offset <= (cursor.problem?.offset ?? Infinity) ? problem : cursor.problem;
  return { path, text, statements, problem: first };
}

/** Line and column of an offset, from 1. */
export function placeOf(text: string, offset: number): { readonly line: number; readonly column: number } {
  const before = offset === 0 ? -1 : text.lastIndexOf("\n", offset - 1);
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return { line, column: offset - before };
}
