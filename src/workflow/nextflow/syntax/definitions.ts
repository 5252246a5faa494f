import type { Include, ParamDeclaration, ParamsBlock, Process, Statement, Workflow } from "./ast.ts";
import type { Cursor } from "./cursor.ts";
import { readExpression } from "./expressions.ts";
import { recovered } from "./recovery.ts";
import { readType } from "./types.ts";

/** Reads what only a script's or a file's top level has: definitions, includes, imports; undefined where none stands. */
export function readDefinition(cursor: Cursor): Statement | undefined {
  const word = cursor.peek();
  if (word.type !== "name") return undefined;
  if (word.text === "include" && beginsInclude(cursor)) return readInclude(cursor);
  if (word.text === "process" && beginsNamed(cursor)) return readProcess(cursor);
  if (word.text === "workflow" && (cursor.is("{", 1 + newlinesAfter(cursor, 1)) || beginsNamed(cursor))) return readWorkflow(cursor);
  if (word.text === "params" && cursor.is("{", 1) && isTypedBlock(cursor)) return readParams(cursor);
  if ((word.text === "import" || word.text === "package") && cursor.peek(1).type === "name") return skipLine(cursor);
  if (word.text === "type" && cursor.peek(1).type === "name" && cursor.is("=", 2)) return skipLine(cursor);
  return isClass(cursor) ? skipClass(cursor) : undefined;
}

function newlinesAfter(cursor: Cursor, from: number): number {
  let count = 0;
  while (cursor.peek(from + count).type === "newline") count++;
  return count;
}

/** `process NAME {`, `workflow NAME {`; with empty parentheses behind the name Nextflow reads the same. */
function beginsNamed(cursor: Cursor): boolean {
  const name = cursor.peek(1);
  const from = cursor.is("(", 2) && cursor.is(")", 3) ? 4 : 2;
  return (name.type === "name" || name.type === "string") && cursor.is("{", from + newlinesAfter(cursor, from));
}

function beginsInclude(cursor: Cursor): boolean {
  const next = cursor.peek(1);
  return cursor.is("{", 1 + newlinesAfter(cursor, 1)) || next.type === "name" || next.type === "string" || next.type === "template";
}

function readInclude(cursor: Cursor): Include {
  const { start } = cursor.next();
  cursor.skipNewlines();
  const names: { name: string; alias: string }[] = [];
  const isBraced = cursor.accept("{");
  if (isBraced || cursor.peek().type === "name") readIncludedNames(cursor, names, isBraced);
  if (names.length > 0 || isBraced) {
    cursor.skipNewlines();
    if (!cursor.acceptWord("from")) cursor.fail('"from" and the script\'s path are missing after the names to include');
    cursor.skipNewlines();
  }
  const from = readExpression(cursor);
  const params = readIncludeParams(cursor);
  return { kind: "include", names, from, ...(params && { params }), start, end: cursor.lastEnd };
}

function readIncludedNames(cursor: Cursor, names: { name: string; alias: string }[], isBraced: boolean): void {
  for (;;) {
    while (cursor.peek().type === "newline" || cursor.is(";") || cursor.is(",")) {
      if (!isBraced) return;
      cursor.next();
    }
    if (isBraced && cursor.accept("}")) return;
    const name = cursor.next();
    if (name.type !== "name") cursor.fail("the name of a process, workflow or function to include is missing here");
    const alias = cursor.acceptWord("as") ? cursor.next().text : name.text;
    names.push({ name: name.text, alias });
    if (!isBraced) return;
  }
}

/** `addParams(a: 1)` or `params(a: 1)` after the path. */
function readIncludeParams(cursor: Cursor): Include["params"] | undefined {
  if (cursor.is(".") && (cursor.isWord("addParams", 1) || cursor.isWord("params", 1))) cursor.next();
  if (!cursor.isWord("addParams") && !cursor.isWord("params")) return undefined;
  const call = readExpression(cursor);
  if (call.kind !== "call") return undefined;
  const [only] = call.args;
  if (call.args.length === 1 && only !== undefined && only.name === undefined) return only.value;
  const { start, end } = call;
  const entries = call.args.map(({ name, value }) => ({ key: { kind: "literal", value: name ?? "", start, end } as const, value }));
  return { kind: "map", entries, start, end };
}

