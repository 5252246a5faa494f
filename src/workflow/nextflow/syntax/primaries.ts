import type { Argument, Closure, Expr, Literal } from "./ast.ts";
import { readParameters } from "./formal-parameters.ts";
import { describe, type Cursor } from "./cursor.ts";
import { decimalText, numberOf } from "./numbers.ts";
import type { Token } from "./tokens.ts";

type ReadExpression = (cursor: Cursor) => Expr;

/** Reads a value that no operator takes apart. @throws SyntaxFault */
export function readPrimary(cursor: Cursor, readExpression: ReadExpression): Expr {
  const token = cursor.peek();
  if (token.type === "number" || token.type === "string" || token.type === "template") {
    cursor.next();
    return readValue(token);
  }
  if (token.type === "name") return readName(cursor, readExpression);
  if (cursor.is("(")) return readParenthesised(cursor, readExpression);
  if (cursor.is("[")) return readBracketed(cursor, readExpression);
  if (cursor.is("{")) return readClosure(cursor);
  if (cursor.accept("@")) {
    cursor.next();
    return readPrimary(cursor, readExpression);
  }
  return cursor.fail(`a value is missing before ${describe(token)}`);
}

function readValue({ type, text, parts = [], start, end }: Token): Expr {
  if (type === "template") return { kind: "template", parts, start, end };
  return { ...(type === "number" ? numberLiteral(text) : { kind: "literal", value: text }), start, end };
}

function numberLiteral(text: string): Pick<Literal, "kind" | "value" | "digits"> {
  const value = numberOf(text);
  const digits = decimalText(text);
  return { kind: "literal", value, ...(digits !== undefined && digits !== String(value) && { digits }) };
}

const CONSTANTS: ReadonlyMap<string, null | boolean> = new Map([
  ["null", null],
  ["true", true],
  ["false", false],
]);

function readName(cursor: Cursor, readExpression: ReadExpression): Expr {
  const { text, start, end } = cursor.next();
  const constant = CONSTANTS.get(text);
  if (constant !== undefined) return { kind: "literal", value: constant, start, end };
  if (text !== "new" || cursor.peek().type !== "name") return { kind: "name", name: text, start, end };
  let type = cursor.next().text;
  while (cursor.is(".") && cursor.peek(1).type === "name") {
    cursor.next();
    type += `.${cursor.next().text}`;
  }
  skipTypeParameters(cursor);
  const args = cursor.is("(") ? readCallArguments(cursor, readExpression) : [];
  return { kind: "creation", type, args, start, end: cursor.lastEnd };
}

function skipTypeParameters(cursor: Cursor): void {
  if (!cursor.is("<")) return;
  while (!cursor.is("(") && !["end", "newline"].includes(cursor.peek().type)) cursor.next();
}

function readParenthesised(cursor: Cursor, readExpression: ReadExpression): Expr {
  const { start } = cursor.next();
  cursor.skipNewlines();
  const items: Expr[] = [];
  while (!cursor.is(")")) {
    items.push(readExpression(cursor));
    cursor.skipNewlines();
    if (!cursor.accept(",")) break;
    cursor.skipNewlines();
  }
  cursor.expect(")");
  if (cursor.is("->")) return readLambda(cursor, { start, items, readExpression });
  const only = items[0];
  if (items.length === 1 && only !== undefined) return only;
  return { kind: "list", items, start, end: cursor.lastEnd };
}

interface LambdaHead {
  readonly start: number;
  readonly items: readonly Expr[];
  readonly readExpression: ReadExpression;
}

function readLambda(cursor: Cursor, { start, items, readExpression }: LambdaHead): Expr {
  cursor.next();
  cursor.skipNewlines();
  const parameters = items.map((item) => ({ name: item.kind === "name" ? item.name : "_" }));
  const value = readExpression(cursor);
  if (value.kind === "closure") return { ...value, parameters, start };
  const body = [{ kind: "expression", expression: value, start: value.start, end: value.end }] as const;
  return { kind: "closure", parameters, body, start, end: cursor.lastEnd };
}

