import type { Statement } from "./ast.ts";
import { readCompound } from "./control.ts";
import { type Cursor, describe } from "./cursor.ts";
import { readDeclaration, readLabelled } from "./declarations.ts";
import { readDefinition } from "./definitions.ts";
import { readCommand } from "./expressions.ts";
import { recovered } from "./recovery.ts";

/** Reads statements up to the brace that closes their block, or the end. What can't be read is left out, the first fault kept. */
export function readBlock(cursor: Cursor): readonly Statement[] {
  const statements: Statement[] = [];
  for (;;) {
    while (cursor.peek().type === "newline" || cursor.is(";")) cursor.next();
    if (cursor.is("}") || cursor.peek().type === "end") return statements;
    const statement = recovered(cursor, () => cursor.nested(() => readStatement(cursor)));
    if (statement === undefined) continue;
    statements.push(statement);
    if (statement.kind !== "label") recovered(cursor, () => expectSeparator(cursor));
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