function readProcess(cursor: Cursor): Process {
  const { start } = cursor.next();
  const name = cursor.next().text;
  if (cursor.accept("(")) cursor.expect(")");
  const { problem } = cursor;
  const body = readBraces(cursor);
  // Inputs and outputs have a syntax of their own that changed with every version; nobody asks for them here.
  const section = body.find((statement) => statement.kind === "label");
  if (section !== undefined && (cursor.problem?.offset ?? -1) > section.start) cursor.problem = problem;
  return { kind: "process", name, body, start, end: cursor.lastEnd };
}

function readWorkflow(cursor: Cursor): Workflow {
  const { start } = cursor.next();
  cursor.skipNewlines();
  const name = cursor.is("{") ? undefined : cursor.next().text;
  if (cursor.accept("(")) cursor.expect(")");
  const body = readBraces(cursor);
  return { kind: "workflow", ...(name !== undefined && { name }), body, start, end: cursor.lastEnd };
}

function readBraces(cursor: Cursor): readonly Statement[] {
  cursor.skipNewlines();
  const opening = cursor.peek().start;
  cursor.expect("{");
  const body = cursor.block(cursor);
  if (cursor.peek().type === "end") cursor.problem ??= { offset: opening, message: 'this "{" is never closed' };
  cursor.accept("}");
  return body;
}

/** Whether a declaration of the block gives a type: `name: Type`. */
function isTypedBlock(cursor: Cursor): boolean {
  let open = 0;
  for (let ahead = 1; cursor.peek(ahead).type !== "end"; ahead++) {
    if (cursor.is("{", ahead)) open++;
    if (cursor.is("}", ahead) && --open === 0) return false;
    const before = cursor.peek(ahead - 1);
    const isFirst = before.type === "newline" || before.text === "{";
    if (open === 1 && isFirst && cursor.peek(ahead).type === "name" && cursor.is(":", ahead + 1)) return true;
  }
  return false;
}

function readParams(cursor: Cursor): ParamsBlock {
  const { start } = cursor.next();
  cursor.expect("{");
  const declarations: ParamDeclaration[] = [];
  for (;;) {
    while (cursor.peek().type === "newline" || cursor.is(";")) cursor.next();
    if (cursor.is("}") || cursor.peek().type === "end") break;
    const declared = recovered(cursor, () => readParam(cursor));
    if (declared !== undefined) declarations.push(declared);
  }
  cursor.expect("}");
  return { kind: "params", declarations, start, end: cursor.lastEnd };
}

function readParam(cursor: Cursor): ParamDeclaration {
  const name = cursor.next();
  if (name.type !== "name" && name.type !== "string") cursor.fail("the name of a parameter is missing here");
  const type = cursor.accept(":") ? readType(cursor) : undefined;
  let value;
  if (cursor.accept("=")) {
    cursor.skipNewlines();
    value = readExpression(cursor);
  }
  return { name: name.text, ...(type !== undefined && { type }), ...(value && { value }), start: name.start, end: cursor.lastEnd };
}

const CLASSES = new Set(["class", "interface", "enum", "trait", "record"]);

function isClass(cursor: Cursor): boolean {
  let ahead = 0;
  while (["abstract", "final", "static", "public"].includes(cursor.peek(ahead).text)) ahead++;
  return CLASSES.has(cursor.peek(ahead).text) && cursor.peek(ahead + 1).type === "name" && !cursor.is("=", ahead + 2);
}

/** Classes and records hold nothing that a definition is asked for but their names: scripts include records. */
function skipClass(cursor: Cursor): Statement {
  const { start } = cursor.peek();
  while (!CLASSES.has(cursor.peek().text)) cursor.next();
  const name = cursor.peek(1).text;
  while (!cursor.is("{") && cursor.peek().type !== "end") cursor.next();
  let open = 0;
  do {
    if (cursor.is("{")) open++;
    if (cursor.is("}")) open--;
    cursor.next();
  } while (open > 0 && cursor.peek().type !== "end");
  return { kind: "type", name, start, end: cursor.lastEnd };
}

function skipLine(cursor: Cursor): Statement {
  const { start } = cursor.peek();
  while (!["newline", "end"].includes(cursor.peek().type) && !cursor.is(";")) cursor.next();
  return nothing(start, cursor.lastEnd);
}

const nothing = (start: number, end: number): Statement => ({
  kind: "compound",
  word: "skipped",
  expressions: [],
  always: [],
  sometimes: [],
  start,
  end,
});
