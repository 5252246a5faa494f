export type TokenType = "name" | "number" | "string" | "template" | "operator" | "newline" | "end";

/** A piece of Groovy source. Offsets count UTF-16 units from the file's start. */
export interface Token {
  readonly type: TokenType;
  /** The operator, the name, the digits, or a string's value; "" for the others. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Whether white space stands before it on its line: `f [a: 1]` passes a map, `f[0]` indexes. */
  readonly isSpaced: boolean;
  /** Of a template: its texts and, between them, the tokens of what is interpolated. */
  readonly parts?: readonly (string | readonly Token[])[];
}

/** What is wrong with a text, and at which offset. */
export interface Problem {
  readonly offset: number;
  readonly message: string;
}

/** Words after which a value follows, so that `/` opens a slashy string there. */
const WORDS_BEFORE_VALUE = new Set(["return", "in", "case", "assert", "throw", "else", "as", "instanceof"]);

/** Whether the token ends a value: then `/` divides, `[` indexes and `?` begins a ternary. */
export function endsValue(token: Token | undefined): boolean {
  if (token === undefined) return false;
  if (token.type === "operator") return [")", "]", "}", "++", "--"].includes(token.text);
  if (token.type === "name") return !WORDS_BEFORE_VALUE.has(token.text);
  return token.type !== "newline";
}

/** Groovy's operators, longest first so that the first that fits is the one meant. */
export const OPERATORS: readonly string[] = [
  ">>>=",
  "**=",
  "<=>",
  "===",
  "!==",
  "==~",
  "...",
  "..<",
  "<<=",
  ">>=",
  ">>>",
  "??.",
  "?.",
  "*.",
  ".&",
  ".@",
  "?:",
  "?=",
  "::",
  "->",
  "++",
  "--",
  "**",
  "==",
  "!=",
  "<=",
  ">=",
  "&&",
  "||",
  "=~",
  "<<",
  ">>",
  "..",
  "+=",
  "-=",
  "*=",
  "/=",
  "%=",
  "&=",
  "|=",
  "^=",
  "(",
  ")",
  "[",
  "]",
  "{",
  "}",
  ",",
  ".",
  ";",
  ":",
  "?",
  "=",
  "<",
  ">",
  "!",
  "~",
  "+",
  "-",
  "*",
  "/",
  "%",
  "&",
  "|",
  "^",
  "@",
];
