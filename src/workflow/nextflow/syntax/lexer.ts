import { report, type Pieces, type Scan } from "./scan.ts";
import { readQuoted, readSlashy } from "./strings.ts";
import { endsValue, OPERATORS, type Problem, type Token, type TokenType } from "./tokens.ts";

/** Strings inside interpolations inside strings …: deeper than this is no program. */
const DEEPEST_STRING = 12;

/**
 * The tokens of a Groovy text, ending with one of type "end", and the first problem met.
 * Never throws: what is no token is left out, an unclosed string ends with its line or with the file.
 */
export function lex(source: string): { readonly tokens: readonly Token[]; readonly problem: Problem | undefined } {
  const scan: Scan = {
    source,
    position: 0,
    tokens: [],
    brackets: [],
    depth: 0,
    problem: undefined,
    isInterpolationLost: false,
    interpolation: lexInterpolation,
  };
  if (source.startsWith("#!")) scan.position = endOfLine(source, 0);
  while (scan.position < source.length) step(scan);
  push(scan, { type: "end", text: "", start: source.length });
  return { tokens: scan.tokens, problem: scan.problem };
}

/** The tokens of an interpolation whose `${` was just read; stands behind its `}` then. Undefined where none closes it. */
function lexInterpolation(outer: Scan): readonly Token[] | undefined {
  if (outer.depth >= DEEPEST_STRING || outer.isInterpolationLost) return undefined;
  const { source, position } = outer;
  const scan: Scan = {
    source,
    position,
    tokens: [],
    brackets: ["("],
    depth: outer.depth + 1,
    problem: undefined,
    isInterpolationLost: false,
    interpolation: lexInterpolation,
  };
  while (scan.position < source.length) {
    if (source[scan.position] === "}" && scan.brackets.length === 1) {
      push(scan, { type: "end", text: "", start: scan.position });
      outer.position = scan.position + 1;
      outer.problem ??= scan.problem;
      return scan.tokens;
    }
    step(scan);
  }
  outer.isInterpolationLost = true;
  return undefined;
}

interface Draft {
  readonly type: TokenType;
  readonly text: string;
  readonly start: number;
  readonly parts?: NonNullable<Token["parts"]>;
}

function push(scan: Scan, token: Draft): void {
  const before = token.start === 0 ? "" : (scan.source[token.start - 1] ?? "");
  scan.tokens.push({ ...token, end: scan.position, isSpaced: before === " " || before === "\t" });
}

function step(scan: Scan): void {
  const { source, position } = scan;
  const char = source.charCodeAt(position);
  if (char === 10) return newline(scan);
  if (char <= 32 || char === 0xa0 || char === 0xfeff) return void scan.position++;
  if (char === 47 && skipComment(scan)) return;
  if (char === 92 && /^\\\r?\n/.test(source.slice(position, position + 3))) {
    return void (scan.position = endOfLine(source, position) + 1);
  }
  if (isNameStart(char) && !(char === 36 && source[position + 1] === "/")) return word(scan, "name", isNamePart);
  if (char >= 48 && char <= 57) return number(scan);
  if (char === 39 || char === 34) return text(scan, readQuoted(scan));
  if (opensSlashy(scan)) return text(scan, readSlashy(scan));
  operator(scan);
}

function newline(scan: Scan): void {
  const start = scan.position++;
  const innermost = scan.brackets.at(-1);
  if (innermost !== "(" && innermost !== "[") push(scan, { type: "newline", text: "", start });
}

/** Whether a comment began here; it is behind us then. */
function skipComment(scan: Scan): boolean {
  const next = scan.source[scan.position + 1];
  if (next === "/") {
    scan.position = endOfLine(scan.source, scan.position);
    return true;
  }
  if (next !== "*") return false;
  const end = scan.source.indexOf("*/", scan.position + 2);
  if (end < 0) report(scan, scan.position, "this comment is never closed; write */ where it ends");
  scan.position = end < 0 ? scan.source.length : end + 2;
  return true;
}

function endOfLine(source: string, from: number): number {
  const end = source.indexOf("\n", from);
  return end < 0 ? source.length : end;
}

const isNameStart = (char: number): boolean =>
  (char >= 97 && char <= 122) || (char >= 65 && char <= 90) || char === 95 || char === 36 || char >= 0xc0;
const isNamePart = (char: number): boolean => isNameStart(char) || (char >= 48 && char <= 57);

function word(scan: Scan, type: TokenType, belongs: (char: number) => boolean): void {
  const start = scan.position;
  while (scan.position < scan.source.length && belongs(scan.source.charCodeAt(scan.position))) scan.position++;
  push(scan, { type, text: scan.source.slice(start, scan.position), start });
}

const NUMBER = /0[xX][0-9a-fA-F_]+[lLiIgG]?|0[bB][01_]+[lLiIgG]?|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?[lLiIgGdDfF]?(?![\w$])|\d[\d_]*/y;

function number(scan: Scan): void {
  const start = scan.position;
  NUMBER.lastIndex = start;
  const digits = NUMBER.exec(scan.source)?.[0] ?? scan.source.charAt(start);
  scan.position += digits.length;
  push(scan, { type: "number", text: digits, start });
}

function text(scan: Scan, read: { readonly pieces: Pieces; readonly start: number }): void {
  const { pieces, start } = read;
  const only = pieces.length === 0 ? "" : pieces[0];
  if (pieces.length <= 1 && typeof only === "string") push(scan, { type: "string", text: only, start });
  else push(scan, { type: "template", text: "", start, parts: pieces });
}

function opensSlashy(scan: Scan): boolean {
  const { source, position } = scan;
  // No operator begins with a dollar: behind a name as well it can only open a string (`container $/x/$`).
  if (source.startsWith("$/", position)) return true;
  if (source[position] !== "/" || endsValue(scan.tokens.at(-1))) return false;
  return source.indexOf("/", position + 1) >= 0;
}

const OPERATORS_BY_FIRST = Map.groupBy(OPERATORS, (each) => each.charAt(0));

function operator(scan: Scan): void {
  const start = scan.position;
  const found = OPERATORS_BY_FIRST.get(scan.source.charAt(start))?.find((each) => scan.source.startsWith(each, start));
  if (found === undefined) {
    report(scan, start, `"${scan.source.charAt(start)}" begins nothing that Nextflow knows`);
    return void scan.position++;
  }
  scan.position += found.length;
  track(scan, found);
  push(scan, { type: "operator", text: found, start });
}

const CLOSES: Readonly<Record<string, string>> = { ")": "(", "]": "[", "}": "{" };

function track(scan: Scan, bracket: string): void {
  const { brackets } = scan;
  if (bracket === "(" || bracket === "[" || bracket === "{") return void brackets.push(bracket);
  const opening = CLOSES[bracket];
  if (opening === undefined) return;
  const at = brackets.lastIndexOf(opening);
  // A bracket too many must not close the interpolation around it (its first entry), nor an outer block.
  if (at >= (scan.depth > 0 ? 1 : 0)) brackets.length = at;
}
