import type { Argument, Expr } from "./ast.ts";
import { readCallArguments, readClosure, readPrimary } from "./primaries.ts";
import type { Cursor } from "./cursor.ts";
import { readType } from "./types.ts";

const ASSIGNMENTS = new Set(["=", "+=", "-=", "*=", "/=", "%=", "**=", "<<=", ">>=", ">>>=", "&=", "|=", "^=", "?="]);

const PRECEDENCE: Readonly<Record<string, number>> = {
  "||": 1,
  "&&": 2,
  "|": 3,
  "^": 4,
  "&": 5,
  "==": 6,
  "!=": 6,
  "<=>": 6,
  "===": 6,
  "!==": 6,
  "=~": 6,
  "==~": 6,
  "<": 7,
  "<=": 7,
  ">": 7,
  ">=": 7,
  in: 7,
  instanceof: 7,
  as: 7,
  "<<": 8,
  ">>": 8,
  ">>>": 8,
  "..": 8,
  "..<": 8,
  "+": 9,
  "-": 9,
  "*": 10,
  "/": 10,
  "%": 10,
  "**": 11,
};

/** Operators that go on with an expression from the line before; `+` and `-` would begin a new one there. */
const CONTINUES = new Set([
  "||",
  "&&",
  "|",
  "^",
  "&",
  "==",
  "!=",
  "<=>",
  "===",
  "!==",
  "=~",
  "==~",
  "<=",
  ">=",
  "<<",
  ">>",
  "*",
  "%",
  "**",
  "in",
  "instanceof",
  "as",
  "<",
  ">",
]);

/** Reads an expression, assignments included. @throws SyntaxFault */
export function readExpression(cursor: Cursor): Expr {
  return cursor.nested(() => {
    const { start } = cursor.peek();
    const target = readTernary(cursor);
    const token = cursor.peek();
    if (token.type !== "operator" || !ASSIGNMENTS.has(token.text)) return target;
    cursor.next();
    cursor.skipNewlines();
    const value = readCommand(cursor);
    return { kind: "assignment", operator: token.text, target, value, start, end: cursor.lastEnd };
  });
}

/**
 * Reads an expression or a call without parentheses: `container 'x'`, `publishDir path: 'y', mode: 'copy'`.
 * @throws SyntaxFault
 */
export function readCommand(cursor: Cursor): Expr {
  const { start } = cursor.peek();
  let expression = readExpression(cursor);
  while (isCallable(expression) && beginsArgument(cursor)) {
    cursor.link();
    const args = readCommandArguments(cursor);
    expression = { kind: "call", callee: expression, args, start, end: cursor.lastEnd };
    if (cursor.peek().type !== "name" || isOperatorWord(cursor.peek().text)) break;
    const word = cursor.next();
    expression = { kind: "property", object: expression, name: word.text, start, end: word.end };
  }
  return expression;
}

const isOperatorWord = (word: string): boolean => word === "in" || word === "as" || word === "instanceof";

function isCallable(expression: Expr): boolean {
  return expression.kind === "name" || (expression.kind === "property" && typeof expression.name === "string");
}

function beginsArgument(cursor: Cursor): boolean {
  const token = cursor.peek();
  if (token.type === "string" || token.type === "template" || token.type === "number") return true;
  if (token.type === "name") return !isOperatorWord(token.text);
  return (token.text === "[" && token.isSpaced && cursor.is("[")) || (cursor.is("!") && token.isSpaced && !cursor.peek(1).isSpaced);
}

function readCommandArguments(cursor: Cursor): readonly Argument[] {
  const args: Argument[] = [];
  do {
    cursor.skipNewlines();
    const isNamed = cursor.is(":", 1) && ["name", "string"].includes(cursor.peek().type);
    const name = isNamed ? cursor.next().text : undefined;
    if (isNamed) cursor.next();
    cursor.skipNewlines();
    const value = cursor.accept("*") ? cursor.nested(() => readUnary(cursor)) : readExpression(cursor);
    args.push(name === undefined ? { value } : { name, value });
  } while (cursor.accept(","));
  return args;
}

function readTernary(cursor: Cursor): Expr {
  const { start } = cursor.peek();
  const condition = readBinary(cursor, 1);
  const ahead = cursor.pastNewlines();
  if (cursor.is("?:", ahead)) {
    cursor.position += ahead + 1;
    cursor.skipNewlines();
    const otherwise = cursor.nested(() => readTernary(cursor));
    return { kind: "elvis", value: condition, otherwise, start, end: cursor.lastEnd };
  }
  if (!cursor.is("?", ahead)) return condition;
  cursor.position += ahead + 1;
  cursor.skipNewlines();
  const then = readExpression(cursor);
  cursor.skipNewlines();
  cursor.expect(":");
  cursor.skipNewlines();
  const otherwise = readExpression(cursor);
  return { kind: "ternary", condition, then, otherwise, start, end: cursor.lastEnd };
}

function readBinary(cursor: Cursor, least: number): Expr {
  const { start } = cursor.peek();
  let left = readUnary(cursor);
  for (let ahead = operatorAhead(cursor, least); ahead !== undefined; ahead = operatorAhead(cursor, least)) {
    cursor.link();
    cursor.position += ahead;
    const token = cursor.next();
    const isNegated = token.text === "!";
    const operator = isNegated ? `!${cursor.next().text}` : token.text;
    cursor.skipNewlines();
    if (operator === "as" || operator.endsWith("instanceof")) {
      const type = readType(cursor);
      left =
        operator === "as"
          ? { kind: "cast", value: left, type, start, end: cursor.lastEnd }
          : {
              kind: "binary",
              operator,
              left,
              right: { kind: "literal", value: type, start, end: cursor.lastEnd },
              start,
              end: cursor.lastEnd,
            };
      continue;
    }
    const right = readBinary(cursor, (PRECEDENCE[isNegated ? "in" : operator] ?? 0) + 1);
    left = { kind: "binary", operator, left, right, start, end: cursor.lastEnd };
  }
  return left;
}

