/** Expressions, by precedence climbing: `||` binds least, then `&&`, comparisons, `+ -`, `* / %`, `**`, and member access most. */
import type { BinaryExpression, BinaryOperator, Expression, ObjectExpression } from "./ast.ts";
import { type Cursor, MAX_DEPTH } from "./cursor.ts";
import { decodeEscapes, parseMultilineString, parseString } from "./strings.ts";
import { isKeyword, V1_1, V1_2 } from "./version.ts";

const PRECEDENCE: Readonly<Record<string, number>> = {
  "||": 1,
  "&&": 2,
  "==": 3,
  "!=": 3,
  "<=": 3,
  ">=": 3,
  "<": 3,
  ">": 3,
  "+": 4,
  "-": 4,
  "*": 5,
  "/": 5,
  "%": 5,
  "**": 6,
};

const isOperator = (text: string): text is BinaryOperator => Object.hasOwn(PRECEDENCE, text);

/** Reads one expression. @throws SyntaxFailure at the first token that does not fit */
export function parseExpression(cursor: Cursor): Expression {
  return cursor.deeper(() => parseBinary(cursor, 1));
}

function parseBinary(cursor: Cursor, least: number): Expression {
  let left = parseUnary(cursor);
  for (;;) {
    const { kind, text } = cursor.peek();
    const precedence = kind === "symbol" && isOperator(text) ? (PRECEDENCE[text] ?? 0) : 0;
    if (precedence < least || !isOperator(text)) return left;
    cursor.next();
    const right = parseBinary(cursor, precedence + 1);
    left = binary(text, left, right);
    checkHeight(cursor, left);
  }
}

function binary(operator: BinaryOperator, left: Expression, right: Expression): BinaryExpression {
  const height = Math.max(left.height, right.height) + 1;
  return { kind: "binary", operator, left, right, start: left.start, end: right.end, height };
}

/** A flat chain (`a + b + …`) makes a deep tree without deep parsing. */
function checkHeight(cursor: Cursor, expression: Expression): void {
  if (expression.height > MAX_DEPTH * 2) cursor.fail("this expression has too many parts", expression);
}

function parseUnary(cursor: Cursor): Expression {
  if (cursor.is("!")) return cursor.deeper(() => parseNot(cursor));
  if (cursor.is("-")) return cursor.deeper(() => parseNegative(cursor));
  return parsePostfix(cursor, parsePrimary(cursor));
}

function parseNot(cursor: Cursor): Expression {
  const { start } = cursor.next();
  const of = parseUnary(cursor);
  return { kind: "not", of, start, end: of.end, height: of.height + 1 };
}

function parseNegative(cursor: Cursor): Expression {
  const { start } = cursor.next();
  const of = parseUnary(cursor);
  if ((of.kind === "int" || of.kind === "float") && of.value >= 0) return { ...of, value: -of.value, start };
  return { kind: "negative", of, start, end: of.end, height: of.height + 1 };
}

function parsePostfix(cursor: Cursor, first: Expression): Expression {
  let of = first;
  for (;;) {
    if (cursor.accept(".")) {
      const member = cursor.name("the name of a member after the dot");
      of = { kind: "member", of, member: member.text, start: of.start, end: member.end, height: of.height + 1 };
    } else if (cursor.accept("[")) {
      const at = parseExpression(cursor);
      const { end } = cursor.expect("]", "after the index");
      of = { kind: "index", of, at, start: of.start, end, height: Math.max(of.height, at.height) + 1 };
    } else return of;
    checkHeight(cursor, of);
  }
}

function parsePrimary(cursor: Cursor): Expression {
  const token = cursor.peek();
  switch (token.kind) {
    case "quote":
      return parseString(cursor, parseExpression);
    case "int":
    case "float":
      cursor.next();
      return { kind: token.kind, value: Number(token.text), start: token.start, end: token.end, height: 1 };
    case "name":
      return parseNamed(cursor);
    default:
      return parseBracketed(cursor);
  }
}

function parseBracketed(cursor: Cursor): Expression {
  if (cursor.is("(")) return parseParenthesised(cursor);
  if (cursor.is("[")) return parseArray(cursor);
  if (cursor.is("{")) return parseMap(cursor);
  if (cursor.is("<<<")) return parseMultilineString(cursor, parseExpression);
  return cursor.fail(`expected an expression, found "${cursor.peek().text}"`);
}

