import { type Token, tokensOf } from "./expression-tokens.ts";
import type { Json } from "./nodes.ts";

/** An expression of the JavaScript subset. A body of statements becomes one expression: `if` a choice, `var` a binding. */
export type Expression =
  | { readonly kind: "literal"; readonly value: Json }
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "member"; readonly of: Expression; readonly key: Expression }
  | { readonly kind: "not"; readonly of: Expression }
  | { readonly kind: "binary"; readonly sign: Sign; readonly left: Expression; readonly right: Expression }
  | {
      readonly kind: "choice";
      readonly condition: Expression;
      readonly yes: Expression;
      readonly no: Expression;
      readonly text: string;
    }
  | { readonly kind: "object"; readonly members: readonly (readonly [string, Expression])[] }
  | { readonly kind: "array"; readonly items: readonly Expression[] }
  | { readonly kind: "let"; readonly name: string; readonly value: Expression; readonly in: Expression };

export type Sign = "+" | "||" | "&&" | "==" | "!=" | "===" | "!==";

/** Binding strength, weakest first. */
const LEVELS: readonly (readonly Sign[])[] = [["||"], ["&&"], ["==", "!=", "===", "!=="], ["+"]];
const MAX_DEPTH = 60;
const MAX_CHARACTERS = 20_000;

/** The text of `$( … )`, or undefined when it is more than the subset. */
export const parseExpression = (text: string): Expression | undefined => parsed(text, (parser) => parser.expression());

/** The text of `${ … }`, or undefined when it is more than the subset. */
export const parseBody = (text: string): Expression | undefined => parsed(text, (parser) => lowered(parser.statements(), NULL));

function parsed(text: string, read: (parser: Parser) => Expression): Expression | undefined {
  const tokens = text.length > MAX_CHARACTERS ? undefined : tokensOf(text);
  if (!tokens) return undefined;
  try {
    const parser = new Parser(tokens, text);
    const expression = read(parser);
    parser.end();
    return expression;
  } catch (error) {
    if (error instanceof NotInSubset) return undefined;
    throw error;
  }
}

class NotInSubset extends Error {}

type Statement =
  | { readonly kind: "return"; readonly value: Expression }
  | { readonly kind: "binding"; readonly name: string; readonly value: Expression }
  | {
      readonly kind: "if";
      readonly condition: Expression;
      readonly text: string;
      readonly yes: readonly Statement[];
      readonly no: readonly Statement[];
    };

/** Statements as one expression; `after` is what follows them, null at the end of a body that returns nothing. */
function lowered(statements: readonly Statement[], after: Expression): Expression {
  return statements.reduceRight<Expression>((rest, statement) => {
    if (statement.kind === "return") return statement.value;
    if (statement.kind === "binding") return { kind: "let", name: statement.name, value: statement.value, in: rest };
    const { condition, text } = statement;
    return { kind: "choice", condition, text, yes: lowered(statement.yes, rest), no: lowered(statement.no, rest) };
  }, after);
}

const NULL: Expression = { kind: "literal", value: null };
const WORDS: Readonly<Record<string, Json>> = { true: true, false: false, null: null, undefined: null };
const RESERVED: ReadonlySet<string> = new Set([
  "function",
  "new",
  "typeof",
  "return",
  "var",
  "let",
  "const",
  "if",
  "else",
  "for",
  "while",
  "this",
  "void",
  "delete",
  "in",
]);