/** A list or a map: a map has a colon after its first key. */
function readBracketed(cursor: Cursor, readExpression: ReadExpression): Expr {
  const { start } = cursor.next();
  const items: Expr[] = [];
  const entries: { key: Expr; value: Expr }[] = [];
  cursor.skipNewlines();
  if (cursor.is(":") && cursor.is("]", 1)) {
    cursor.position += 2;
    return { kind: "map", entries, start, end: cursor.lastEnd };
  }
  while (!cursor.is("]")) {
    readElement(cursor, { items, entries, readExpression });
    cursor.skipNewlines();
    if (!cursor.accept(",")) break;
    cursor.skipNewlines();
  }
  cursor.expect("]");
  if (entries.length > 0) return { kind: "map", entries, start, end: cursor.lastEnd };
  return { kind: "list", items, start, end: cursor.lastEnd };
}

interface Elements {
  readonly items: Expr[];
  readonly entries: { key: Expr; value: Expr }[];
  readonly readExpression: ReadExpression;
}

function readElement(cursor: Cursor, { items, entries, readExpression }: Elements): void {
  const token = cursor.peek();
  const isSpread = cursor.accept("*");
  if (isSpread && cursor.accept(":")) {
    entries.push({ key: { kind: "name", name: "*", start: token.start, end: token.end }, value: readExpression(cursor) });
    return;
  }
  const isBareKey = token.type === "name" && cursor.is(":", 1);
  if (isBareKey) cursor.next();
  const first: Expr = isBareKey ? { kind: "literal", value: token.text, start: token.start, end: token.end } : readExpression(cursor);
  cursor.skipNewlines();
  if (isSpread || !cursor.accept(":")) {
    items.push(isSpread ? { kind: "unary", operator: "*", operand: first, start: token.start, end: first.end } : first);
    return;
  }
  cursor.skipNewlines();
  entries.push({ key: first, value: readExpression(cursor) });
}

/** Reads `(…)` after a callee, the trailing comma permitted. @throws SyntaxFault */
export function readCallArguments(cursor: Cursor, readExpression: ReadExpression): readonly Argument[] {
  const args: Argument[] = [];
  cursor.expect("(");
  cursor.skipNewlines();
  while (!cursor.is(")")) {
    args.push(readArgument(cursor, readExpression));
    cursor.skipNewlines();
    if (!cursor.accept(",")) break;
    cursor.skipNewlines();
  }
  cursor.expect(")");
  return args;
}

function readArgument(cursor: Cursor, readExpression: ReadExpression): Argument {
  const token = cursor.peek();
  if (cursor.is(":", 1) && (token.type === "name" || token.type === "string")) {
    cursor.position += 2;
    cursor.skipNewlines();
    return { name: token.text, value: readExpression(cursor) };
  }
  if (cursor.accept("*")) cursor.accept(":");
  const value = readExpression(cursor);
  // `f(path 'x')`, `f(String name)`: an inner call without parentheses, or a parameter with its type.
  if (["string", "template", "number", "name"].includes(cursor.peek().type)) {
    const inner = readArgument(cursor, readExpression);
    return { value: { kind: "call", callee: value, args: [inner], start: value.start, end: cursor.lastEnd } };
  }
  if (!cursor.accept(":")) return { value };
  return { value: readExpression(cursor) };
}

/** Reads `{ a, b -> … }`. @throws SyntaxFault */
export function readClosure(cursor: Cursor): Closure {
  return cursor.nested(() => {
    const { start } = cursor.peek();
    cursor.expect("{");
    const parameters = readParameters(cursor);
    const body = cursor.block(cursor);
    cursor.expect("}");
    return { kind: "closure", parameters, body, start, end: cursor.lastEnd };
  });
}
