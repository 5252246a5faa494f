import type { Statement } from "./ast.ts";
import { readCompound } from "./control.ts";
import { type Cursor, describe, SyntaxFault } from "./cursor.ts";
import { readDeclaration, readLabelled } from "./declarations.ts";
import { readDefinition } from "./definitions.ts";
import { readCommand } from "./expressions.ts";

/** Reads statements up to the brace that closes their block, or the end. What can't be read is left out, the first fault kept. */
export function readBlock(cursor: Cursor): readonly Statement[] {
  const statements: Statement[] = [];
  for (;;) {
    while (cursor.peek().type === "newline" || cursor.is(";")) cursor.next();
    if (cursor.is("}") || cursor.peek().type === "end") return statements;
    const from = cursor.position;
    const { depth } = cursor;
    try {
      const statement = cursor.nested(() => readStatement(cursor));
      statements.push(statement);
      if (statement.kind !== "label") expectSeparator(cursor);
    } catch (fault) {
      if (!(fault instanceof SyntaxFault)) throw fault;
      cursor.problem ??= { offset: fault.offset, message: fault.message };
      cursor.depth = depth;
      recover(cursor, from);
    }
  }
}

/** The statements of a whole file. */
export function readProgram(cursor: Cursor): readonly Statement[] {
  const statements = [...readBlock(cursor)];
  while (cursor.is("}")) {
    cursor.problem ??= { offset: cursor.peek().start, message: '"}" closes nothing here' };
    cursor.next();
    statements.push(...readBlock(cursor));
  }
  return statements;
}

function expectSeparator(cursor: Cursor): void {
  const token = cursor.peek();
  if (token.type === "newline" || token.type === "end" || cursor.is(";") || cursor.is("}")) return;
  cursor.fail(`${describe(token)} is not expected here`);
}

/** Goes on behind the line of a fault, over whole blocks, never out of the block around it. */
function recover(cursor: Cursor, from: number): void {
  if (cursor.position === from) cursor.position = from + (cursor.is("}") ? 0 : openingLength(cursor));
  for (;;) {
    const token = cursor.peek();
    if (token.type === "newline" || token.type === "end" || cursor.is("}")) return;
    if (cursor.is("{")) skipBraces(cursor);
    else cursor.next();
  }
}

const openingLength = (cursor: Cursor): number => (cursor.is("{") ? 0 : 1);

function skipBraces(cursor: Cursor): void {
  let open = 0;
  do {
    const token = cursor.next();
    if (token.type === "end") return;
    if (token.type !== "operator") continue;
    if (token.text === "{") open++;
    if (token.text === "}") open--;
  } while (open > 0);
}

function readStatement(cursor: Cursor): Statement {
  return (
    readDefinition(cursor) ??
    readCompound(cursor, readStatement) ??
    readLabelled(cursor) ??
    readDeclaration(cursor) ??
    readExpressionStatement(cursor)
  );
}

function readExpressionStatement(cursor: Cursor): Statement {
  const { start } = cursor.peek();
  const expression = readCommand(cursor);
  return { kind: "expression", expression, start, end: cursor.lastEnd };
}