class Parser {
  readonly #tokens: readonly Token[];
  readonly #source: string;
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], source: string) {
    this.#tokens = tokens;
    this.#source = source;
  }

  end(): void {
    if (this.#peek().kind !== "end") throw new NotInSubset();
  }

  expression(): Expression {
    if (++this.#depth > MAX_DEPTH) throw new NotInSubset();
    const from = this.#at;
    const condition = this.#binary(0);
    const text = this.#text(from);
    const whole = this.#take("?") ? this.#choice(condition, text) : condition;
    this.#depth--;
    return whole;
  }

  #choice(condition: Expression, text: string): Expression {
    const yes = this.expression();
    this.#need(":");
    return { kind: "choice", condition, yes, no: this.expression(), text };
  }

  /** What is written from this token to the last one read. */
  #text(from: number): string {
    return this.#source.slice(this.#tokens[from]?.from, this.#tokens[this.#at - 1]?.to).replace(/\s+/g, " ");
  }

  #binary(level: number): Expression {
    const signs = LEVELS[level];
    if (!signs) return this.#unary();
    let left = this.#binary(level + 1);
    for (let sign = this.#sign(signs); sign !== undefined; sign = this.#sign(signs))
      left = { kind: "binary", sign, left, right: this.#binary(level + 1) };
    return left;
  }

  #sign(signs: readonly Sign[]): Sign | undefined {
    return signs.find((sign) => this.#take(sign));
  }

  #unary(): Expression {
    if (++this.#depth > MAX_DEPTH) throw new NotInSubset();
    const made: Expression = this.#take("!") ? { kind: "not", of: this.#unary() } : this.#postfix();
    this.#depth--;
    return made;
  }

  #postfix(): Expression {
    let made = this.#primary();
    for (;;) {
      if (this.#take(".")) made = { kind: "member", of: made, key: { kind: "literal", value: this.#name() } };
      else if (this.#take("[")) {
        made = { kind: "member", of: made, key: this.expression() };
        this.#need("]");
      } else return made;
    }
  }

  #primary(): Expression {
    const token = this.#next();
    if (token.kind === "string") return { kind: "literal", value: token.text };
    if (token.kind === "number") return { kind: "literal", value: Number(token.text) };
    if (token.kind === "name" && Object.hasOwn(WORDS, token.text)) return { kind: "literal", value: WORDS[token.text] ?? null };
    if (token.kind === "name" && !RESERVED.has(token.text)) return { kind: "name", name: token.text };
    if (token.text === "(") return this.#closed(this.expression(), ")");
    if (token.text === "[") return { kind: "array", items: this.#list("]", () => this.expression()) };
    if (token.text === "{") return { kind: "object", members: this.#list("}", () => this.#member()) };
    throw new NotInSubset();
  }

  #member(): readonly [string, Expression] {
    const key = this.#next();
    if (key.kind !== "string" && key.kind !== "name") throw new NotInSubset();
    this.#need(":");
    return [key.text, this.expression()];
  }

  #list<T>(close: string, read: () => T): readonly T[] {
    const items: T[] = [];
    while (!this.#take(close)) {
      items.push(read());
      if (!this.#take(",") && this.#peek().text !== close) throw new NotInSubset();
    }
    return items;
  }

  #closed(expression: Expression, sign: string, mayLack = false): Expression {
    if (!this.#take(sign) && !mayLack) throw new NotInSubset();
    return expression;
  }

  /** Statements up to the end or to `}`. */
  statements(): readonly Statement[] {
    if (++this.#depth > MAX_DEPTH) throw new NotInSubset();
    const made: Statement[] = [];
    for (;;) {
      while (this.#take(";")) continue;
      const { kind, text } = this.#peek();
      if (kind === "end" || text === "}") break;
      made.push(this.#statement());
    }
    this.#depth--;
    return made;
  }

  #statement(): Statement {
    if (this.#word("return")) return { kind: "return", value: this.#closed(this.expression(), ";", true) };
    if (this.#word("if")) return this.#if();
    if (!this.#word("var") && !this.#word("let") && !this.#word("const")) throw new NotInSubset();
    const name = this.#name();
    this.#need("=");
    return { kind: "binding", name, value: this.#closed(this.expression(), ";", true) };
  }

  #if(): Statement {
    this.#need("(");
    const from = this.#at;
    const condition = this.expression();
    const text = this.#text(from);
    this.#need(")");
    const yes = this.#branch();
    return { kind: "if", condition, text, yes, no: this.#word("else") ? this.#branch() : [] };
  }

  #branch(): readonly Statement[] {
    if (++this.#depth > MAX_DEPTH) throw new NotInSubset();
    const isBlock = this.#take("{");
    const made = isBlock ? this.statements() : [this.#statement()];
    if (isBlock) this.#need("}");
    this.#depth--;
    return made;
  }

  #peek(): Token {
    const end = this.#source.length;
    return this.#tokens[this.#at] ?? { kind: "end", text: "", from: end, to: end };
  }

  #next(): Token {
    const token = this.#peek();
    this.#at++;
    return token;
  }

  #take(sign: string): boolean {
    const { kind, text } = this.#peek();
    if (kind !== "sign" || text !== sign) return false;
    this.#at++;
    return true;
  }

  #word(word: string): boolean {
    const { kind, text } = this.#peek();
    if (kind !== "name" || text !== word) return false;
    this.#at++;
    return true;
  }

  #name(): string {
    const { kind, text } = this.#next();
    if (kind !== "name") throw new NotInSubset();
    return text;
  }

  #need(sign: string): void {
    if (!this.#take(sign)) throw new NotInSubset();
  }
}
