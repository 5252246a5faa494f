import type { Finding, Span } from "./ast.ts";
import type { Source } from "./source.ts";

/** A lexical unit outside strings and commands. A quote is only its opening mark: the parser reads the text after it. */
export interface Token extends Span {
  readonly kind: "name" | "int" | "float" | "symbol" | "quote" | "end" | "unknown";
  readonly text: string;
}

/** The first thing in a part of a document that cannot be read; caught where the next part can begin. */
export class SyntaxFailure extends Error {
  readonly finding: Finding;
  constructor(finding: Finding) {
    super(finding.message);
    this.finding = finding;
  }
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const FLOAT = /(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+/y;
const INT = /\d+/y;
const SYMBOL = /<<<|\|\||&&|==|!=|<=|>=|\*\*|[{}()[\],:.=<>+\-*/%!?]/y;
const QUOTE = /["']/y;
const FORMS: readonly (readonly [Token["kind"], RegExp])[] = [
  ["name", NAME],
  ["float", FLOAT],
  ["int", INT],
  ["symbol", SYMBOL],
  ["quote", QUOTE],
];

/** More nesting than any workflow has; less than would exhaust the stack of a recursive reader. */
export const MAX_DEPTH = 200;

/** Reads tokens one at a time from where it stands; raw text (strings, commands) is read by offset. */
export class Cursor {
  readonly source: Source;
  /** The rank of the document's version (version.ts). */
  readonly rank: number;
  readonly findings: Finding[] = [];
  #position: number;
  #peeked: Token | undefined;
  #previousEnd: number;
  #depth = 0;

  constructor(source: Source, rank: number, start: number) {
    this.source = source;
    this.rank = rank;
    this.#position = start;
    this.#previousEnd = start;
  }

  /** The next token, not taken. */
  peek(): Token {
    this.#peeked ??= this.#scan();
    return this.#peeked;
  }

  next(): Token {
    const token = this.peek();
    this.seek(token.end);
    this.#previousEnd = token.end;
    return token;
  }

  /** Where the last token taken ended. */
  get previousEnd(): number {
    return this.#previousEnd;
  }

  /** Goes to an offset: on to the text of a string, or back after a look ahead. */
  seek(offset: number): void {
    this.#position = offset;
    this.#peeked = undefined;
  }

  /** Goes on after text that was read by offset. */
  resume(offset: number): void {
    this.seek(offset);
    this.#previousEnd = offset;
  }

  is(text: string): boolean {
    const token = this.peek();
    return token.text === text && (token.kind === "symbol" || token.kind === "name");
  }

  /** Takes the token when it is `text`. */
  accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.next();
    return true;
  }

  expect(text: string, where: string): Token {
    if (!this.is(text)) this.fail(`expected "${text}" ${where}, found ${describe(this.peek())}`);
    return this.next();
  }

  name(what: string): Token {
    if (this.peek().kind !== "name") this.fail(`expected ${what}, found ${describe(this.peek())}`);
    return this.next();
  }

  fail(message: string, at: Span = this.peek()): never {
    throw new SyntaxFailure({ rule: "wdl-syntax", message, start: at.start, end: at.end });
  }

  /** Notes something wrong that does not keep the rest from being read. */
  note(message: string, at: Span): void {
    this.findings.push({ rule: "wdl-syntax", message, start: at.start, end: at.end });
  }

  /** Runs `read` one level deeper; nesting beyond MAX_DEPTH is a syntax failure. */
  deeper<T>(read: () => T): T {
    if (this.#depth >= MAX_DEPTH) this.fail(`nested more than ${MAX_DEPTH} levels deep`);
    this.#depth += 1;
    try {
      return read();
    } finally {
      this.#depth -= 1;
    }
  }

  #scan(): Token {
    const { text } = this.source;
    const start = skipSpace(text, this.#position);
    if (start >= text.length) return { kind: "end", text: "", start, end: start };
    for (const [kind, form] of FORMS) {
      form.lastIndex = start;
      const match = form.exec(text);
      if (match) return { kind, text: match[0], start, end: start + match[0].length };
    }
    return { kind: "unknown", text: String.fromCodePoint(text.codePointAt(start) ?? 0), start, end: start + 1 };
  }
}

/** The offset of the first character from `from` on that is neither space nor in a comment. */
export function skipSpace(text: string, from: number): number {
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === 0x23) {
      const newline = text.indexOf("\n", at);
      if (newline < 0) return text.length;
      at = newline + 1;
    } else if (code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0xa0 || code === 0xfeff) at += 1;
    else return at;
  }
}

const describe = (token: Token): string => (token.kind === "end" ? "the end of the file" : `"${token.text}"`);