function parseNamed(cursor: Cursor): Expression {
  const token = cursor.next();
  const { start, end, text } = token;
  const span = { start, end, height: 1 };
  if (text === "true" || text === "false") return { kind: "boolean", value: text === "true", ...span };
  if (text === "None" && cursor.rank >= V1_1) return { kind: "none", ...span };
  if (text === "if") return parseConditional(cursor, start);
  if (cursor.is("(")) return parseApply(cursor, text, start);
  if (cursor.is("{") && (text === "object" || cursor.rank >= V1_1)) return parseObject(cursor, text, start);
  const reserved = isKeyword(text, cursor.rank) && !(text === "task" && cursor.rank >= V1_2);
  if (reserved) cursor.fail(`expected an expression, found the keyword "${text}"`, token);
  return { kind: "name", name: text, ...span };
}

function parseConditional(cursor: Cursor, start: number): Expression {
  const condition = parseExpression(cursor);
  cursor.expect("then", "after the condition");
  const whenTrue = parseExpression(cursor);
  cursor.expect("else", "after the first branch");
  const whenFalse = parseExpression(cursor);
  const height = Math.max(condition.height, whenTrue.height, whenFalse.height) + 1;
  return { kind: "if", condition, whenTrue, whenFalse, start, end: whenFalse.end, height };
}

function parseApply(cursor: Cursor, name: string, start: number): Expression {
  cursor.next();
  const { items, end } = parseItems(cursor, ")");
  return { kind: "apply", name, arguments: items, start, end, height: heightOver(items) };
}

function parseArray(cursor: Cursor): Expression {
  const { start } = cursor.next();
  const { items, end } = parseItems(cursor, "]");
  return { kind: "array", items, start, end, height: heightOver(items) };
}

const heightOver = (items: readonly Expression[]): number => items.reduce((most, item) => Math.max(most, item.height), 0) + 1;

function parseItems(cursor: Cursor, close: string): { items: Expression[]; end: number } {
  const items: Expression[] = [];
  while (!cursor.is(close)) {
    items.push(parseExpression(cursor));
    if (!cursor.accept(",")) break;
  }
  return { items, end: cursor.expect(close, "or a comma").end };
}

function parseParenthesised(cursor: Cursor): Expression {
  const { start } = cursor.next();
  const left = parseExpression(cursor);
  if (!cursor.accept(",")) {
    const { end } = cursor.expect(")", "to close the parenthesis");
    return { ...left, start, end };
  }
  const right = parseExpression(cursor);
  const { end } = cursor.expect(")", "to close the pair");
  return { kind: "pair", left, right, start, end, height: Math.max(left.height, right.height) + 1 };
}

function parseMap(cursor: Cursor): Expression {
  const { start } = cursor.next();
  const entries: { key: Expression; value: Expression }[] = [];
  while (!cursor.is("}")) {
    const key = cursor.deeper(() => parsePostfix(cursor, parsePrimary(cursor)));
    cursor.expect(":", "after the key");
    entries.push({ key, value: parseExpression(cursor) });
    if (!cursor.accept(",")) break;
  }
  const { end } = cursor.expect("}", "or a comma");
  return { kind: "map", entries, start, end, height: heightOver(entries.flatMap(({ key, value }) => [key, value])) };
}

function parseObject(cursor: Cursor, name: string, start: number): ObjectExpression {
  cursor.next();
  const members: { name: string; value: Expression }[] = [];
  while (!cursor.is("}")) {
    const key = parseObjectKey(cursor);
    cursor.expect(":", "after the member's name");
    members.push({ name: key, value: parseExpression(cursor) });
    if (!cursor.accept(",")) break;
  }
  const { end } = cursor.expect("}", "or a comma");
  const struct = name === "object" ? {} : { struct: name };
  return { kind: "object", ...struct, members, start, end, height: heightOver(members.map((member) => member.value)) };
}

function parseObjectKey(cursor: Cursor): string {
  if (cursor.peek().kind !== "quote") return cursor.name("the name of a member").text;
  return parseString(cursor, parseExpression)
    .parts.map((part) => (typeof part === "string" ? decodeEscapes(part) : ""))
    .join("");
}
