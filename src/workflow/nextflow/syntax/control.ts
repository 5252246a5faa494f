import type { Compound, Expr, If, Return, Statement } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { readCommand, readExpression } from "./expressions.ts";

type ReadStatement = (cursor: Cursor) => Statement;
type Read = (cursor: Cursor, readStatement: ReadStatement) => Statement;

/** Reads a statement that a word of the language begins (`if`, `for`, `try`, `return` …); undefined where none does. */
export function readCompound(cursor: Cursor, readStatement: ReadStatement): Statement | undefined {
  const word = cursor.peek();
  if (word.type !== "name" || !Object.hasOwn(READERS, word.text) || isOrdinaryName(cursor)) return undefined;
  if (word.text === "synchronized" && !cursor.is("(", 1)) return undefined;
  cursor.next();
  return READERS[word.text]?.(cursor, readStatement);
}

/** `switch = 1`, `default.x`: a word that is used as a name. */
const isOrdinaryName = (cursor: Cursor): boolean => cursor.is("=", 1) || cursor.is(".", 1) || cursor.is(":", 1);

const READERS: Readonly<Record<string, Read>> = {
  if: readIf,
  for: readLoop,
  while: readLoop,
  do: readDo,
  try: readTry,
  synchronized: readTry,
  switch: readSwitch,
  return: readReturn,
  throw: readReturn,
  assert: readAssert,
  break: readBreak,
  continue: readBreak,
};

function readIf(cursor: Cursor, readStatement: ReadStatement): If {
  const start = cursor.lastEnd - 2;
  cursor.expect("(");
  const condition = readExpression(cursor);
  cursor.expect(")");
  const then = readBody(cursor, readStatement);
  const ahead = cursor.pastNewlines() + (cursor.is(";") ? 1 : 0);
  if (!cursor.isWord("else", ahead)) return { kind: "if", condition, then, otherwise: [], start, end: cursor.lastEnd };
  cursor.position += ahead + 1;
  const otherwise = cursor.nested(() => readBody(cursor, readStatement));
  return { kind: "if", condition, then, otherwise, start, end: cursor.lastEnd };
}

/** A block, or one statement without braces. */
function readBody(cursor: Cursor, readStatement: ReadStatement): readonly Statement[] {
  cursor.skipNewlines();
  if (!cursor.accept("{")) return [cursor.nested(() => readStatement(cursor))];
  const body = cursor.block(cursor);
  cursor.expect("}");
  return body;
}

function compound(word: string, start: number, parts: Partial<Omit<Compound, "kind" | "word" | "start">>): Compound {
  return { kind: "compound", word, expressions: [], always: [], sometimes: [], end: start, ...parts, start };
}

function readLoop(cursor: Cursor, readStatement: ReadStatement): Compound {
  const start = cursor.lastEnd;
  const expressions = readLoopHead(cursor);
  const body = readBody(cursor, readStatement);
  return compound("loop", start, { expressions, sometimes: [body], end: cursor.lastEnd });
}

/** `(x in list)`, `(Type x : list)`, `(def i = 0; i < n; i++)`, `(condition)`. */
function readLoopHead(cursor: Cursor): readonly Expr[] {
  cursor.expect("(");
  const expressions: Expr[] = [];
  while (!cursor.is(")")) {
    if (cursor.accept(";")) continue;
    while (cursor.peek().type === "name" && cursor.peek(1).type === "name" && !cursor.isWord("in", 1)) cursor.next();
    if (cursor.is(":", 1)) cursor.position += 2;
    expressions.push(readExpression(cursor));
    if (!cursor.is(";") && !cursor.accept(",")) break;
  }
  cursor.expect(")");
  return expressions;
}

function readDo(cursor: Cursor, readStatement: ReadStatement): Compound {
  const start = cursor.lastEnd;
  const body = readBody(cursor, readStatement);
  cursor.skipNewlines();
  const expressions = cursor.acceptWord("while") ? readLoopHead(cursor) : [];
  return compound("loop", start, { expressions, sometimes: [body], end: cursor.lastEnd });
}

function readTry(cursor: Cursor, readStatement: ReadStatement): Compound {
  const start = cursor.lastEnd;
  if (cursor.is("(")) readLoopHead(cursor);
  const always = [...readBody(cursor, readStatement)];
  const sometimes: (readonly Statement[])[] = [];
  for (;;) {
    const ahead = cursor.pastNewlines();
    const isCatch = cursor.isWord("catch", ahead);
    if (!isCatch && !cursor.isWord("finally", ahead)) break;
    cursor.position += ahead + 1;
    if (isCatch) skipParentheses(cursor);
    const body = readBody(cursor, readStatement);
    if (isCatch) sometimes.push(body);
    else always.push(...body);
  }
  return compound("try", start, { always, sometimes, end: cursor.lastEnd });
}

function skipParentheses(cursor: Cursor): void {
  cursor.expect("(");
  let open = 1;
  while (open > 0 && cursor.peek().type !== "end") {
    if (cursor.is("(")) open++;
    if (cursor.is(")")) open--;
    cursor.next();
  }
}

function readSwitch(cursor: Cursor, readStatement: ReadStatement): Compound {
  const start = cursor.lastEnd;
  const expressions = [...readLoopHead(cursor)];
  cursor.skipNewlines();
  cursor.expect("{");
  const sometimes: Statement[][] = [];
  const cases: (Expr | undefined)[] = [];
  for (;;) {
    while (cursor.peek().type === "newline" || cursor.is(";")) cursor.next();
    if (cursor.is("}") || cursor.peek().type === "end") break;
    if (cursor.acceptWord("case")) {
      const value = readExpression(cursor);
      expressions.push(value);
      cases.push(value);
      sometimes.push([]);
    } else if (cursor.isWord("default") && (cursor.is(":", 1) || cursor.is("->", 1))) {
      cursor.next();
      cases.push(undefined);
      sometimes.push([]);
    } else {
      // Read in any case: what stands before the first case belongs to none, and must be passed all the same.
      const statement = cursor.nested(() => readStatement(cursor));
      sometimes.at(-1)?.push(statement);
      continue;
    }
    if (!cursor.accept(":") && !cursor.accept("->")) cursor.accept(",");
  }
  cursor.expect("}");
  return compound("switch", start, { expressions, sometimes, cases, end: cursor.lastEnd });
}

function readReturn(cursor: Cursor): Return {
  const start = cursor.lastEnd;
  const token = cursor.peek();
  if (token.type === "newline" || token.type === "end" || cursor.is("}") || cursor.is(";")) return { kind: "return", start, end: start };
  const value = readCommand(cursor);
  return { kind: "return", value, start, end: cursor.lastEnd };
}

function readBreak(cursor: Cursor): Compound {
  const start = cursor.lastEnd;
  if (cursor.peek().type === "name") cursor.next();
  return compound("break", start, { end: cursor.lastEnd });
}

function readAssert(cursor: Cursor): Compound {
  const start = cursor.lastEnd;
  const expressions = [readExpression(cursor)];
  if (cursor.accept(":") || cursor.accept(",")) expressions.push(readExpression(cursor));
  return compound("assert", start, { expressions, end: cursor.lastEnd });
}
