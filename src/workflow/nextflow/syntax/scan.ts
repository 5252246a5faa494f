import type { Problem, Token } from "./tokens.ts";

/** Where a scan stands: shared by the lexer and the string reader, which calls the lexer for `${…}`. */
export interface Scan {
  readonly source: string;
  position: number;
  readonly tokens: Token[];
  /** Open brackets. Inside round and square ones a line's end separates nothing. */
  readonly brackets: string[];
  /** How many strings this scan is inside of. */
  readonly depth: number;
  problem: Problem | undefined;
  /** Set once a `${` found no end in the whole file: to look again for each further one would take quadratic time. */
  isInterpolationLost: boolean;
  /** The tokens of an interpolation whose `${` was just read; undefined where nothing closes it. */
  readonly interpolation: (scan: Scan) => readonly Token[] | undefined;
}

/** The pieces of a string: one text, or texts with the tokens of interpolations between. */
export type Pieces = readonly (string | readonly Token[])[];

export function report(scan: Scan, offset: number, message: string): void {
  scan.problem ??= { offset, message };
}