/** How many newlines stand before an operator of at least that precedence; undefined where none comes. */
function operatorAhead(cursor: Cursor, least: number): number | undefined {
  const ahead = cursor.pastNewlines();
  const token = cursor.peek(ahead);
  if (token.type !== "operator" && token.type !== "name") return undefined;
  if (cursor.is("!", ahead) && (cursor.isWord("in", ahead + 1) || cursor.isWord("instanceof", ahead + 1))) {
    return least <= 7 && ahead === 0 ? ahead : undefined;
  }
  const precedence = Object.hasOwn(PRECEDENCE, token.text) ? PRECEDENCE[token.text] : undefined;
  if (precedence === undefined || precedence < least) return undefined;
  return ahead === 0 || CONTINUES.has(token.text) ? ahead : undefined;
}

const PREFIXES = new Set(["!", "-", "+", "~", "++", "--"]);

function readUnary(cursor: Cursor): Expr {
  const token = cursor.peek();
  if (token.type === "operator" && PREFIXES.has(token.text)) {
    cursor.next();
    const operand = cursor.nested(() => readUnary(cursor));
    return { kind: "unary", operator: token.text, operand, start: token.start, end: cursor.lastEnd };
  }
  if (isCast(cursor)) {
    cursor.next();
    const type = readType(cursor);
    cursor.expect(")");
    const value = cursor.nested(() => readUnary(cursor));
    return { kind: "cast", value, type, start: token.start, end: cursor.lastEnd };
  }
  return readPostfix(cursor);
}

const PRIMITIVES = new Set(["int", "long", "double", "float", "boolean", "byte", "short", "char"]);

/** `(int) x`, `(String) x`: a type's name in parentheses with a value behind it on the same line. */
function isCast(cursor: Cursor): boolean {
  const name = cursor.peek(1);
  if (!cursor.is("(") || name.type !== "name" || !cursor.is(")", 2)) return false;
  const after = cursor.peek(3);
  if (!PRIMITIVES.has(name.text) && !/^[A-Z][a-z]/.test(name.text)) return false;
  return ["string", "template", "number"].includes(after.type) || (after.type === "name" && !isOperatorWord(after.text));
}

const ACCESS = new Set([".", "?.", "*.", "??.", ".&", ".@", "::"]);

function readPostfix(cursor: Cursor): Expr {
  const { start } = cursor.peek();
  let expression = readPrimary(cursor, readExpression);
  for (;;) {
    const next = readSuffix(cursor, expression, start);
    if (next === undefined) return expression;
    cursor.link();
    expression = next;
  }
}

function readSuffix(cursor: Cursor, object: Expr, start: number): Expr | undefined {
  const ahead = cursor.pastNewlines();
  const access = cursor.peek(ahead);
  if (access.type === "operator" && ACCESS.has(access.text)) {
    cursor.position += ahead + 1;
    cursor.skipNewlines();
    return { kind: "property", object, name: readMember(cursor), start, end: cursor.lastEnd };
  }
  if (cursor.is("(") && isCalled(object))
    return { kind: "call", callee: object, args: readCallArguments(cursor, readExpression), start, end: cursor.lastEnd };
  if (isSafeIndex(cursor)) cursor.next();
  if (cursor.is("[") && !isMapArgument(cursor, object)) return readIndex(cursor, object, start);
  if (cursor.is("{") && takesClosure(object)) return withClosure(cursor, object, start);
  if (cursor.accept("++") || cursor.accept("--")) return { kind: "unary", operator: "++", operand: object, start, end: cursor.lastEnd };
  return undefined;
}

/** `a?[0]`; a ternary has blanks around its question mark. */
const isSafeIndex = (cursor: Cursor): boolean => cursor.is("?") && !cursor.peek().isSpaced && cursor.is("[", 1) && !cursor.peek(1).isSpaced;

const isCalled = (object: Expr): boolean => object.kind !== "literal" || typeof object.value === "string";
const takesClosure = (object: Expr): boolean =>
  ["name", "property", "call", "template"].includes(object.kind) || (object.kind === "literal" && typeof object.value === "string");

function readMember(cursor: Cursor): string | Expr {
  const token = cursor.peek();
  if (token.type === "name" || token.type === "string") return cursor.next().text;
  if (token.type === "template" || cursor.is("(")) return cursor.nested(() => readPrimary(cursor, readExpression));
  return cursor.fail("the name of a member is missing after the dot");
}

/** `ext [args: 'x']` passes a map, `x[0]` and `x [0]` index. */
function isMapArgument(cursor: Cursor, object: Expr): boolean {
  if (!cursor.peek().isSpaced || !isCallable(object)) return false;
  return cursor.is(":", 1) || cursor.is(":", 2);
}

function readIndex(cursor: Cursor, object: Expr, start: number): Expr {
  const index = readPrimary(cursor, readExpression);
  const only = index.kind === "list" && index.items.length === 1 ? index.items[0] : undefined;
  return { kind: "index", object, index: only ?? index, start, end: cursor.lastEnd };
}

/** `f(x) { … }` passes the closure as one more argument. */
function withClosure(cursor: Cursor, object: Expr, start: number): Expr {
  const closure = readClosure(cursor);
  const isCall = object.kind === "call";
  const args = [...(isCall ? object.args : []), { value: closure }];
  return { kind: "call", callee: isCall ? object.callee : object, args, start, end: cursor.lastEnd };
}
