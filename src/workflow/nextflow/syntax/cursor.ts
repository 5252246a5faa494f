import type { Statement } from "./ast.ts";
import type { Problem, Token } from "./tokens.ts";

/** A text that is not of the language, at an offset. Caught where statements are recovered, never let out. */
export class SyntaxFault extends Error {
  readonly offset: number;
  constructor(offset: number, message: string) {
    super(message);
    this.offset = offset;
  }
}

/** Nodes nested deeper than this are no program; walking them would end the stack. */
const DEEPEST_NODE = 250;

/** A place in a list of tokens, with the little that both halves of the parser need to look around. */
export class Cursor {
  readonly tokens: readonly Token[];
  position = 0;
  depth = 0;
  problem: Problem | undefined;
  /** Reads statements up to the brace that closes them: what a closure asks of the other half of the parser. */
  readonly block: (cursor: Cursor) => readonly Statement[];
  readonly #end: Token;

  constructor(tokens: readonly Token[], block: (cursor: Cursor) => readonly Statement[]) {
    this.tokens = tokens;
    this.block = block;
    this.#end = tokens.at(-1) ?? { type: "end", text: "", start: 0, end: 0, isSpaced: false };
  }

  peek(ahead = 0): Token {
    return this.tokens[this.position + ahead] ?? this.#end;
  }

  next(): Token {
    const token = this.peek();
    if (this.position < this.tokens.length) this.position++;
    return token;
  }

  /** The end of what was last read. */
  get lastEnd(): number {
    return this.tokens[this.position - 1]?.end ?? 0;
  }

  is(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.type === "operator" && token.text === text;
  }

  isWord(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.type === "name" && token.text === text;
  }

  accept(text: string): boolean {
    if (!this.is(text)) return false;
    this.position++;
    return true;
  }

  acceptWord(text: string): boolean {
    if (!this.isWord(text)) return false;
    this.position++;
    return true;
  }

  /** @throws SyntaxFault where something else stands */
  expect(text: string): void {
    if (!this.accept(text)) this.fail(`"${text}" is missing before ${describe(this.peek())}`);
  }

  skipNewlines(): void {
    while (this.peek().type === "newline") this.position++;
  }

  /** How far ahead the first token is that ends no line. */
  pastNewlines(): number {
    let ahead = 0;
    while (this.peek(ahead).type === "newline") ahead++;
    return ahead;
  }

  fail(message: string): never {
    throw new SyntaxFault(this.peek().start, message);
  }

  /** Runs `read` one level deeper. @throws SyntaxFault where the text nests too deeply */
  nested<T>(read: () => T): T {
    if (this.depth >= DEEPEST_NODE) this.fail("this nests too deeply to be read");
    const before = this.depth++;
    try {
      return read();
    } finally {
      this.depth = before;
    }
  }

  /** Counts one more link of a chain (`a.b.c`, `a + b + c`): it nests as well. */
  link(): void {
    if (++this.depth > DEEPEST_NODE) this.fail("this expression is too long to be read");
  }
}

/** The token in words, for messages. */
export function describe(token: Token): string {
  if (token.type === "end") return "the end of the file";
  if (token.type === "newline") return "the end of the line";
  if (token.type === "string" || token.type === "template") return "a string";
  return `"${token.text}"`;
}
